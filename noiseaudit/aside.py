"""Files of people are never written over: they go aside, under the next free number."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from pathlib import Path

from noiseaudit.errors import OutputError


def numbered(path: Path, number: int) -> Path:
    """`name.1.ext` for `name.ext` and 1; `path` itself for 0."""
    return path.with_name(f"{path.stem}.{number}{path.suffix}") if number else path


def free_number(path: Path, ends: Sequence[str] = ("",), *, start: int = 0) -> int:
    """The least number from `start` on under which nothing is there, with any of `ends` behind the name."""
    names = ((n, numbered(path, n)) for n in itertools.count(start))
    return next(n for n, name in names if not any(os.path.lexists(f"{name}{end}") for end in ends))


def move_aside(path: Path) -> Path:
    """Rename `path` to the next free `name.1.ext`; where it is now. Raises OutputError if it cannot be moved."""
    free = numbered(path, free_number(path, start=1))
    try:
        os.rename(path, free)
    except OSError as error:
        raise OutputError(
            f"holds what people wrote, and cannot be moved aside ({error.strerror})",
            file=path,
            fix="Move it yourself.",
        ) from error
    return free

"""Lines as `compare` writes them, for the tests of what reads them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

FINGERPRINT = "sha256:" + "0" * 64  # as tests/conftest.py gives its audits
HOSTILE = ("<script>x</script>", "_$\\frac", "\u202egnp\n😀", "a|b `c`")


def line(tool: str, seed: int = 0, found: Sequence[int] = (0, 1, 2, 2, 2), **changes: Any) -> dict[str, Any]:
    """A tool on as many images as `found` has steps, on labels with known truth."""
    reviewed = [*range(len(found))]
    return {
        "tool": tool, "seed": seed, "plant": None, "rate": None, "n": reviewed[-1], "wrong": found[-1],
        "data_fingerprint": FINGERPRINT, "review": {"reviewed": reviewed, "found": [*found]},
    } | changes  # fmt: skip


def planted(tool: str, seed: int = 0, found: Sequence[int] = (0, 1, 2, 2, 2)) -> dict[str, Any]:
    return line(tool, seed, found, plant="symmetric", rate=0.2)


def write_lines(file: Path, *lines: dict[str, Any]) -> Path:
    file.write_text("".join(f"{json.dumps(each)}\n" for each in lines))
    return file

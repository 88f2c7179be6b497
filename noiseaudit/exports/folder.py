"""Outputs of an export: made beside their place and moved there when they are whole."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from noiseaudit.atomic import write_text
from noiseaudit.errors import OutputError
from noiseaudit.outputs import check_parent, has_content, unwritable

MARKER = "noiseaudit-export.json"  # in every exported folder: what it is, and that --force may replace it


def check_folder(out: Path, *, force: bool, inputs: Sequence[Path] = ()) -> None:
    """Raise OutputError unless the folder `out` may be written: it is new, empty, or, by `force`, an earlier export.

    Never one that holds one of `inputs`.
    """
    if out.exists() and not out.is_dir():
        raise OutputError("exists and is not a folder", file=out, fix="Choose another --out.")
    if has_content(out):
        if not _is_export(out):
            raise OutputError(
                "the folder exists and is not an export of noiseaudit, so even --force does not replace it",
                file=out,
                fix="Choose another --out.",
            )
        if not force:
            raise OutputError("exists", file=out, fix="Give --force to replace it, or choose another --out.")
        for path in inputs:
            if Path(os.path.realpath(path)).is_relative_to(os.path.realpath(out)):
                raise OutputError(
                    f"--force would delete the input {path}", file=out, fix="Choose another --out."
                )
    check_parent(out)


@contextmanager
def beside(out: Path) -> Iterator[Path]:
    """An empty folder in the folder of `out`, which is gone afterwards. Raises OutputError if it cannot be made."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        made = tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name[:100]}.", suffix=".new")
    except OSError as error:
        raise unwritable(out, error) from error
    with made as folder:
        yield Path(folder)


def put(new: Path, out: Path) -> None:
    """Move `new`, a file or folder, to `out`, in the place of what is there. Raises OutputError if it cannot be."""
    old = new.with_name("replaced")
    try:
        if out.is_dir():
            os.rename(out, old)
        os.replace(new, out)
    except BaseException as error:  # an interrupt, too, must not cost the old one
        if old.exists() and not out.exists():
            os.rename(old, out)
        if isinstance(error, OSError):
            raise unwritable(out, error) from error
        raise


def mark(folder: Path, content: Mapping[str, Any]) -> None:
    """Write the MARKER of an exported folder."""
    text = json.dumps(content, indent=2, ensure_ascii=True) + "\n"
    write_text(folder / MARKER, text)


def _is_export(folder: Path) -> bool:
    try:
        content = json.loads((folder / MARKER).read_text("ascii"))
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and "run_id" in content

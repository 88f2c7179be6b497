"""A new run in the place of an old one: two renames, and whatever cuts them off is put right the next time."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from noiseaudit.atomic import sync_folder
from noiseaudit.lock import RunLock
from noiseaudit.outputs import run_status, unwritable


def beside(out: Path, what: str) -> Path:
    """The hidden neighbour of `out` that holds the "new" or the "old" run."""
    return out.with_name(f".{out.name}.noiseaudit-{what}")


def swap(new: Path, out: Path) -> None:
    """Put `new` in the place of `out`; the old folder is deleted only when the new one stands.

    Raises OutputError if it cannot be done; `out` is as it was then.
    """
    old = beside(out, "old")
    try:
        if out.exists():
            os.rename(out, old)
        os.rename(new, out)
    except BaseException as error:
        if old.exists() and not out.exists():
            os.rename(old, out)
        if isinstance(error, OSError):
            raise unwritable(out, error) from error
        raise
    sync_folder(out.parent)
    shutil.rmtree(old, ignore_errors=True)


def settle(out: Path) -> None:
    """Finish a swap that was cut off, or undo it. Raises OutputError if another process is about to do it itself."""
    new, old = beside(out, "new"), beside(out, "old")
    if out.exists():  # else `old` is what was there
        shutil.rmtree(old, ignore_errors=True)
    if run_status(new) == "complete":
        RunLock(new).release()
        swap(new, out)
    elif old.exists():
        os.rename(old, out)

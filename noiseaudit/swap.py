"""A new run in the place of an old one: two renames, and whatever cuts them off is put right the next time."""

from __future__ import annotations

import os
import shutil
from hashlib import sha256
from pathlib import Path

from noiseaudit.atomic import sync_folder
from noiseaudit.errors import OutputError
from noiseaudit.folders import empty, remove_empty
from noiseaudit.lock import MOVES_OPEN_FILES, RunLock
from noiseaudit.runfiles import carry_over
from noiseaudit.runjson import read_run_json, run_status
from noiseaudit.runnames import RUN_FILE

REPLACES = "replaces"  # of run.json: the name of the run in whose place this one goes


def beside(out: Path, what: str) -> Path:
    """The hidden neighbour of `out` that holds the "new" or the "old" run."""
    return out.with_name(f".{out.name}.noiseaudit-{what}")


def replaced_by(out: Path) -> str | None:
    """Names the run in `out`, so that the one that is to replace it replaces no other; None if there is no run."""
    file = out / RUN_FILE
    return sha256(file.read_bytes()).hexdigest() if file.exists() else None


def may_replace(new: Path, out: Path) -> bool:
    """Whether nothing is in `out`, or still the run that `new` was begun to replace."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return True
    name = replaced_by(out)
    return name is not None and name == (read_run_json(new) or {}).get(REPLACES)


def swap(new: Path, out: Path, lock: RunLock) -> None:
    """Put `new` in the place of `out` and release `lock`, which is that of `new`.

    The old folder is deleted only when the new one stands. Raises OutputError if it cannot be done, or `out` is not
    what `new` was to replace, or somebody is at work there; `out` is as it was then.
    """
    old = beside(out, "old")
    if not may_replace(new, out):
        raise _hidden(new, out, "is not the run that was to be replaced")
    if out.exists() and old.is_dir() and any(old.iterdir()):
        raise OutputError(
            f"cannot be replaced: {old} is in the way",
            file=out,
            fix=f"Move that hidden folder away and run the command again; the finished run waits in {new}.",
        )
    if run_status(out) == "incomplete":
        RunLock(out).release()
    if not MOVES_OPEN_FILES:
        lock.release()
    try:
        if out.exists():
            os.rename(out, old)
        os.rename(new, out)
    except BaseException as error:
        if old.exists() and not out.exists():
            os.rename(old, out)
        if isinstance(error, OSError):
            raise _hidden(new, out, f"cannot be replaced ({error.strerror})") from error
        raise
    lock.moved(out)
    lock.release()
    sync_folder(out.parent)
    _remove(old, out)


def settle(out: Path) -> None:
    """Finish a swap that was cut off, or undo it; what is no run is never replaced.

    Raises OutputError if another process is about to do it itself, or if something else stands in the place by now.
    """
    new, old = beside(out, "new"), beside(out, "old")
    if out.exists() and run_status(old) is not None:  # else `old` is what was there
        _remove(old, out)
    if run_status(new) == "complete":
        lock = RunLock(new)
        if run_status(new) == "complete":
            swap(new, out, lock)
        else:  # another process moved it, before this one locked what is a new, empty folder
            lock.release()
            remove_empty(new, new, keep=False)
    elif old.exists() and not out.exists():
        os.rename(old, out)


def _remove(old: Path, out: Path) -> None:
    """Delete the old run, but for the files of people, which go to the new one; run.json last: it says what this is."""
    try:
        carry_over(old, out)
    except OSError as error:
        raise OutputError(
            f"holds the new run, but your files could not be moved there from {old} ({error.strerror})",
            file=out,
            fix="Move them, and remove that hidden folder.",
        ) from error
    sync_folder(out)
    try:
        empty(old, keep={RUN_FILE})
    except OSError:  # a file that somebody reads: the next scan tries again
        return
    shutil.rmtree(old, ignore_errors=True)


def _hidden(new: Path, out: Path, why: str) -> OutputError:
    """A finished run that could not take its place must not stay unseen."""
    return OutputError(why, file=out, fix=f"Move the finished run, {new}, to where you want it.")

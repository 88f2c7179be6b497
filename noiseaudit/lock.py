"""One writer to a run folder. The operating system keeps the lock, and takes it from a process that ends, however."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from filelock import FileLock, Timeout

from noiseaudit.errors import DataError, OutputError
from noiseaudit.runjson import read_run_json
from noiseaudit.runnames import LOCK_FILE

MOVES_OPEN_FILES = os.name == "posix"  # elsewhere a file that is open cannot be deleted, nor its folder moved


class RunLock:
    """The lock of a folder that exists. It leaves no file behind."""

    def __init__(self, folder: Path) -> None:
        """Raises OutputError if another process is writing to `folder`, and names it."""
        self._file = folder / LOCK_FILE
        self._lock = FileLock(self._file)
        try:
            self._acquire()
        except Timeout as error:
            raise OutputError(
                f"{_holder(folder)} is writing here",
                file=folder,
                fix="Wait for it, stop it, or choose another --out.",
            ) from error

    def _acquire(self) -> None:
        """Again if its former holder removed the file just before: nobody else would find that lock."""
        self._lock.acquire(timeout=0)
        while not self._file.exists():
            self._lock.release()
            self._lock.acquire(timeout=0)

    def moved(self, folder: Path) -> None:
        """Take in that the folder is `folder` now."""
        self._file = folder / LOCK_FILE

    def release(self) -> None:
        """Let others in; a second call changes nothing."""
        if not self._lock.is_locked:
            return
        if MOVES_OPEN_FILES:
            self._file.unlink(missing_ok=True)
        self._lock.release()
        if not MOVES_OPEN_FILES:
            with contextlib.suppress(OSError):
                self._file.unlink(missing_ok=True)


def _holder(folder: Path) -> str:
    try:
        run = read_run_json(folder) or {}
    except DataError:
        run = {}
    return f"process {run['pid']} on {run.get('host')}" if "pid" in run else "another process"

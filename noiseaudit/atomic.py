"""Write to a temporary name, then move: a reader never sees a half-written file, not even after a power cut."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from noiseaudit.errors import OutputError

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)  # errno of a disk that is full


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path in the same folder; on success it replaces `path`, on error it is removed.

    What is there afterwards is on the disk: the content before the move, and the move itself.

    Raises OutputError if the folder cannot be written, OSError about `path` where the disk is full.
    """
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    except OSError as error:
        raise OutputError(f"cannot write here ({error.strerror})", file=path) from error
    os.close(handle)
    temporary = Path(name)
    try:
        with room_for(path):
            yield temporary
            _sync_file(temporary)
        os.chmod(temporary, 0o666 & ~_umask())
        _replace(temporary, path)
        sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def room_for(path: Path) -> Iterator[None]:
    """Where the disk is full, the OSError names `path`: writing itself does not say what was written."""
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            error.filename = os.fspath(path)
        raise


def _replace(new: Path, path: Path) -> None:
    try:
        os.replace(new, path)
    except (PermissionError, IsADirectoryError) as error:  # Windows: a file that somebody has open
        raise OutputError(
            f"cannot be replaced ({error.strerror})",
            file=path,
            fix="Close the program that has it open, mend its permissions, or move away a folder of this name.",
        ) from error


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text atomically, line ends as given."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(text.encode("utf-8"))


def sync_folder(folder: Path) -> None:
    """Bring the names in `folder` to the disk; systems that cannot open folders do so by themselves."""
    if os.name == "posix":
        _sync(folder, os.O_RDONLY)


def _sync_file(path: Path) -> None:
    _sync(path, os.O_RDWR)  # Windows flushes only what it may write


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask

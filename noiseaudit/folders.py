"""Folders made and emptied with care for what was there before."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Collection
from pathlib import Path


def first_missing(path: Path) -> Path:
    """The topmost folder that creating `path` creates; `path` itself if it is there already."""
    missing = [p for p in (path, *path.parents) if not p.exists()]
    return missing[-1] if missing else path


def empty(folder: Path, *, keep: Collection[str]) -> None:
    """Empty `folder` but for the names to `keep`, which lose what was half written when a process was killed."""
    for path in [*folder.iterdir()]:
        if path.name in keep:
            for half in path.glob(".*.tmp"):
                half.unlink()
        elif path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def remove_empty(folder: Path, top: Path, *, keep: bool) -> None:
    """Remove `folder` and its parents up to `top`, unless it is to be kept."""
    if keep:
        return
    for path in (folder, *folder.parents):
        with contextlib.suppress(OSError):  # somebody else's file
            path.rmdir()
        if path == top:
            return

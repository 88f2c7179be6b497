"""Folders made and emptied with care for what was there before."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Collection
from pathlib import Path

from noiseaudit.runnames import CACHE, PROBE


def first_missing(path: Path) -> Path:
    """The topmost folder that creating `path` creates; `path` itself if it is there already."""
    missing = [p for p in (path, *path.parents) if not p.exists()]
    return missing[-1] if missing else path


def drop_halves(folder: Path, inside: Collection[str]) -> None:
    """Remove what was half written or temporary when a process was killed, in `folder` and its folders `inside`."""
    for path in [*folder.glob(f"{CACHE}*"), *folder.glob(f"{PROBE}*")]:
        shutil.rmtree(path, ignore_errors=True)
    for half in [
        *folder.glob(".*.tmp"),
        *(half for name in inside for half in (folder / name).glob(".*.tmp")),
    ]:
        half.unlink()


def empty(folder: Path, *, keep: Collection[str]) -> None:
    """Empty `folder` but for the names to `keep`."""
    for path in [*folder.iterdir()]:
        if path.name in keep:
            continue
        if path.is_dir() and not path.is_symlink():
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

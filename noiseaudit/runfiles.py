"""What a scan writes to its folder; all else there is of people."""

from __future__ import annotations

import os
import re
from pathlib import Path

from noiseaudit.aside import free_number, numbered
from noiseaudit.labels.table import FORMATS
from noiseaudit.runnames import (
    AUDIT_FILE,
    CACHE,
    CHECKPOINTS,
    CLEANED,
    DYNAMICS_FOLDER,
    EMBEDDINGS_FILE,
    LOCK_FILE,
    MODEL_FILE,
    PROBE,
    REPORTS,
    RUN_FILE,
    SUSPECTS,
)

_NAMES = (
    AUDIT_FILE, RUN_FILE, EMBEDDINGS_FILE, MODEL_FILE, DYNAMICS_FOLDER, CHECKPOINTS, LOCK_FILE,
    *REPORTS.values(), *SUSPECTS.values(), *(f"{CLEANED}{suffix}" for suffix in FORMATS),
)  # fmt: skip
_BY_SCAN = re.compile(
    "|".join([*map(re.escape, _NAMES), *(f"{re.escape(start)}.*" for start in (CACHE, PROBE)), r"\..*\.tmp"]),
    re.IGNORECASE | re.DOTALL,
)
_SIDECAR = re.compile("-(wal|shm|journal)$")  # of an SQLite database


def is_of_scan(name: str) -> bool:
    """Whether a scan writes a file or folder of this name to its folder."""
    return _BY_SCAN.fullmatch(name) is not None


def scan_files(folder: Path) -> list[Path]:
    """The files in a run's folder that a scan wrote, also those in its folders."""
    own = [path for path in folder.iterdir() if is_of_scan(path.name)] if folder.is_dir() else []
    return [file for path in own for file in (path.rglob("*") if path.is_dir() else [path])]


def carry_over(old: Path, new: Path) -> None:
    """Move what people put into the folder of the run `old` to `new`; names that are taken there get a number.

    A database and its write-ahead log get the same. Cut off, it can be called again.
    """
    theirs = sorted(path.name for path in old.iterdir() if not is_of_scan(path.name))
    groups: dict[str, list[str]] = {}
    for name in theirs:
        groups.setdefault(_SIDECAR.sub("", name), []).append(name)
    for names in groups.values():
        number = free_number(new / name for name in names)
        for name in reversed(names):  # a log before its database
            os.rename(old / name, numbered(new / name, number))

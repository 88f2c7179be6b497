"""What a scan writes to its folder; all else there is of people."""

from __future__ import annotations

import os
import re
from pathlib import Path

from noiseaudit.aside import free_number, numbered
from noiseaudit.outputs import CACHE, LOCK_FILE, PROBE

_BY_SCAN = re.compile(
    r"audit\.parquet|run\.json|embeddings\.npy|model\.safetensors|suspects\.csv|report\.(html|md|json)"
    r"|cleaned\.(csv|tsv|jsonl|ndjson|parquet)|dynamics\.parquet|checkpoints|\..*\.tmp"
    rf"|{re.escape(LOCK_FILE)}|({re.escape(CACHE)}|{re.escape(PROBE)}).*",
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

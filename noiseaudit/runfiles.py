"""What a scan writes to its folder; all else there is of people."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from noiseaudit.aside import free_number, numbered
from noiseaudit.labels.table import FORMATS
from noiseaudit.runjson import read_run_json
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
_EDITABLE = re.compile(r"suspects\.csv|cleaned\..*")
EDITABLE = "editable"  # of run.json
_SIDECAR = re.compile("-(wal|shm|journal)$")  # of an SQLite database


def is_of_scan(name: str) -> bool:
    """Whether a scan writes a file or folder of this name to its folder."""
    return _BY_SCAN.fullmatch(name) is not None


def scan_files(folder: Path) -> list[Path]:
    """The files in a run's folder that a scan wrote, also those in its folders."""
    own = [path for path in folder.iterdir() if is_of_scan(path.name)] if folder.is_dir() else []
    return [file for path in own for file in (path.rglob("*") if path.is_dir() else [path])]


def carry_over(old: Path, new: Path) -> None:
    """Move what people put into the folder of the run `old`, or wrote in its tables, to `new`; names that are taken
    there get a number, a database and its write-ahead log the same. Cut off, it can be called again.
    """
    written = (read_run_json(old) or {}).get(EDITABLE)
    theirs = sorted(
        path.name for path in old.iterdir() if not is_of_scan(path.name) or _is_edited(path, written)
    )
    groups: dict[str, list[str]] = {}  # name of a database -> what follows it in the names of its files
    for name in theirs:
        main = _SIDECAR.sub("", name)
        groups.setdefault(main, []).append(name.removeprefix(main))
    for main, ends in groups.items():
        place = numbered(new / main, free_number(new / main, ends))
        for end in reversed(ends):  # a log before its database
            os.rename(old / f"{main}{end}", f"{place}{end}")


def editable_files(folder: Path) -> dict[str, str]:
    """The files of a scan that people may write in, with their hashes: for run.json."""
    found = [path for path in folder.iterdir() if path.is_file() and _EDITABLE.fullmatch(path.name)]
    return {path.name: _sha256(path) for path in sorted(found)}


def _is_edited(path: Path, written: object) -> bool:
    """Whether people wrote in a file of a scan, as answers in suspects.csv, by what its run.json says was `written`."""
    if not isinstance(written, dict) or not _EDITABLE.fullmatch(path.name):
        return False
    return not path.is_file() or _sha256(path) != written.get(path.name)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

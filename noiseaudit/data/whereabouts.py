"""Where the images of a label file probably lie, or the label file of images, for an error that says what to type."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from noiseaudit.data.paths import image_finder
from noiseaudit.errors import InputError
from noiseaudit.labels.read import read_labels
from noiseaudit.labels.table import FORMATS, LabelTable

TRIED_ROWS, TRIED_FOLDERS, TRIED_FILES = 5, 50, 3
MOST_BYTES = 100_000_000  # of a label file that is read for a hint


def likely_images(table: LabelTable) -> Path | None:
    """The label file's folder, or the first in it by name, that has one of the first images; None if none has."""
    if table.source is None or table.image is None:
        return None
    cells = list(islice((cell for cell in table.image if cell), TRIED_ROWS))
    return next((folder for folder in _folders(table.source.path.parent) if _has_one(folder, cells)), None)


def likely_scan(files: Sequence[Path]) -> str | None:
    """`labels.csv as DATA with --images photos`, of the first of `files` whose images are found; None if none is."""
    for file in files[:TRIED_FILES]:
        table = _read(file)
        if table and table.pictures is not None:
            return f"{shlex.quote(str(file))} as DATA"
        if table and (near := likely_images(table)):
            return f"{shlex.quote(str(file))} as DATA with --images {shlex.quote(str(near))}"
    return None


def likely_labels(images: Path) -> str | None:
    """`likely_scan` of the label files beside the folder `images`, where they name images in it."""
    beside = images / ".." if images.name in ("", "..") else images.parent
    try:
        files = sorted(path for path in beside.iterdir() if path.suffix.lower() in FORMATS)
    except OSError:
        return None
    own = os.path.realpath(images)
    for file in files[:TRIED_FILES]:
        table = _read(file)
        near = likely_images(table) if table else None
        if near and Path(own).is_relative_to(os.path.realpath(near)):
            return likely_scan([file])
    return None


def _read(file: Path) -> LabelTable | None:
    """None where it is no label file, or a very large one."""
    try:
        return read_labels(file) if file.is_file() and file.stat().st_size <= MOST_BYTES else None
    except (InputError, OSError):
        return None


def _folders(beside: Path) -> list[Path]:
    try:
        inner = sorted(path for path in beside.iterdir() if path.is_dir())
    except OSError:  # a folder that can be entered and not listed
        inner = []
    return [beside, *inner[:TRIED_FOLDERS]]


def _has_one(folder: Path, cells: list[str]) -> bool:
    find = image_finder(folder)
    found = (find(cell) for cell in cells)
    return any(path is not None and os.path.isfile(path) for path in found)

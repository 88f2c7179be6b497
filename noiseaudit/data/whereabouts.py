"""Where the images of a label file probably lie, for an error that says what to type."""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path

from noiseaudit.data.paths import image_finder
from noiseaudit.labels.table import LabelTable

TRIED_ROWS, TRIED_FOLDERS = 5, 50


def likely_images(table: LabelTable) -> Path | None:
    """The label file's folder, or the first in it by name, that has one of the first images; None if none has."""
    if table.source is None or table.image is None:
        return None
    cells = list(islice((cell for cell in table.image if cell), TRIED_ROWS))
    return next((folder for folder in _folders(table.source.path.parent) if _has_one(folder, cells)), None)


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

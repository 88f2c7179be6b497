"""Where the images of a label file probably lie, or the label file of images, for an error that says what to type."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from noiseaudit.data.paths import image_finder
from noiseaudit.errors import InputError
from noiseaudit.labels.read import file_format, open_source, read_labels
from noiseaudit.labels.table import FORMATS, LabelTable, Source

TRIED_ROWS, TRIED_FOLDERS, TRIED_FILES = 5, 50, 3
COUNTED = 20_000  # images of a label file that are looked for
OURS = frozenset({"run_id", "sampling_weight", "p_mislabeled", "label_quality", "noiseaudit_action"})
MOST_BYTES = 100_000_000  # of a label file that is read for a hint


def likely_images(table: LabelTable) -> Path | None:
    """The label file's folder, or the first in it by name, that has one of the first images; None if none has."""
    if table.source is None or table.image is None:
        return None
    cells = list(islice((cell for cell in table.image if cell), TRIED_ROWS))
    return next((folder for folder in _folders(table.source.path.parent) if _has_one(folder, cells)), None)


def likely_scan(files: Sequence[Path], images: Path | None = None) -> str | None:
    """`labels.csv as DATA with --images photos`, of the label file that names most images which are there.

    None if none names any, or none in the folder `images` or one above. What noiseaudit wrote is passed over; of equal
    ones the shortest name is taken, as that of `labels.csv` and `labels.checked.csv`.
    """
    own = None if images is None else os.path.realpath(images)
    found = list[tuple[int, int, str]]()
    for file in islice((file for file in files if not _is_ours(file)), TRIED_FILES):
        table = _read(file)
        if table and table.pictures is not None and own is None:
            found.append((len(table.pictures), -len(file.name), f"{shlex.quote(str(file))} as DATA"))
        elif table and (near := likely_images(table)) and _holds(near, own):
            hint = f"{shlex.quote(str(file))} as DATA with --images {shlex.quote(str(near))}"
            found.append((_n_found(table, near), -len(file.name), hint))
    return max(found, key=lambda each: each[:2])[2] if found else None


def likely_labels(images: Path) -> str | None:
    """`likely_scan` of the label files beside the folder `images`, where they name images in it."""
    beside = images / ".." if images.name in ("", "..") else images.parent
    try:
        files = sorted(path for path in beside.iterdir() if path.suffix.lower() in FORMATS)
    except OSError:
        return None
    return likely_scan(files, images)


def _is_ours(file: Path) -> bool:
    """Whether its columns say that noiseaudit wrote it, such as a file of `sample`: no label file to begin with."""
    try:
        is_small = file.is_file() and file.stat().st_size <= MOST_BYTES
        names = open_source(Source(file, file_format(file), "label")).names if is_small else []
    except (InputError, OSError):
        return False
    return not OURS.isdisjoint(names)


def _holds(folder: Path, own: str | None) -> bool:
    return own is None or Path(own).is_relative_to(os.path.realpath(folder))


def _n_found(table: LabelTable, folder: Path) -> int:
    """How many of the images that the table names, of the first COUNTED, are in `folder`."""
    find = image_finder(folder)
    cells = islice(dict.fromkeys(cell for cell in table.image if cell), COUNTED)  # type: ignore[union-attr]
    return sum(path is not None and os.path.isfile(path) for path in map(find, cells))


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

"""The image of each row of an audit: found again in the data set that was scanned, or below a folder of images."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from noiseaudit.arrays import optional_texts
from noiseaudit.cells import cell_texts
from noiseaudit.clean import AUDIT_COLUMNS
from noiseaudit.data.opening import Picture
from noiseaudit.data.paths import image_finder
from noiseaudit.errors import DataError
from noiseaudit.labels.read import read_again, stored_images
from noiseaudit.labels.table import Source
from noiseaudit.manifest import file_sha256, source_of
from noiseaudit.result import AuditResult

FindPicture = Callable[[int], Picture | None]


def row_pictures(
    audit: AuditResult, run: Mapping[str, Any], images: Path | None = None, source: Source | None = None
) -> FindPicture | None:
    """Row -> its image, or None where its cell leads outside the folders; None if nothing says where images are.

    `run` is the content of run.json, `images` their folder if they moved, `source` the scanned data set if that moved.
    Raises DataError if `images` is no folder.
    """
    return (_stored(audit, run, source) if images is None else None) or _filed(audit, run, images)


def _stored(audit: AuditResult, run: Mapping[str, Any], moved: Source | None) -> FindPicture | None:
    """Where the data set that was scanned holds its images and has the same rows in the same order."""
    try:
        source = moved or source_of(run, Path())
        pictures = stored_images(source) if source else None
        if source is None or pictures is None or len(pictures) != len(audit):
            return None
        return pictures.__getitem__ if _has_same_rows(audit, run, source) else None
    except DataError:
        return None


def _has_same_rows(audit: AuditResult, run: Mapping[str, Any], source: Source) -> bool:
    """By ids and the images' names; where these do not tell rows apart, by the file's hash, and by labels."""
    read = read_again(source)
    names = {role: read[role] for role in ("id", "image") if role in read}
    if not all(_equals(audit, role, cells) for role, cells in names.items()):
        return False
    if "id" in names or _tells_apart(names.get("image", [])):
        return True
    hashed = run.get("data_sha256")
    return _equals(audit, "label", read["label"]) and hashed in (None, file_sha256(source.path))


def _equals(audit: AuditResult, role: str, cells: Sequence[str | None]) -> bool:
    """Whether a column of the data set is that of the audit."""
    return bool(cell_texts(audit.table.column(AUDIT_COLUMNS[role])).equals(optional_texts(cells)))


def _tells_apart(images: Sequence[str | None]) -> bool:
    """Whether images have names of their own, not `row 7` for want of one."""
    is_named = all(name and name != f"row {row}" for row, name in enumerate(images))
    return is_named and 0 < len(images) == len(set(images))


def _filed(audit: AuditResult, run: Mapping[str, Any], images: Path | None) -> FindPicture | None:
    """Where images are files; None if the folder is not there any more."""
    paths = run.get("paths", {})
    folder = images or Path(paths.get("images") or "")
    if images is None and not (paths.get("images") and folder.is_dir()):
        return None
    cells = audit.table.column("image")
    roots = [root for name in paths.get("allow_roots", []) if (root := Path(name)).is_dir()]
    find = image_finder(folder, roots)
    return lambda row: find(cells[row].as_py())

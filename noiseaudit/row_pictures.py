"""The image of each row of an audit: found again in the data set that was scanned, or below a folder of images."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from noiseaudit.data.opening import Picture
from noiseaudit.data.paths import image_finder
from noiseaudit.errors import DataError
from noiseaudit.labels.read import stored_images
from noiseaudit.labels.table import Source
from noiseaudit.manifest import source_of
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
    """Where the data set that was scanned holds its images and is as it was."""
    try:
        source = moved or source_of(run, Path())
        pictures = stored_images(source) if source else None
    except DataError:
        return None
    return pictures.__getitem__ if pictures is not None and len(pictures) == len(audit) else None


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

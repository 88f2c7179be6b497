"""The image files of an audit's rows: found again, and linked or copied."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from noiseaudit.data.paths import image_finder
from noiseaudit.errors import ConfigError, DataError, OutputError
from noiseaudit.result import AuditResult


@dataclass(frozen=True)
class Pictures:
    """Finds the file of an image cell below `folder`, or below what the scan admitted beside it."""

    folder: Path
    find: Callable[[str | None], Path | None]

    def path(self, cell: str | None, row: int) -> Path:
        """The file of a row. Raises DataError if its cell leads outside the folders."""
        found = self.find(cell)
        if found is None or cell is None:
            raise DataError(f"{cell!r} leads outside the images folder {self.folder}", row=row)
        return found


def find_pictures(run: Mapping[str, Any], images: Path | None) -> Pictures | None:
    """Where `run`, a run.json, says that the images are, or in `images` if they moved; None if neither says.

    Raises DataError if that folder is gone.
    """
    paths = run.get("paths", {})
    folder = images or (Path(paths["images"]) if paths.get("images") else None)
    if folder is None:
        return None
    roots = [root for name in paths.get("allow_roots", ()) if (root := Path(name)).is_dir()]
    return Pictures(folder, image_finder(folder, roots))


def image_files(audit: AuditResult, pictures: Pictures | None) -> tuple[list[str | None], Pictures]:
    """The image cells of an audit, and what finds their files. Raises ConfigError if it has none, or nobody knows."""
    cells: list[str | None] = audit.column("image").tolist()
    if cells and not any(cells):
        raise ConfigError("the audit is of embeddings: it names no images", fix="Use --format cleanlab.")
    if pictures is None:
        raise ConfigError("nothing says where the images are", fix="Name their folder: --images DIR.")
    return cells, pictures


def place(source: Path, target: Path, *, copy: bool) -> None:
    """Link `target` to `source`, or copy it. Raises DataError if it is gone, OutputError if it cannot be done."""
    if not source.is_file():
        raise DataError("the image is gone", file=source, fix="Say where the images are now: --images DIR.")
    try:
        if copy:
            shutil.copyfile(source, target)
        else:
            os.symlink(source, target)
    except OSError as error:
        hint = "Free some space." if copy else "Use --copy."
        raise OutputError(f"cannot be made ({error.strerror})", file=target, fix=hint) from error


def below(path: Path, root: Path, row: int) -> str:
    """`path` relative to `root`, with slashes. Raises ConfigError if it is not in there."""
    try:
        return path.relative_to(os.path.realpath(root)).as_posix()
    except ValueError as error:
        raise ConfigError(
            f"row {row}: {path} is not below --document-root {root}",
            fix="Name a folder that holds all images.",
        ) from error

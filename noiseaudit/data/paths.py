"""From image cells to files, none of which may lie outside the roots that the user named."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from noiseaudit.errors import DataError
from noiseaudit.labels.table import Strings


def resolve_images(
    image: Strings, images_dir: Path, *, allow_roots: Sequence[Path] = (), file: Path, column: str = "image"
) -> list[Path]:
    """The file each image cell names, (n,): a real path below `images_dir` or one of `allow_roots`.

    Relative cells lie under `images_dir`; `/` and `\\` both separate folders. Files need not exist: an empty
    cell gives the folder itself, one that no file system can hold a name that never exists, and
    `probe_images` calls both missing. `file` is the label file and `column` its image column, for messages.

    Raises DataError if a root is not a folder, or naming the row whose cell leads outside the roots by `..`,
    an absolute path or a link.
    """
    find = image_finder(images_dir, allow_roots)
    paths = []
    for row, cell in enumerate(image):
        path = find(cell)
        if path is None:
            raise DataError(
                f"{cell!r} leads outside the images folder",
                file=file,
                row=row,
                column=column,
                fix="If that is meant, add --allow-root DIR with the folder that holds it.",
            )
        paths.append(path)
    return paths


def image_finder(images_dir: Path, allow_roots: Sequence[Path] = ()) -> Callable[[str | None], Path | None]:
    """Image cell -> file, as `resolve_images` finds it, or None where that is outside the roots.

    Raises DataError if a root is not a folder.
    """
    return _Resolver(images_dir, allow_roots).resolve


def first_rows(paths: Sequence[Hashable]) -> npt.NDArray[np.int64]:
    """For each row the first row with the same path, or other place of an image, (n,)."""
    first: dict[Hashable, int] = {}
    return np.array([first.setdefault(path, row) for row, path in enumerate(paths)], dtype=np.int64)


class _Resolver:
    """Resolves each folder once: label files have many rows and few folders."""

    def __init__(self, images_dir: Path, allow_roots: Sequence[Path]) -> None:
        self._base = _real_folder(images_dir, "--images")
        self._roots = [self._base, *(_real_folder(root, "--allow-root") for root in allow_roots)]
        self._folders: dict[str, str | None] = {}

    def resolve(self, cell: str | None) -> Path | None:
        """The file that `cell` names, or None if it lies outside the roots."""
        if not cell:
            return Path(self._base)
        if not _can_be_a_name(cell):
            return Path(self._base, "\0")
        joined = os.path.join(self._base, cell)
        if "\\" in cell and not os.path.lexists(joined):
            joined = os.path.join(self._base, cell.replace("\\", "/"))
        folder, name = os.path.split(joined)
        if name in ("", ".", "..") or os.path.islink(joined):
            real = self._admitted(joined)
            return None if real is None else Path(real)
        if folder not in self._folders:
            self._folders[folder] = self._admitted(folder)
        real = self._folders[folder]
        return None if real is None else Path(real, name)

    def _admitted(self, path: str) -> str | None:
        real = os.path.realpath(path)
        inside = any(real == root or real.startswith(os.path.join(root, "")) for root in self._roots)
        return real if inside else None


def _real_folder(folder: Path, option: str) -> str:
    if not folder.is_dir():
        problem = "not a folder" if folder.exists() else "no such folder"
        raise DataError(problem, file=folder, fix=f"Give {option} a folder that holds images.")
    return os.path.realpath(folder)


def _can_be_a_name(cell: str) -> bool:
    try:
        return b"\0" not in os.fsencode(cell)
    except UnicodeEncodeError:
        return False

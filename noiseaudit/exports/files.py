"""Image files of an export, under names that are safe on every system."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path

from noiseaudit.exports.names import image_suffix, unique_file
from noiseaudit.exports.pictures import Pictures, place


def place_all(
    out: Path,
    rows: Iterable[int],
    *,
    folder_of: Callable[[int], str],
    images: Sequence[str | None],
    ids: Sequence[str],
    pictures: Pictures,
    copy: bool,
    reserved: Collection[str] = (),
) -> dict[int, str]:
    """Link or copy the images of `rows` into folders below `out`; row -> path below `out`, with slashes.

    A file keeps its own name where that is safe and free, else takes the sample's; none takes one of `reserved`,
    names of other files in these folders. No two in a folder are alike without their suffix. Raises DataError naming
    the row or file if an image is gone, OutputError if a link or copy cannot be made.
    """
    taken: dict[str, set[str]] = {}
    placed = {}
    for row in rows:
        source, folder = pictures.path(images[row], row), folder_of(row)
        if folder not in taken:
            taken[folder] = set()
            (out / folder).mkdir(parents=True, exist_ok=True)
        name = str(images[row]).replace("\\", "/")
        suffix = image_suffix(name)
        stem = posixpath.basename(name).removesuffix(suffix)
        name = unique_file([stem, ids[row].removesuffix(suffix)], suffix, taken[folder], reserved)
        place(source, out / folder / name, copy=copy)
        placed[row] = f"{folder}/{name}"
    return placed

"""From the image column of a label file to decoded pixels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from noiseaudit.data.decode import Pixels, decode_images
from noiseaudit.data.enough import check_enough
from noiseaudit.data.geometry import choose_geometry
from noiseaudit.data.limits import DEFAULT_MAX_PIXELS
from noiseaudit.data.paths import resolve_images
from noiseaudit.data.probe import Probe, probe_images
from noiseaudit.errors import DataError
from noiseaudit.labels.table import LabelTable, Strings


def load_images(
    table: LabelTable,
    images_dir: Path,
    *,
    allow_roots: Sequence[Path] = (),
    max_pixels: int = DEFAULT_MAX_PIXELS,
    strict: bool = False,
    image_size: int | None = None,
    workers: int = 1,
    memory_limit: int,
    cache_dir: Path,
    file: Path,
) -> Pixels:
    """Find, check and decode the image of every row of `table`, (n, channels, height, width).

    One channel if every image that can be read is grey, however it is stored, else three. A bad image is listed
    in `status` and `reason` and left zero. `memory_limit` is in bytes; above it pixels live in `cache_dir`.
    `file` is the label file, for messages.

    Raises DataError if there is no image column, a path leads outside the roots, more than half of the images
    are bad, or, when `strict`, at the first bad one.
    """
    if table.image is None:
        raise DataError("no image column", file=file, fix="Name it, or give --embeddings instead.")
    column = (table.source.image_column if table.source else None) or "image"
    paths = resolve_images(table.image, images_dir, allow_roots=allow_roots, file=file, column=column)
    probe = probe_images(paths, max_pixels=max_pixels, workers=workers)
    _check_enough(probe, table.image, strict=strict, file=file, column=column)
    geometry = choose_geometry(probe, image_size)
    pixels = decode_images(
        paths,
        probe,
        size=geometry.size,
        channels=geometry.channels,
        workers=workers,
        memory_limit=memory_limit,
        cache_dir=cache_dir,
    )
    _check_enough(pixels, table.image, strict=strict, file=file, column=column)
    return pixels


def _check_enough(found: Probe | Pixels, image: Strings, *, strict: bool, file: Path, column: str) -> None:
    check_enough(
        found.is_ok,
        found.reason,
        image,
        what="images",
        strict=strict,
        file=file,
        column=column,
        fix="Is --images the right folder?",
    )

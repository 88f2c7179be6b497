"""From the image column of a label file to decoded pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from noiseaudit.data.decode import Pixels, decode_images
from noiseaudit.data.embed import Embedded
from noiseaudit.data.enough import check_enough
from noiseaudit.data.geometry import choose_geometry
from noiseaudit.data.limits import DEFAULT_MAX_PIXELS
from noiseaudit.data.paths import resolve_images
from noiseaudit.data.probe import Probe, probe_images
from noiseaudit.errors import DataError
from noiseaudit.labels.table import LabelTable


@dataclass(frozen=True, eq=False)
class Found:
    """The image files of a label table, with what their headers say."""

    table: LabelTable
    paths: list[Path]  # (n,)
    probe: Probe
    file: Path  # the label file, for messages
    column: str
    strict: bool

    def check(self, read: Probe | Pixels | Embedded) -> None:
        """Raise DataError if more than half of the images are bad, or, when `strict`, at the first bad one."""
        assert self.table.image is not None
        check_enough(
            np.asarray(read.status == "ok", np.bool_),
            read.reason,
            self.table.image,
            what="images",
            strict=self.strict,
            file=self.file,
            column=self.column,
            fix="Is --images the right folder?",
        )


def find_images(
    table: LabelTable,
    images_dir: Path,
    *,
    allow_roots: Sequence[Path] = (),
    max_pixels: int = DEFAULT_MAX_PIXELS,
    strict: bool = False,
    workers: int = 1,
    file: Path,
) -> Found:
    """Find the image of every row of `table` and read its header. `file` is the label file, for messages.

    Raises DataError if there is no image column, a path leads outside the roots, more than half of the images
    are bad, or, when `strict`, at the first bad one.
    """
    if table.image is None:
        raise DataError("no image column", file=file, fix="Name it, or give --embeddings instead.")
    column = (table.source.image_column if table.source else None) or "image"
    paths = resolve_images(table.image, images_dir, allow_roots=allow_roots, file=file, column=column)
    probe = probe_images(paths, max_pixels=max_pixels, workers=workers)
    found = Found(table, paths, probe, file, column, strict)
    found.check(probe)
    return found


def load_images(
    found: Found, *, image_size: int | None = None, workers: int = 1, memory_limit: int, cache_dir: Path
) -> Pixels:
    """Decode every image that was found, (n, channels, height, width).

    One channel if every image that can be read is grey, however it is stored, else three. A bad image is listed
    in `status` and `reason` and left zero. `memory_limit` is in bytes; above it pixels live in `cache_dir`.

    Raises DataError as `find_images` does.
    """
    geometry = choose_geometry(found.probe, image_size)
    pixels = decode_images(
        found.paths,
        found.probe,
        size=geometry.size,
        channels=geometry.channels,
        workers=workers,
        memory_limit=memory_limit,
        cache_dir=cache_dir,
    )
    found.check(pixels)
    return pixels

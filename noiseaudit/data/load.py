"""From the image column of a label file to decoded pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from noiseaudit.data.decode import Pixels, decode_images
from noiseaudit.data.embed import Embedded
from noiseaudit.data.enough import check_enough
from noiseaudit.data.geometry import Geometry, choose_geometry
from noiseaudit.data.limits import DEFAULT_MAX_PIXELS
from noiseaudit.data.onepass import decode_unprobed
from noiseaudit.data.opening import Picture
from noiseaudit.data.paths import resolve_images
from noiseaudit.data.probe import Probe, probe_images
from noiseaudit.errors import DataError
from noiseaudit.labels.table import LabelTable

MANY = 2_000  # images, from which they are read in one pass
LOOKED_AT = 200  # headers, to choose the size by


@dataclass(frozen=True, eq=False)
class Found:
    """The image files of a label table, with what their headers say."""

    table: LabelTable
    paths: Sequence[Picture]  # (n,)
    file: Path  # the label file, for messages
    column: str
    strict: bool
    max_pixels: int
    workers: int

    @cached_property
    def probe(self) -> Probe:
        """What the headers say, read when it is first asked for. Raises DataError as `check` does."""
        probe = probe_images(self.paths, max_pixels=self.max_pixels, workers=self.workers)
        self.check(probe)
        return probe

    @property
    def is_probed(self) -> bool:
        return "probe" in self.__dict__

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
    images_dir: Path | None,
    *,
    allow_roots: Sequence[Path] = (),
    max_pixels: int = DEFAULT_MAX_PIXELS,
    strict: bool = False,
    workers: int = 1,
    file: Path,
) -> Found:
    """Find the image of every row of `table`; none is opened yet. `images_dir` is not needed
    where the table has the images themselves. `file` is the label file, for messages.

    Raises DataError if there is no image column or a path leads outside the roots. To read the images raises it if
    more than half of them are bad, or, when `strict`, at the first bad one.
    """
    if table.image is None:
        raise DataError("no image column", file=file, fix="Name it, or give --embeddings instead.")
    column = (table.source.image_column if table.source else None) or "image"
    paths: Sequence[Picture]
    if table.pictures is not None:
        paths = table.pictures
    else:
        assert images_dir is not None
        paths = resolve_images(table.image, images_dir, allow_roots=allow_roots, file=file, column=column)
    return Found(table, paths, file, column, strict, max_pixels, workers)


def load_images(
    found: Found, *, image_size: int | None = None, workers: int = 1, memory_limit: int, cache_dir: Path
) -> Pixels:
    """Decode every image that was found, (n, channels, height, width).

    One channel if every image that can be read is grey, however it is stored, else three. A bad image is listed
    in `status` and `reason` and left zero. `memory_limit` is in bytes; above it pixels live in `cache_dir`.

    Where headers are not known yet and images are many, the size is chosen by some headers, and all images decoded
    again if all headers ask for another.

    Raises DataError if more than half of the images are bad, or, when `strict`, at the first bad one.
    """
    if not found.is_probed and len(found.paths) >= MANY:
        guess = _guess(found, image_size)
        if guess:
            pixels, probe = decode_unprobed(
                found.paths,
                guess,
                found.max_pixels,
                workers=workers,
                memory_limit=memory_limit,
                cache_dir=cache_dir,
            )
            found.__dict__["probe"] = probe
            found.check(probe)
            if choose_geometry(probe, image_size) == guess:
                found.check(pixels)
                return pixels
            del pixels  # its memory, or its file, is needed again
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


def _guess(found: Found, image_size: int | None) -> Geometry | None:
    """The geometry by evenly spaced headers; None if none of those can be read."""
    rows = np.linspace(0, len(found.paths) - 1, LOOKED_AT).astype(np.int64).tolist()
    probe = probe_images(
        [found.paths[row] for row in rows], max_pixels=found.max_pixels, workers=found.workers
    )
    return choose_geometry(probe, image_size) if probe.is_ok.any() else None

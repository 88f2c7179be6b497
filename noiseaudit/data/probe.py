"""Look at every image's header: is it there, can it be read, how large is it. No pixel is decoded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from noiseaudit.data.convert import GREY_MODES, upright_size
from noiseaudit.data.jpeg_header import plain_header
from noiseaudit.data.limits import DEFAULT_MAX_PIXELS
from noiseaudit.data.opening import Picture, UnusableImageError, pillow_settings, usable_image
from noiseaudit.data.parallel import map_chunks
from noiseaudit.data.paths import first_rows
from noiseaudit.labels.table import Strings


class Header(NamedTuple):
    """What one file's header says; `height` and `width` with EXIF orientation applied, 0 if unknown."""

    status: str
    reason: str | None
    height: int = 0
    width: int = 0
    is_grey: bool = False


@dataclass(frozen=True, eq=False)
class Probe:
    """One entry per row, all arrays (n,)."""

    status: Strings  # "ok", "missing", "unreadable" or "too_large"
    reason: Strings  # one line without a path, the same on every machine; None where ok
    height: npt.NDArray[np.int64]  # pixels, upright; 0 where not ok
    width: npt.NDArray[np.int64]
    is_grey: npt.NDArray[np.bool_]  # by the file's mode: a grey picture stored as RGB or palette is not grey
    max_pixels: int

    @property
    def is_ok(self) -> npt.NDArray[np.bool_]:
        return np.asarray(self.status == "ok", dtype=np.bool_)


def probe_images(
    paths: Sequence[Picture], *, max_pixels: int = DEFAULT_MAX_PIXELS, workers: int = 1
) -> Probe:
    """Read n headers, each file once. Images of more than `max_pixels` pixels are "too_large"."""
    first = first_rows(paths)
    distinct, inverse = np.unique(first, return_inverse=True)

    def work(rows: Sequence[int]) -> list[Header]:
        return [read_header(paths[row], max_pixels) for row in rows]

    with pillow_settings(max_pixels):
        headers = [header for chunk in map_chunks(work, distinct.tolist(), workers) for header in chunk]
    return as_probe(headers, inverse, max_pixels)


def as_probe(headers: Sequence[Header], inverse: npt.NDArray[np.int64], max_pixels: int) -> Probe:
    """The headers of distinct images, and for each of n rows which of them is its own."""
    return Probe(
        status=np.array([header.status for header in headers], dtype=object)[inverse],
        reason=np.array([header.reason for header in headers], dtype=object)[inverse],
        height=np.array([header.height for header in headers], dtype=np.int64)[inverse],
        width=np.array([header.width for header in headers], dtype=np.int64)[inverse],
        is_grey=np.array([header.is_grey for header in headers], dtype=np.bool_)[inverse],
        max_pixels=max_pixels,
    )


def read_header(picture: Picture | bytes, max_pixels: int) -> Header:
    """What the header of an image, or of the bytes of one, says; its status, where it cannot be read."""
    plain = plain_header(picture) if isinstance(picture, bytes) else None
    if plain and plain.height * plain.width <= max_pixels:
        return Header("ok", None, plain.height, plain.width, plain.bands == 1)
    try:
        with usable_image(picture, max_pixels) as image:
            height, width = upright_size(image)
            return Header("ok", None, height, width, image.mode in GREY_MODES)
    except UnusableImageError as error:
        return Header(error.status, error.reason)

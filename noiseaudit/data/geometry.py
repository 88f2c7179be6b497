"""The one size to which all images are brought."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from noiseaudit.data.probe import Probe
from noiseaudit.errors import DataError

NATIVE_MAX_SIDE = 64  # pixels


@dataclass(frozen=True)
class Geometry:
    """What every decoded image looks like."""

    size: tuple[int, int]  # (height, width) in pixels
    channels: int  # 1 = grey, 3 = RGB, or grey stored as RGB: headers cannot tell


def choose_geometry(probe: Probe, image_size: int | None = None) -> Geometry:
    """Choose size and channels from the headers; `image_size` in pixels asks for that square instead.

    Images that share one size of at most 64 pixels a side keep it: nothing is gained by resampling what is
    small enough to train on. Otherwise a square of 32, 64 or 128 by the median of the shorter sides (<= 48,
    <= 96, above): 32 and 64 so that small images are not blown up, 128 because cost grows with the area and
    one class can usually still be told from another. One channel if every readable file has a grey mode, else
    three.

    Raises DataError if no image is readable.
    """
    ok = probe.is_ok
    if not ok.any():
        raise DataError("no image can be read", fix="Is --images the right folder?")
    channels = 1 if probe.is_grey[ok].all() else 3
    height, width = probe.height[ok], probe.width[ok]
    if image_size is not None:
        return Geometry((image_size, image_size), channels)
    one_size = bool((height == height[0]).all() and (width == width[0]).all())
    if one_size and max(height[0], width[0]) <= NATIVE_MAX_SIDE:
        return Geometry((int(height[0]), int(width[0])), channels)
    median = float(np.median(np.minimum(height, width)))
    side = 32 if median <= 48 else 64 if median <= 96 else 128
    return Geometry((side, side), channels)

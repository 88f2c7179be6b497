"""From the bytes of an image file to an array of the size that a network takes."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor
from torch.utils.dlpack import from_dlpack
from torchvision.io import ImageReadMode, decode_jpeg

from noiseaudit.data.convert import Bytes, to_upright
from noiseaudit.data.opening import usable_image


def read_array(
    data: bytes, max_pixels: int, *, size: tuple[int, int], channels: int, is_plain: bool = False
) -> Bytes:
    """`to_array` of the bytes of an image file; `is_plain` where they are a JPEG that `plain_jpeg` is for.

    Raises UnusableImageError as `usable_image` does.
    """
    pixels = plain_jpeg(data, size, channels) if is_plain else None
    if pixels is not None:
        return pixels
    with usable_image(data, max_pixels) as image:
        return to_array(image, size=size, channels=channels)


def plain_jpeg(data: bytes, size: tuple[int, int], channels: int) -> Bytes | None:
    """`to_array` of an upright grey or RGB JPEG that no draft is taken of, in half the time; None where it is damaged.

    torchvision calls the same decoder as Pillow, to the same pixels, without a copy line by line.
    """
    mode = ImageReadMode.GRAY if channels == 1 else ImageReadMode.RGB
    try:
        pixels = decode_jpeg(torch.frombuffer(bytearray(data), dtype=torch.uint8), mode)
    except RuntimeError:  # Pillow says what is wrong with it
        return None
    return _resized(pixels, size).numpy()


def to_array(image: Image.Image, *, size: tuple[int, int], channels: int) -> Bytes:
    """Decode to (channels, height, width) uint8, resized to `size` = (height, width) with antialiasing.

    The aspect ratio is not kept: a crop could lose what the label names, and a border would be pixels that
    the model learns to reconstruct. A JPEG at least four times too large is decoded at a half, quarter or
    eighth of its size, never below twice the target.
    """
    image.draft(None, (2 * max(size), 2 * max(size)))
    upright, mode = to_upright(image), "L" if channels == 1 else "RGB"
    return resized(upright if upright.mode == mode else upright.convert(mode), size)


def resized(image: Image.Image, size: tuple[int, int]) -> Bytes:
    """An "L" or "RGB" image as (1 or 3, height, width) of `size`, bilinear and antialiased.

    By torch, whose vector code takes a third of Pillow's time for the same filter: values may differ from Pillow's
    by 1.
    """
    return _resized(_viewed(image).permute(2, 0, 1), size)[: len(image.getbands())].numpy()


def _resized(pixels: Tensor, size: tuple[int, int]) -> Tensor:
    if pixels.shape[1:] == size:
        return pixels
    return F.interpolate(pixels[None], size=size, mode="bilinear", antialias=True)[0]


def _viewed(image: Image.Image) -> Tensor:
    """Pixels (height, width, bands), not to be written; RGB has a fourth band, for it is Pillow's memory itself."""
    try:
        array = pa.array(image)
    except ValueError:  # a large image lies in several blocks
        return torch.from_numpy(np.array(image)).view(image.height, image.width, -1)
    values = array.flatten() if image.mode == "RGB" else array
    return from_dlpack(values).view(image.height, image.width, -1)

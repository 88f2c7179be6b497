"""From the bytes of an image file to an array of the size that a network takes."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import torch
from PIL import Image
from torch import Tensor
from torch.utils.dlpack import from_dlpack

from noiseaudit.data.convert import Bytes, is_plain_jpeg, to_upright
from noiseaudit.data.jpeg import plain_jpeg, scaled
from noiseaudit.data.jpeg_header import JpegHeader, has_draft, plain_header
from noiseaudit.data.opening import usable_image


def read_array(data: bytes, max_pixels: int, *, size: tuple[int, int], channels: int) -> Bytes:
    """`to_array` of the bytes of an image file. Raises UnusableImageError as `usable_image` does."""
    header, pixels = plain_header(data), None
    if header and header.height * header.width <= max_pixels and header.fits(size, channels):
        pixels = plain_jpeg(data, size, channels)
    if pixels is not None:
        return pixels
    with usable_image(data, max_pixels) as image:
        if header is None and is_plain_jpeg(image):
            header = JpegHeader(image.height, image.width, len(image.getbands()))
            pixels = plain_jpeg(data, size, channels) if header.fits(size, channels) else None
        return to_array(image, size=size, channels=channels) if pixels is None else pixels


def to_array(image: Image.Image, *, size: tuple[int, int], channels: int) -> Bytes:
    """Decode to (channels, height, width) uint8, resized to `size` = (height, width) with antialiasing.

    The aspect ratio is not kept: a crop could lose what the label names, and a border would be pixels that
    the model learns to reconstruct. A large JPEG at least four times too large is decoded at a half, quarter or
    eighth of its size, never below twice the target (`jpeg_header.has_draft`).
    """
    if has_draft(image.height, image.width, size):
        image.draft(None, (2 * max(size), 2 * max(size)))
    upright, mode = to_upright(image), "L" if channels == 1 else "RGB"
    return resized(upright if upright.mode == mode else upright.convert(mode), size)


def resized(image: Image.Image, size: tuple[int, int]) -> Bytes:
    """An "L" or "RGB" image as (1 or 3, height, width) of `size`, bilinear and antialiased."""
    return scaled(_viewed(image).permute(2, 0, 1), size)[: len(image.getbands())].numpy()


def _viewed(image: Image.Image) -> Tensor:
    """Pixels (height, width, bands), not to be written; RGB has a fourth band, for it is Pillow's memory itself."""
    try:
        array = pa.array(image)
    except ValueError:  # a large image lies in several blocks
        return torch.from_numpy(np.array(image)).view(image.height, image.width, -1)
    values = array.flatten() if image.mode == "RGB" else array
    return from_dlpack(values).view(image.height, image.width, -1)

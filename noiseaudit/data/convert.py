"""From any Pillow image to upright 8-bit grey or RGB."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image

Bytes = npt.NDArray[np.uint8]

GREY_MODES = frozenset({"1", "L", "LA", "I", "F", "I;16", "I;16L", "I;16B", "I;16N"})

_TO_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def upright_size(image: Image.Image) -> tuple[int, int]:
    """(height, width) once EXIF orientation is applied, from the header alone."""
    width, height = image.size
    # Pillow turns TIFF sizes itself, and would decode a PNG to look for EXIF data behind its pixels.
    header_has_exif = image.format != "TIFF" and (image.format != "PNG" or "exif" in image.info)
    return (width, height) if header_has_exif and _orientation(image) >= 5 else (height, width)


def is_plain_jpeg(image: Image.Image) -> bool:
    """Whether it is a grey or RGB JPEG that lies as it is seen, from the header alone."""
    return image.format == "JPEG" and image.mode in ("L", "RGB") and _orientation(image) == 1


def to_upright(image: Image.Image) -> Image.Image:
    """Decode to mode "L" (if the file is grey) or "RGB", upright.

    Transparency is laid over white. 16-bit grey is scaled from 0..65535 to 0..255; float grey, and integer
    grey outside that range, from its own minimum..maximum. CMYK and other colour spaces are converted without
    profiles.
    """
    image.load()
    flat = _flatten(image)
    turn = _TO_UPRIGHT.get(_orientation(image))
    return flat if turn is None else flat.transpose(turn)


def _orientation(image: Image.Image) -> int:
    try:
        value = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # damaged EXIF data is no reason to lose the image
        return 1
    return int(value) if value in _TO_UPRIGHT else 1


def _flatten(image: Image.Image) -> Image.Image:
    if image.mode in ("L", "RGB") and not image.has_transparency_data:
        return image
    if image.mode == "F" or image.mode.startswith("I"):
        return Image.fromarray(_to_8_bit(np.asarray(image)))
    target = "L" if image.mode in GREY_MODES else "RGB"
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
    return image.convert(target)


def _to_8_bit(values: npt.NDArray[Any]) -> Bytes:
    if values.dtype.kind == "f" or values.min() < 0 or values.max() > 65535:
        return _stretched(values.astype(np.float64))
    return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _stretched(values: npt.NDArray[np.float64]) -> Bytes:
    finite = np.isfinite(values)
    if not finite.any():
        return np.zeros(values.shape, np.uint8)
    low, high = values[finite].min(), values[finite].max()
    if low == high:
        return np.zeros(values.shape, np.uint8)
    scaled = (np.where(finite, values, low) - low) * (255 / (high - low))
    return np.asarray(np.rint(scaled), dtype=np.uint8)

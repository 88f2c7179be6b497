"""Small pictures for reports and the review page."""

from __future__ import annotations

import io

from PIL import Image

from noiseaudit.data.convert import to_upright
from noiseaudit.data.limits import DEFAULT_MAX_PIXELS
from noiseaudit.data.opening import Picture, UnusableImageError, pillow_settings, usable_image


def thumbnail(
    path: Picture, px: int = 96, max_pixels: int = DEFAULT_MAX_PIXELS, *, enlarge: bool = True
) -> bytes | None:
    """A picture of at most `px` by `px` pixels, aspect ratio kept, without metadata; None if unreadable.

    Images that fit twice or more into `px` are enlarged by a whole factor, pixels kept square, unless `enlarge` is
    off, and stored as PNG; all others are JPEG. Call it from one thread at a time (see `pillow_settings`).
    """
    try:
        with pillow_settings(max_pixels), usable_image(path, max_pixels) as image:
            image.draft(None, (2 * px, 2 * px))
            return _encode(to_upright(image), px, enlarge)
    except UnusableImageError:
        return None


def _encode(image: Image.Image, px: int, enlarge: bool) -> bytes:
    image.info.clear()
    out = io.BytesIO()
    factor = px // max(image.size)
    if factor >= 2:
        if enlarge:
            image = image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
        image.save(out, "PNG", optimize=True)
    else:
        image.thumbnail((px, px), Image.Resampling.BILINEAR)
        image.save(out, "JPEG", quality=80, optimize=True)
    return out.getvalue()

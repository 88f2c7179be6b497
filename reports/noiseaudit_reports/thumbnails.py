"""Thumbnails as data: URIs, within a budget."""

from __future__ import annotations

import base64
from collections.abc import Callable

Thumbnail = Callable[[int], bytes | None]  # row -> an encoded image, or None where there is none
THUMBNAIL_BUDGET_BYTES = 900_000  # of encoded images: 1.2 MB in base64 keeps a report below 1.5 MB


class Thumbnails:
    """data: URIs until the budget is spent."""

    def __init__(self, read: Thumbnail | None) -> None:
        self._read = read
        self._left = THUMBNAIL_BUDGET_BYTES

    def uri(self, row: int) -> str | None:
        image = self._read(row) if self._read and self._left > 0 else None
        if not image or len(image) > self._left:
            return None
        self._left -= len(image)
        return f"data:{_media_type(image)};base64,{base64.b64encode(image).decode('ascii')}"


def _media_type(image: bytes) -> str:
    if image.startswith(b"\x89PNG"):
        return "image/png"
    return "image/webp" if image[8:12] == b"WEBP" else "image/jpeg"

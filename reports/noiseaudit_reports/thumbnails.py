"""Thumbnails as data: URIs, within a budget."""

from __future__ import annotations

import base64
from collections.abc import Callable

Thumbnail = Callable[[int], bytes | None]  # row -> an encoded image, or None where there is none
# Of encoded images: base64 makes four bytes of three. A report of 100 suspects stays below 2 MB, one of 500 below 5 MB.
LEAST_BUDGET_BYTES = 1_200_000
MOST_BUDGET_BYTES = 2_800_000
BYTES_A_SUSPECT = 5_000


def budget(n_suspects: int) -> int:
    """Bytes that the pictures of a report of so many suspects may take."""
    return min(MOST_BUDGET_BYTES, max(LEAST_BUDGET_BYTES, BYTES_A_SUSPECT * n_suspects))


class Thumbnails:
    """data: URIs until the budget is spent."""

    def __init__(self, read: Thumbnail | None, budget_bytes: int) -> None:
        self._read = read
        self._left = budget_bytes

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

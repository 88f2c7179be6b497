"""Images of rows as the page shows them: made small, without metadata, and kept for a while."""

from __future__ import annotations

import threading
from collections import OrderedDict

from noiseaudit.data.opening import Picture
from noiseaudit.data.thumbnail import thumbnail
from noiseaudit.row_pictures import FindPicture

SIZES = {"small": 192, "large": 896}  # pixels of the longer side
KEPT_BYTES = 48 * 2**20


class Images:
    """Row -> PNG or JPEG. Usable from many threads; images are made one at a time."""

    def __init__(self, find: FindPicture | None, max_pixels: int) -> None:
        self._find, self._max_pixels = find, max_pixels
        self._lock = threading.Lock()  # pillow's settings are global
        self._kept: OrderedDict[tuple[int, str], bytes] = OrderedDict()
        self._bytes = 0

    @property
    def are_known(self) -> bool:
        """Whether it is known where images are."""
        return self._find is not None

    def get(self, row: int, size: str) -> bytes | None:
        """The image of a row; None where there is none or it cannot be read."""
        with self._lock:
            if (row, size) in self._kept:
                self._kept.move_to_end((row, size))
                return self._kept[row, size]
            picture = self._find(row) if self._find else None
            made = None if picture is None else self._made(picture, size)
            if made is not None:
                self._keep((row, size), made)
            return made

    def _made(self, picture: Picture, size: str) -> bytes | None:
        """The page enlarges the large one itself: smoothly, where a person does not ask for its pixels."""
        return thumbnail(picture, SIZES[size], self._max_pixels, enlarge=size == "small")

    def _keep(self, key: tuple[int, str], made: bytes) -> None:
        self._kept[key] = made
        self._bytes += len(made)
        while self._bytes > KEPT_BYTES:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= len(oldest)


def media_type(image: bytes) -> str:
    """Of what `Images.get` returns."""
    return "image/png" if image.startswith(b"\x89PNG") else "image/jpeg"

"""Open image files with Pillow, safely: known formats only, the size checked before any pixel is decoded."""

from __future__ import annotations

import io
import os
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from PIL import Image, ImageFile, UnidentifiedImageError

# Pillow knows more, and some of those start other programs (EPS).
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")
LARGE = 64 << 20  # bytes of a file that is not read whole before its header was judged


class UnusableImageError(Exception):
    """A file that cannot be used. `reason` is plain text without a path, the same on every machine."""

    def __init__(self, status: str, reason: str) -> None:
        super().__init__(status, reason)
        self.status = status
        self.reason = reason


@contextmanager
def pillow_settings(max_pixels: int) -> Iterator[None]:
    """Silence Pillow's warnings and raise its own size limit to `max_pixels`, for all threads until the end.

    Both are global to the process: enter this once in the calling thread, around the whole pool.
    """
    limit = Image.MAX_IMAGE_PIXELS
    Image.init()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Never below Pillow's own limit: it also guards TIFF tiles, which may be larger than the image.
        Image.MAX_IMAGE_PIXELS = max(limit or 0, max_pixels)
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = limit


class Stored(Protocol):
    """A picture that is no file of its own: a member of an archive, a cell of a table. Equal ones hash alike."""

    def read(self) -> bytes:
        """The bytes of the image file. Raises UnusableImageError if there are none."""

    def __hash__(self) -> int: ...


Picture = Path | Stored


def picture_bytes(picture: Picture, max_pixels: int | None = None) -> bytes:
    """The whole image file. Raises UnusableImageError if it is missing, empty or unreadable.

    Where no header was looked at yet, `max_pixels` has a large file judged by its own, as `usable_image` does,
    before the rest is read.
    """
    with _reasons():
        if isinstance(picture, Path):
            size = _check_file(picture)
            if max_pixels is not None and size > LARGE:
                with usable_image(picture, max_pixels):
                    pass
            with open(picture, "rb", buffering=0) as file:
                return file.read()
        with _stream(picture) as stream:
            return stream.read()


@contextmanager
def usable_image(picture: Picture | bytes, max_pixels: int) -> Iterator[ImageFile.ImageFile]:
    """Open an image, or the bytes of one, whose header is sound; its pixels are not decoded yet.

    Raises UnusableImageError for a missing or unreadable file, one with more than `max_pixels` pixels, and
    for whatever Pillow raises inside the `with` block.
    """
    # Given a name, Pillow maps uncompressed files into memory and misreads TIFFs that lie on their side.
    with _reasons(max_pixels), _stream(picture) as stream, Image.open(stream, formats=FORMATS) as image:
        if image.width * image.height > max_pixels:
            raise _too_large(max_pixels)
        yield image


def _stream(picture: Picture | bytes) -> BinaryIO:
    if isinstance(picture, Path):
        _check_file(picture)
        return picture.open("rb")
    data = picture if isinstance(picture, bytes) else picture.read()
    if not data:
        raise _empty()
    return io.BytesIO(data)


@contextmanager
def _reasons(max_pixels: int = 0) -> Iterator[None]:
    """Whatever is raised, as UnusableImageError."""
    try:
        yield
    except UnusableImageError:
        raise
    except Image.DecompressionBombError as error:
        raise _too_large(max_pixels) from error
    except PermissionError as error:
        raise UnusableImageError("unreadable", "permission denied") from error
    except UnidentifiedImageError as error:
        names = ", ".join(FORMATS)
        raise UnusableImageError("unreadable", f"not an image of a known format ({names})") from error
    except Exception as error:  # Pillow's decoders raise nearly every built-in error on damaged files
        raise UnusableImageError("unreadable", "truncated or damaged image") from error


def _too_large(max_pixels: int) -> UnusableImageError:
    return UnusableImageError("too_large", f"more than {max_pixels} pixels (--max-pixels)")


def _empty() -> UnusableImageError:
    return UnusableImageError("unreadable", "empty file (zero bytes)")


def _check_file(path: Path) -> int:
    """Its size in bytes."""
    try:
        info = os.stat(path)
    except PermissionError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a NUL character in the name
        raise UnusableImageError("missing", "no such file") from error
    if stat.S_ISDIR(info.st_mode):
        raise UnusableImageError("missing", "the image cell is empty or names a folder")
    if not stat.S_ISREG(info.st_mode):
        raise UnusableImageError("unreadable", "not a regular file")
    if info.st_size == 0:
        raise _empty()
    return info.st_size

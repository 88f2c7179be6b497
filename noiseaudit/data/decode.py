"""Decode every image once, to one uint8 tensor in memory or in a memory-mapped file."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from noiseaudit.data.convert import Bytes
from noiseaudit.data.digest import digest, no_digests
from noiseaudit.data.opening import Picture, UnusableImageError, picture_bytes, pillow_settings, usable_image
from noiseaudit.data.parallel import map_chunks
from noiseaudit.data.paths import first_rows
from noiseaudit.data.probe import Probe
from noiseaudit.data.resize import read_array, to_array
from noiseaudit.errors import DataError, OutputError
from noiseaudit.labels.table import Strings

CACHE_NAME = "pixels.npy"
LOOKED_AT = 64  # images, to tell grey from colour before all are decoded


@dataclass(frozen=True, eq=False)
class Pixels:
    """One entry per row."""

    data: torch.Tensor  # (n, channels, height, width) uint8; zero where not ok
    status: Strings  # (n,) "ok", "missing", "unreadable" or "too_large"
    reason: Strings  # (n,) one line without a path; None where ok
    digests: Bytes  # (n, 32) SHA-256 of the file; zero where not ok

    @classmethod
    def of(cls, data: Bytes, status: Strings, reason: Strings, digests: Bytes) -> Pixels:
        """Of (n, channels, height, width) in memory or in a memory map."""
        return cls(torch.from_numpy(data), status, reason, digests)

    @property
    def is_ok(self) -> npt.NDArray[np.bool_]:
        return np.asarray(self.status == "ok", dtype=np.bool_)


def decode_images(
    paths: Sequence[Picture],
    probe: Probe,
    *,
    size: tuple[int, int] | None,
    channels: int,
    workers: int,
    memory_limit: int,
    cache_dir: Path,
) -> Pixels:
    """Decode the rows that `probe` found ok, each file once; see `convert.to_array` for the conversions.

    Of three `channels` one is kept if they are equal in every pixel of every image: grey pictures stored as RGB.
    `size` is (height, width) in pixels, None to keep the one size that all images share. Above `memory_limit`
    bytes the tensor lives in `cache_dir`/pixels.npy, which the caller removes. Rows whose file turns out
    damaged become "unreadable". The result does not depend on the number of `workers`.

    Raises DataError if `size` is None and sizes differ, OutputError if the cache cannot be written.
    """
    height, width = size or _shared_size(probe)
    data = allocate((len(paths), channels, height, width), memory_limit, cache_dir)
    first = first_rows(paths)
    is_first = first == np.arange(len(paths))
    status, reason = probe.status.copy(), probe.reason.copy()
    is_grey, digests = np.zeros(len(paths), np.bool_), no_digests(len(paths))

    def work(rows: Sequence[int]) -> None:
        for row in rows:
            try:
                content = picture_bytes(paths[row])
                pixels = read_array(content, probe.max_pixels, size=(height, width), channels=channels)
                data[row], is_grey[row], digests[row] = pixels, are_equal(pixels), digest(content)
            except UnusableImageError as error:
                status[row], reason[row] = error.status, error.reason

    with pillow_settings(probe.max_pixels):
        for _ in map_chunks(work, np.flatnonzero(probe.is_ok & is_first).tolist(), workers):
            pass
    for row in np.flatnonzero(probe.is_ok & ~is_first):
        data[row] = data[first[row]]
    if channels > 1 and is_grey[is_first & (status == "ok")].all():
        data = first_channel(data)
    return Pixels.of(data, status[first], reason[first], digests[first])


def look_grey(paths: Sequence[Picture], probe: Probe) -> bool:
    """Whether the pictures are grey, however they are stored, as far as LOOKED_AT of them tell."""
    rows = np.flatnonzero(probe.is_ok)
    if probe.is_grey[rows].all():
        return True
    chosen = rows[np.linspace(0, len(rows) - 1, min(len(rows), LOOKED_AT)).astype(np.int64)]
    with pillow_settings(probe.max_pixels):
        return all(_is_grey(paths[row], probe.max_pixels) for row in chosen)


def _is_grey(path: Picture, max_pixels: int) -> bool:
    try:
        with usable_image(path, max_pixels) as image:
            pixels = to_array(image, size=(32, 32), channels=3)
    except UnusableImageError:
        return True  # says nothing
    return are_equal(pixels)


def are_equal(pixels: Bytes) -> bool:
    """Whether all channels of (channels, height, width) are the same: a grey picture."""
    first = pixels[0].tobytes()  # bytes are compared up to the first that differs
    return all(first == other.tobytes() for other in pixels[1:])


def _shared_size(probe: Probe) -> tuple[int, int]:
    sizes = {*zip(probe.height[probe.is_ok].tolist(), probe.width[probe.is_ok].tolist(), strict=True)}
    if len(sizes) != 1:
        raise DataError(f"the images have {len(sizes)} sizes, not one", fix="Name one with --image-size.")
    return sizes.pop()


def first_channel(data: Bytes) -> Bytes:
    """One channel of (n, 3, height, width), all of which are the same."""
    # A copy gives memory back; of a file it would be a second pass over everything.
    return data[:, :1] if isinstance(data, np.memmap) else data[:, :1].copy()


def allocate(shape: tuple[int, ...], memory_limit: int, cache_dir: Path) -> Bytes:
    """Zeros, above `memory_limit` bytes in a memory-mapped file. Raises OutputError if it cannot be."""
    needed = int(np.prod(shape, dtype=np.int64))
    if needed <= memory_limit:
        return np.zeros(shape, np.uint8)
    try:
        cache_dir.mkdir(parents=True, exist_ok=True)
        # A full disk would end the process while writing to the map, without an error to catch.
        free = shutil.disk_usage(cache_dir).free
        if needed > free:
            raise OutputError(
                f"decoded images need {needed} bytes, but {free} are free",
                file=cache_dir,
                fix="Free space, or give a smaller --image-size.",
            )
        return np.lib.format.open_memmap(cache_dir / CACHE_NAME, mode="w+", dtype=np.uint8, shape=shape)
    except OSError as error:
        raise OutputError(f"cannot write decoded images ({error.strerror})", file=cache_dir) from error

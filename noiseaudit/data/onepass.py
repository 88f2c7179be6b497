"""Headers and pixels in one pass over the files, for a size and number of channels that a few headers made likely."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from noiseaudit.data.decode import Pixels, allocate, are_equal, first_channel
from noiseaudit.data.digest import digest, no_digests
from noiseaudit.data.geometry import Geometry
from noiseaudit.data.opening import Picture, UnusableImageError, picture_bytes, pillow_settings
from noiseaudit.data.parallel import map_chunks
from noiseaudit.data.paths import first_rows
from noiseaudit.data.probe import Header, Probe, as_probe, read_header
from noiseaudit.data.resize import read_array


def decode_unprobed(
    paths: Sequence[Picture],
    geometry: Geometry,
    max_pixels: int,
    *,
    workers: int,
    memory_limit: int,
    cache_dir: Path,
) -> tuple[Pixels, Probe]:
    """What `probe_images`, and `decode_images` with this geometry, would give: each file is opened once, not twice.

    Raises OutputError as `decode_images` does.
    """
    size, channels = geometry.size, geometry.channels
    data = allocate((len(paths), channels, *size), memory_limit, cache_dir)
    first = first_rows(paths)
    distinct, inverse = np.unique(first, return_inverse=True)
    headers, failed = dict[int, Header](), dict[int, UnusableImageError]()
    is_grey, digests = np.zeros(len(paths), np.bool_), no_digests(len(paths))

    def work(rows: Sequence[int]) -> None:
        for row in rows:
            try:
                content = picture_bytes(paths[row], max_pixels)
                headers[row] = read_header(content, max_pixels)
                if headers[row].status == "ok":
                    data[row] = pixels = read_array(content, max_pixels, size=size, channels=channels)
                    is_grey[row], digests[row] = are_equal(pixels), digest(content)
            except UnusableImageError as error:
                headers.setdefault(row, Header(error.status, error.reason))
                failed[row] = error

    with pillow_settings(max_pixels):
        for _ in map_chunks(work, distinct.tolist(), workers):
            pass
    for row in np.flatnonzero(first != np.arange(len(paths))).tolist():
        data[row] = data[first[row]]
    probe = as_probe([headers[row] for row in distinct.tolist()], inverse, max_pixels)
    status, reason = probe.status.copy(), probe.reason.copy()
    for row, error in failed.items():
        status[row], reason[row] = error.status, error.reason
    read = distinct[status[distinct] == "ok"]
    if channels > 1 and is_grey[read].all():
        data = first_channel(data)
    return Pixels.of(data, status[first], reason[first], digests[first]), probe

"""What the engine trains on: every row's x, from images or embeddings, with what could not be read."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from noiseaudit.data.embeddings import UNREADABLE, is_readable, load_embeddings
from noiseaudit.data.fingerprint import fingerprint
from noiseaudit.data.limits import DEFAULT_MAX_MEMORY, DEFAULT_MAX_PIXELS
from noiseaudit.data.load import load_images
from noiseaudit.errors import ConfigError
from noiseaudit.labels.table import LabelTable, Strings


@dataclass(frozen=True)
class SampleOptions:
    """Where the samples are and how they are read. None of it changes what is learnt from readable samples."""

    images: Path | None = None
    embeddings: Path | None = None
    allow_roots: Sequence[Path] = ()
    max_pixels: int = DEFAULT_MAX_PIXELS
    max_memory: int = DEFAULT_MAX_MEMORY
    strict: bool = False
    workers: int | None = None  # decoding threads; None = one per core


@dataclass(frozen=True, eq=False)
class Samples:
    """One entry per row of the label table."""

    x: torch.Tensor  # (n, channels, H, W) uint8, or (n, d) float32 standardised embeddings
    status: Strings  # (n,) "ok", "missing", "unreadable" or "too_large"
    reason: Strings  # (n,) one line, None where ok
    fingerprint: str

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one x."""
        return tuple(self.x.shape[1:])


def load_samples(
    table: LabelTable, options: SampleOptions, *, image_size: int | None, cache_dir: Path
) -> Samples:
    """Read the images, or the embeddings that take their place.

    Raises ConfigError unless exactly one of the two is given, DataError if it is unusable.
    """
    if (options.images is None) == (options.embeddings is None):
        found = "neither --images nor" if options.images is None else "both --images and"
        raise ConfigError(f"{found} --embeddings given", fix="Give either --images DIR or --embeddings FILE.")
    if options.embeddings is not None:
        return _from_embeddings(table, options.embeddings, strict=options.strict)
    assert options.images is not None
    pixels = load_images(
        table,
        options.images,
        allow_roots=options.allow_roots,
        max_pixels=options.max_pixels,
        strict=options.strict,
        image_size=image_size,
        workers=options.workers or os.cpu_count() or 1,
        memory_limit=options.max_memory,
        cache_dir=cache_dir,
        file=table.source.path if table.source else options.images,
    )
    return Samples(pixels.data, pixels.status, pixels.reason, fingerprint(table, pixels))


def _from_embeddings(table: LabelTable, path: Path, *, strict: bool) -> Samples:
    values = load_embeddings(path, table, strict=strict)
    return from_vectors(table, values, *column_scales(values[is_readable(values)]))


def column_scales(values: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Mean and standard deviation of each of d columns, the latter 1 where a column is constant: (d,), (d,)."""
    # The deviation of a constant is often a rounding error, not 0.
    varies = values.max(axis=0) > values.min(axis=0)
    deviation = values.std(axis=0, dtype=np.float64)  # squares of large values pass float32
    return values.mean(axis=0, dtype=np.float64).astype(np.float32), np.where(varies, deviation, 1).astype(
        np.float32
    )


def from_vectors(
    table: LabelTable,
    values: npt.NDArray[np.float32],
    mean: npt.NDArray[np.float32],
    deviation: npt.NDArray[np.float32],
) -> Samples:
    """Samples of vectors (n, d), standardised; a row that is not finite is "unreadable", and zero."""
    is_ok = is_readable(values)
    status = np.where(is_ok, "ok", "unreadable").astype(np.object_)
    reason = np.full(len(table), None, dtype=np.object_)
    reason[~is_ok] = UNREADABLE
    scaled = (values - mean) / deviation
    scaled[~is_ok] = 0
    x = torch.from_numpy(scaled)
    return Samples(x, status, reason, fingerprint(table, values))

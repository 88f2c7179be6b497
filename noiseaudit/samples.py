"""What the engine trains on: every row's x, from images or embeddings, with what could not be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from noiseaudit.data.embeddings import UNREADABLE, is_readable
from noiseaudit.data.fingerprint import fingerprint
from noiseaudit.data.training import Originals
from noiseaudit.labels.table import LabelTable, Strings

Floats = npt.NDArray[np.float32]


class Scales(NamedTuple):
    """Of vectors' d columns: (d,) each."""

    mean: Floats
    deviation: Floats


@dataclass(frozen=True, eq=False)
class Samples:
    """One entry per row of the label table."""

    x: torch.Tensor  # (n, channels, H, W) uint8, or (n, d) float32 standardised embeddings
    status: Strings  # (n,) "ok", "missing", "unreadable" or "too_large"
    reason: Strings  # (n,) one line, None where ok
    fingerprint: str
    features: str | None = None  # what x is, where it stands for images
    warnings: tuple[str, ...] = ()
    originals: Originals | None = None  # of features made here, where they are wanted
    scales: Scales | None = None  # of vectors, before they were standardised
    side: int | None = None  # pixels, of what features were made of

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one x."""
        return tuple(self.x.shape[1:])


def column_scales(values: Floats) -> tuple[Floats, Floats]:
    """Mean and standard deviation of each of d columns, the latter 1 where a column is constant: (d,), (d,)."""
    # The deviation of a constant is often a rounding error, not 0.
    varies = values.max(axis=0) > values.min(axis=0)
    deviation = values.std(axis=0, dtype=np.float64)  # squares of large values pass float32
    return values.mean(axis=0, dtype=np.float64).astype(np.float32), np.where(varies, deviation, 1).astype(
        np.float32
    )


def from_vectors(
    table: LabelTable,
    values: Floats,
    mean: Floats,
    deviation: Floats,
) -> Samples:
    """Samples of vectors (n, d), standardised; a row that is not finite is "unreadable", and zero."""
    is_ok = is_readable(values)
    status = np.where(is_ok, "ok", "unreadable").astype(np.object_)
    reason = np.full(len(table), None, dtype=np.object_)
    reason[~is_ok] = UNREADABLE
    x = standardised(values, is_ok, mean, deviation)
    return Samples(x, status, reason, fingerprint(table, values), scales=Scales(mean, deviation))


def standardised(
    values: Floats, is_ok: npt.NDArray[np.bool_], mean: Floats, deviation: Floats
) -> torch.Tensor:
    """Columns scaled; rows that are not ok are zero."""
    scaled = (values - mean) / deviation
    scaled[~is_ok] = 0
    return torch.from_numpy(scaled)

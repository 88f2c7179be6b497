"""What a method trains on: samples and given labels, cut into batches by index."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from noiseaudit.data.inputs import Inputs


class Batch(NamedTuple):
    """One step's rows, on the device."""

    x: Tensor  # (B, *shape), float in [0, 1], or standardised embeddings
    given: Tensor  # (B,), int64, -1 where unlabelled
    rows: (
        Tensor  # (B,), int64, which of the m rows of TrainingData: the key to what a method remembers of each
    )


class Originals(NamedTuple):
    """The images that features were made of, and how the features were scaled."""

    pixels: Tensor  # (n, channels, H, W) uint8
    mean: Tensor  # (d,)
    deviation: Tensor  # (d,)


@dataclass(frozen=True)
class TrainingData:
    """m usable rows of n. Images stay uint8 until a batch is cut, so that they fit in memory or in a memory map."""

    x: Tensor  # (n, channels, H, W) uint8, or (n, d) float32 embeddings
    usable: Tensor  # (m,) int64: which of the n; x itself may be on disk and is never copied
    codes: Tensor  # (m,) int64: index of the given label, -1 where unlabelled
    n_classes: int
    trusted: Tensor | None = None  # (m,) bool: labels known to be right, for the methods that need some
    originals: Originals | None = None  # of x, where the network that made x is to learn, too

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one x."""
        return tuple(self.x.shape[1:])

    @property
    def inputs(self) -> Inputs:
        """What settings are chosen by."""
        return Inputs(self.shape, self.n_classes, int((self.codes >= 0).sum()), len(self.codes))

    def batch(self, rows: Tensor, device: torch.device) -> Batch:
        """x of some of the m rows as float32 on `device`, images scaled to [0, 1]."""
        x = self.x[self.usable[rows]].to(device, non_blocking=True)
        return Batch(to_input(x), self.codes[rows].to(device), rows.to(device))

    def has_rows_of(self, other: TrainingData) -> bool:
        """Whether the m rows and the classes are the other's; labels, and rows that are not used, may differ."""
        if self.n_classes != other.n_classes or self.x.dtype != other.x.dtype:
            return False
        if not torch.equal(self.usable, other.usable):
            return False
        return self.x is other.x or torch.equal(self.x[self.usable], other.x[other.usable])


def to_input(x: Tensor) -> Tensor:
    """Stored x as networks take it: images scaled to [0, 1]."""
    return x.float().div_(255) if x.dtype == torch.uint8 else x

"""Which part of every batch this process trains on: all of it, or its share of what several processes step through.

The batch is the same whatever their number (noiseaudit.distributed has the share of several). A loss that is a mean
over the batch is a sum over each part, divided by what counts in the whole batch, so that the parts' gradients add up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
from torch import Tensor

from noiseaudit.data.perturb import Draws
from noiseaudit.data.training import Batch
from noiseaudit.losses import labelled_mean

Losses = dict[str, Tensor]


class Part:
    """The whole of every batch: one process trains alone."""

    count = 1  # processes
    is_first = True  # of them: the one that writes

    def take(self, batch: Batch) -> Batch:
        """The part of a step's batch."""
        return batch

    def draws(self, generator: torch.Generator, rows: int) -> Draws:
        """Random numbers for the part of a batch of so many rows."""
        return Draws(generator, rows)

    def mean(self, values: Tensor, stride: int = 1) -> Tensor:
        """The part's share of the mean over the batch; `values` (b,) are of every `stride`-th row."""
        return values.mean()

    def share(self, mean: Tensor, rows: int, stride: int = 1) -> Tensor:
        """The same from the mean over the part's own `rows`, of which there is one or more."""
        return mean

    def labelled_mean(self, values: Tensor, given: Tensor) -> Tensor:
        """The part's share of the mean over the batch's labelled rows, of (b,); 0 where there are none."""
        return labelled_mean(values, given)

    def batch_mean(self, values: Tensor) -> Tensor:
        """The mean over the batch, whole on every process: (b, C) -> (C,). Gradients reach the part's own rows."""
        return values.mean(0)

    def once(self, value: Tensor) -> Tensor:
        """The part's share of a term that every process has whole; its gradient is of the part's rows already."""
        return value

    def combine(self, parameters: Iterable[Tensor], losses: Losses) -> Losses:
        """Add up the parts' gradients, and their losses."""
        return losses

    def agree(self, value: Tensor) -> None:
        """Take the first process's value, in place."""

    def first_ones(self, value: Any) -> Any:
        """What the first process has for `value`: plain values and tensors, in dictionaries."""
        return value

    def rows(self, predict: Callable[[Tensor], tuple[Tensor, ...]], x: Tensor) -> tuple[Tensor, ...]:
        """`predict` of all rows of x, (B, ...) -> tensors (B, k), each row predicted by one process."""
        return predict(x)


WHOLE = Part()
_current: ContextVar[Part] = ContextVar("part", default=WHOLE)


def current_part() -> Part:
    """The part of this process, for what is built from now on."""
    return _current.get()


@contextmanager
def taking(part: Part) -> Iterator[None]:
    """Let what is built inside train on `part`."""
    token = _current.set(part)
    try:
        yield
    finally:
        _current.reset(token)

"""Data-parallel training: several processes step through the same batches, each with its rows of them.

Started by `torchrun` or `accelerate launch`. Every process reads all data and knows the whole order of rows and the
whole stream of random numbers, and takes its slice of each, so a run is the same whatever the number of processes, up
to the order of floating-point sums. Gradients are added up, not averaged as torch's DistributedDataParallel has it:
terms are means over the rows of the batch that have them, of which the processes have unequal shares. After each epoch
every row is predicted by one process and all know the result; what follows training is done by all alike, and the
first alone writes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from noiseaudit.data.perturb import Draws
from noiseaudit.data.training import Batch
from noiseaudit.errors import EndedElsewhere
from noiseaudit.part import Losses, Part

GRAIN = (
    4  # rows: parts begin at multiples of it, as methods look at every fourth row (UMNPlus.features_stride)
)


def bounds(rows: int, count: int, grain: int = GRAIN) -> list[int]:
    """Where the parts of so many rows begin, and the end: `count` + 1 numbers, as even as `grain` allows."""
    return [min(rows, round(rows * rank / count / grain) * grain) for rank in range(count)] + [rows]


class Shared(Part):
    """The part of process `rank` of `count`, in torch's default process group."""

    def __init__(self, rank: int, count: int) -> None:
        self.rank, self.count, self.is_first = rank, count, rank == 0
        self._rows, self._labelled = 0, torch.tensor(0)

    def part_of(self, rows: int) -> slice:
        """This process's slice of so many rows."""
        edges = bounds(rows, self.count)
        return slice(edges[self.rank], edges[self.rank + 1])

    def take(self, batch: Batch) -> Batch:
        self._rows, self._labelled = len(batch.given), (batch.given >= 0).sum()
        mine = self.part_of(self._rows)
        return Batch(*(value[mine] for value in batch))

    def draws(self, generator: torch.Generator, rows: int) -> Draws:
        return Draws(generator, rows, self.part_of(rows))

    def mean(self, values: Tensor, stride: int = 1) -> Tensor:
        return values.sum() / -(-self._rows // stride)

    def share(self, mean: Tensor, rows: int, stride: int = 1) -> Tensor:
        return mean * rows / -(-self._rows // stride)

    def labelled_mean(self, values: Tensor, given: Tensor) -> Tensor:
        return (values * (given >= 0)).sum() / self._labelled.clamp_min(1)

    def batch_mean(self, values: Tensor) -> Tensor:
        mine = values.sum(0)
        total = mine.detach().clone()
        _all_reduce(total)
        return (mine + (total - mine.detach())) / self._rows

    def once(self, value: Tensor) -> Tensor:
        return value - value.detach() * (1 - 1 / self.count)

    def combine(self, parameters: Iterable[Tensor], losses: Losses) -> Losses:
        gradients = [value.grad for value in parameters if value.grad is not None]
        numbers = torch.stack(list(losses.values())).to(gradients[0].dtype)
        flat = torch.cat([*(gradient.flatten() for gradient in gradients), numbers])
        _all_reduce(flat)
        *sums, numbers = flat.split([*(gradient.numel() for gradient in gradients), len(losses)])
        for gradient, total in zip(gradients, sums, strict=True):
            gradient.copy_(total.view_as(gradient))
        return dict(zip(losses, numbers.unbind(), strict=True))

    def agree(self, value: Tensor) -> None:
        with others_present():
            dist.broadcast(value, src=0)

    def first_ones(self, value: Any) -> Any:
        box = [value]
        with others_present():
            dist.broadcast_object_list(box, src=0)
        return box[0]

    def rows(self, predict: Callable[[Tensor], tuple[Tensor, ...]], x: Tensor) -> tuple[Tensor, ...]:
        mine = self.part_of(len(x))
        found = predict(x[mine])
        widths = [value.shape[1] for value in found]
        table = found[0].new_zeros(len(x), sum(widths))  # others' rows are 0 here: a sum puts all in place
        table[mine] = torch.cat(found, dim=1)
        _all_reduce(table)
        return tuple(torch.split(table, widths, dim=1))


def _all_reduce(value: Tensor) -> None:
    """The sum over all processes, in place."""
    with others_present():
        dist.all_reduce(value)


@contextmanager
def others_present() -> Iterator[None]:
    """Turn torch's error for a process that is gone into ours. The first process says so, the others say nothing."""
    try:
        yield
    except RuntimeError as error:  # gloo and NCCL have no finer one
        told = dist.get_rank() > 0
        raise EndedElsewhere("another process of this run ended", told=told) from error


def launched_processes() -> int:
    """How many processes `torchrun` or `accelerate launch` started this run with; 1 without them."""
    return int(os.environ["WORLD_SIZE"]) if {"RANK", "WORLD_SIZE"} <= os.environ.keys() else 1


def launched_rank() -> int:
    """Which of them this is, from 0."""
    return int(os.environ["RANK"]) if launched_processes() > 1 else 0

"""Two-stream batches: every step sees labelled and unlabelled rows in a fixed proportion."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class BatchPlan:
    """How many rows of each stream a step takes, and how many steps make an epoch."""

    labelled: int
    unlabelled: int
    steps: int


def plan_batches(n_labelled: int, n_unlabelled: int, batch_size: int, min_labelled_share: float) -> BatchPlan:
    """One epoch passes at least once over every row.

    The streams are mixed by their sizes, but never with less than `min_labelled_share` labelled rows a batch: with
    few labels those are then seen several times an epoch (the paper: 5 of 100 on MNIST, 5 % on SVHN).
    """
    if n_unlabelled == 0:
        size = min(batch_size, n_labelled)
        return BatchPlan(size, 0, math.ceil(n_labelled / size))
    share = max(n_labelled / (n_labelled + n_unlabelled), min_labelled_share)
    labelled = min(max(1, round(batch_size * share)), batch_size - 1)
    unlabelled = batch_size - labelled
    steps = max(math.ceil(n_labelled / labelled), math.ceil(n_unlabelled / unlabelled))
    return BatchPlan(labelled, unlabelled, steps)


def epoch_batches(
    labelled: Tensor, unlabelled: Tensor, plan: BatchPlan, generator: torch.Generator
) -> Iterator[Tensor]:
    """Row indices of each step's batch, labelled rows first: (plan.labelled + plan.unlabelled,)."""
    first = _stream(labelled, plan.labelled, plan.steps, generator)
    second = _stream(unlabelled, plan.unlabelled, plan.steps, generator)
    for step in range(plan.steps):
        yield torch.cat([first[step], second[step]])


def _stream(rows: Tensor, per_step: int, steps: int, generator: torch.Generator) -> Tensor:
    """(steps, per_step) indices: whole random permutations one after the other, so that no row falls behind."""
    wanted = per_step * steps
    if wanted == 0:
        return rows.new_empty((steps, 0))
    passes = math.ceil(wanted / len(rows))
    order = torch.cat([torch.randperm(len(rows), generator=generator) for _ in range(passes)])
    return rows[order[:wanted]].view(steps, per_step)

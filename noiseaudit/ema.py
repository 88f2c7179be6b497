"""Eq. 7: the Guider theta' is the exponential moving average of the Learner theta."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import TypeVar

import torch
from torch import Tensor, nn

M = TypeVar("M", bound=nn.Module)


def make_guider(learner: M) -> M:
    """A copy of the Learner that takes no gradient."""
    return copy.deepcopy(learner).requires_grad_(False).eval()


@torch.no_grad()
def update_guider(guider: nn.Module, learner: nn.Module, decay: float) -> None:
    """theta' <- decay theta' + (1 - decay) theta, in place.

    Floating-point buffers (BatchNorm's running mean and variance) are averaged like parameters, so that the Guider's
    statistics lag as much as its weights do; integer buffers (BatchNorm's step count) are copied.
    """
    update_average(guider.parameters(), learner.parameters(), decay)
    for mine, theirs in zip(guider.buffers(), learner.buffers(), strict=True):
        if mine.is_floating_point():
            mine.lerp_(theirs, 1 - decay)
        else:
            mine.copy_(theirs)


@torch.no_grad()
def update_average(average: Iterable[Tensor], values: Iterable[Tensor], decay: float) -> None:
    """Each tensor of `average` <- decay average + (1 - decay) value, in place."""
    torch._foreach_lerp_(list(average), list(values), 1 - decay)

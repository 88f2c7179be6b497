"""Eq. 7: the Guider theta' is the exponential moving average of the Learner theta."""

from __future__ import annotations

import copy
from typing import TypeVar

import torch
from torch import nn

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
    torch._foreach_lerp_(list(guider.parameters()), list(learner.parameters()), 1 - decay)
    for mine, theirs in zip(guider.buffers(), learner.buffers(), strict=True):
        if mine.is_floating_point():
            mine.lerp_(theirs, 1 - decay)
        else:
            mine.copy_(theirs)

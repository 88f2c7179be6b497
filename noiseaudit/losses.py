"""Losses of labelled rows in batches that hold unlabelled ones too. No shape depends on which rows those are."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def cross_entropy(logits: Tensor, given: Tensor) -> Tensor:
    """-log softmax(logits) at the given class, (B, C), (B,) -> (B,); meaningless where `given` is -1."""
    return F.cross_entropy(logits, given.clamp_min(0), reduction="none")


def labelled_mean(losses: Tensor, given: Tensor) -> Tensor:
    """The mean of `losses` (B,) over the rows whose `given` (B,) is not -1, a scalar; 0 if there are none."""
    is_labelled = given >= 0
    return (losses * is_labelled).sum() / is_labelled.sum().clamp_min(1)

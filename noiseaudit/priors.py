"""p(y), the prior of the true label."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def log_prior(kind: str, codes: Tensor, n_classes: int) -> Tensor:
    """log p(y), (C,), float32: "uniform" (the paper), or "empirical", the labels' shares with one more of each class.

    `codes` is (m,), -1 where unlabelled.
    """
    if kind == "uniform":
        return torch.full((n_classes,), -math.log(n_classes))
    counts = torch.bincount(codes[codes >= 0], minlength=n_classes).double() + 1
    return (counts / counts.sum()).log().float()

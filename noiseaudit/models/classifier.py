"""q(z_a|x) and q(y|z_a): the part of every method's networks that predicts, on any backbone."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LOG_VARIANCE_LIMIT = 6.0  # log-variances stay within +-6: standard deviations in [0.05, 20]


def dense(n_in: int, hidden: int, n_out: int) -> nn.Sequential:
    """One hidden ReLU layer, no activation at the output (paper, section 4.1)."""
    return nn.Sequential(nn.Linear(n_in, hidden), nn.ReLU(), nn.Linear(hidden, n_out))


def full_precision(value: Tensor) -> Tensor:
    """In float32 even where a network ran in less; float64 stays."""
    return value.to(torch.promote_types(value.dtype, torch.float32))


class Gaussian(NamedTuple):
    """A diagonal normal: mean and log-variance, (..., d)."""

    mean: Tensor
    log_variance: Tensor

    @classmethod
    def of(cls, output: Tensor) -> Gaussian:
        """From a network's output (..., 2d), in full precision."""
        mean, log_variance = full_precision(output).chunk(2, dim=-1)
        # A clamp, whose backward pass is one operation, not four.
        return cls(mean, F.hardtanh(log_variance, -LOG_VARIANCE_LIMIT, LOG_VARIANCE_LIMIT))


class Classifier(nn.Module):
    """Encoder and classifier. A method without latent variables uses the mean of z_a as its features."""

    def __init__(self, encoder: nn.Module, n_classes: int, hidden: int, latent_a: int) -> None:
        """`encoder` maps x to (B, 2 latent_a)."""
        super().__init__()
        self.n_classes, self.hidden, self.latent_a = n_classes, hidden, latent_a
        self.encoder = encoder
        self.classifier: nn.Module = dense(latent_a, hidden, n_classes)

    def encode(self, x: Tensor) -> Gaussian:
        """q(z_a|x): (B, ...) -> two of (B, Za)."""
        return Gaussian.of(self.encoder(x))

    def classify(self, z_a: Tensor) -> Tensor:
        """Logits of q(y|z_a): (B, Za) -> (B, C)."""
        logits: Tensor = self.classifier(z_a)
        return full_precision(logits)

    def features(self, x: Tensor) -> Tensor:
        """The posterior mean of z_a: (B, Za)."""
        return self.encode(x).mean

    def predict(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """q(y|z_a) at the posterior mean of z_a, and that mean: (B, C), (B, Za)."""
        z_a = self.features(x)
        return self.classify(z_a).softmax(1), z_a

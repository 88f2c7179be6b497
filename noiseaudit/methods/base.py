"""The contract that every method keeps; tests/test_methods.py runs each of METHODS through it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from noiseaudit.config import UMNConfig


@dataclass(frozen=True)
class Setup:
    """What a method is built from."""

    shape: tuple[int, ...]  # of one x: (channels, H, W), or (d,) for embeddings
    n_classes: int
    backbone: str
    log_prior: Tensor  # (C,), log p(y)
    config: UMNConfig
    seed: int
    device: torch.device


class Batch(NamedTuple):
    """One step's rows, on the device. `given` is -1 where the row is unlabelled."""

    x: Tensor  # (B, *shape), float in [0, 1], or standardised embeddings
    given: Tensor  # (B,), int64


class Prediction(NamedTuple):
    """Probabilities of the unperturbed x, eval mode, float32 throughout."""

    learner: Tensor  # (B, C)
    guider: Tensor  # (B, C); the Learner's again for methods without a Guider
    latent: Tensor  # (B, d), the representation exported as embeddings.npy


class Method(Protocol):
    """A way to train on noisy labels."""

    has_guider: bool

    @staticmethod
    def settings(backbone: str) -> UMNConfig:
        """The method's own settings for a backbone."""

    def __init__(self, setup: Setup) -> None: ...

    def step(self, batch: Batch, progress: float) -> dict[str, Tensor]:
        """One optimisation step; `progress` in [0, 1) of the schedule. Returns named scalar losses, "loss" first."""

    def predict(self, x: Tensor) -> Prediction:
        """Predictions for (B, *shape)."""

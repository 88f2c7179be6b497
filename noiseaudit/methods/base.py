"""The contract that every method keeps; tests/test_methods.py runs each of METHODS through it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor

from noiseaudit.checkpoint import State
from noiseaudit.config import Settings
from noiseaudit.data.inputs import Inputs
from noiseaudit.data.training import Batch, TrainingData


@dataclass(frozen=True)
class Setup:
    """What a method is built from, beside its own settings."""

    data: TrainingData
    backbone: str
    seed: int
    device: torch.device
    noise_rate: float | None = None  # assumed share of wrong labels, for the methods that need it


class Prediction(NamedTuple):
    """Probabilities of the unperturbed x, eval mode, float32 throughout."""

    learner: Tensor  # (B, C)
    guider: Tensor  # (B, C); the Learner's again for methods without a Guider
    latent: Tensor  # (B, d), the representation exported as embeddings.npy


class Method(ABC):
    """A way to train on noisy labels."""

    has_guider: ClassVar[bool]
    uses_unlabelled: ClassVar[bool] = True  # False: its batches hold labelled rows only
    can_be_tuned: ClassVar[bool] = False  # whether it knows a second stage (noiseaudit.finetune)
    can_be_shared: ClassVar[bool] = False  # among processes (noiseaudit.distributed): its terms go by `part`
    needs: ClassVar[frozenset[str]] = frozenset()  # of "noise_rate" (Setup) and "trusted" (TrainingData)

    @staticmethod
    @abstractmethod
    def settings(inputs: Inputs) -> Settings:
        """The method's own settings for such data."""

    @abstractmethod
    def __init__(self, setup: Setup, settings: Any) -> None:
        """`settings` is what `settings(inputs)` returned, perhaps with other values."""

    @abstractmethod
    def step(self, batch: Batch, progress: float) -> dict[str, Tensor]:
        """One optimisation step; `progress` in [0, 1) of the schedule. Returns named scalar losses, "loss" first."""

    def step_epsilon(self, batch: Batch) -> Tensor:
        """Eq. 8 as the next step would have it, unclamped: (B,), meaningless where unlabelled; changes nothing.

        Raises NotImplementedError for a method whose steps have no epsilon.
        """
        raise NotImplementedError

    def end_epoch(self, epoch: int, epochs: int) -> None:
        """Called after the last step of each epoch, from 1 to `epochs`, before its predictions."""
        return

    def after_epoch(self, epoch: int, epochs: int, probs: Tensor, codes: Tensor) -> None:
        """Called with the Guider's predictions of all m rows, (m, C), and their labels, (m,), -1 = none: CPU."""
        return

    def state(self) -> State:
        """All that training goes on from after an epoch, beside what `__init__` makes of the same arguments.

        Raises NotImplementedError for a method that cannot be interrupted.
        """
        raise NotImplementedError

    def load_state(self, state: State) -> None:
        """Take over what `state` of such a method gave: what follows is as it would have been there, bit by bit."""
        raise NotImplementedError

    @property
    def noise_known(self) -> bool:
        """Whether it was trained through an estimate of the noise, so that its probabilities are of true classes."""
        return False

    @abstractmethod
    def predict(self, x: Tensor) -> Prediction:
        """Predictions for (B, *shape)."""

"""The second stage of `--fine-tune`: the network behind frozen features learns, too.

Images go through it, its features are scaled as they were for the first stage, and what that stage trained on them
follows. So the second stage begins with the first one's predictions (but for the half precision in which features are
kept), and all weights go on from there, more slowly, under random shifts, rotations and scalings of the images. The
generative terms are left out: they model features, which move now. BatchNorm's statistics stay ImageNet's.
"""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn

from noiseaudit import pretrained
from noiseaudit.config import Settings
from noiseaudit.course import EpochRecord, Fitted
from noiseaudit.data.batches import BatchPlan, plan_batches
from noiseaudit.data.training import TrainingData
from noiseaudit.keeper import FORGETFUL, Stage
from noiseaudit.methods.base import Method
from noiseaudit.methods.descent import Descent
from noiseaudit.train import fit

BATCH_SIZE = 64  # at most
STEPS = 1_500  # of the schedule
MIN_EPOCHS, MAX_EPOCHS = 4, 10
CHANGES: dict[str, Any] = {  # to the settings of the first stage, where a method has them
    "learning_rate": 1e-4,
    "generative_weight": 0.0,
    "input_noise": 0.0,
    "input_dropout": 0.0,
    "noise_power": 0.0,
    "jitter": 1.0,
    "rampup": 0.0,
    "guider_switch": 1.0,  # at the late decay the Guider would lag most of the stage
}


@dataclass(frozen=True)
class Tuning:
    """What the second stage will do."""

    settings: Settings
    batches: BatchPlan
    epochs: int


class Deepened(nn.Module):
    """Images (B, channels, H, W) in [0, 1] to features, these scaled, and on to an encoder of such features."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, network: nn.Module, mean: Tensor, deviation: Tensor, encoder: nn.Module) -> None:
        super().__init__()
        self.network, self.encoder = network, encoder
        self.register_buffer("mean", mean)
        self.register_buffer("deviation", deviation)

    def train(self, mode: bool = True) -> Self:
        """As nn.Module has it, but for the network's BatchNorm."""
        super().train(mode)
        self.network.eval()
        return self

    def forward(self, x: Tensor) -> Tensor:
        features = self.network(pretrained.prepared(255 * x))
        output: Tensor = self.encoder((features - self.mean) / self.deviation)
        return output


def plan_tuning(
    settings: Settings,
    n_labelled: int,
    n_unlabelled: int,
    batch_size: int,
    labelled_share: float,
    asked: Collection[str] = (),
) -> Tuning:
    """From the first stage's settings, streams of rows and rows a step. Settings that were `asked` for stay."""
    batches = plan_batches(n_labelled, n_unlabelled, min(batch_size, BATCH_SIZE), labelled_share)
    changes = {
        name: value for name, value in CHANGES.items() if hasattr(settings, name) and name not in asked
    }
    epochs = min(MAX_EPOCHS, max(MIN_EPOCHS, math.ceil(STEPS / batches.steps)))
    return Tuning(dataclasses.replace(settings, **changes), batches, epochs)


def fine_tune(
    method: Method,
    data: TrainingData,
    tuning: Tuning,
    first: Fitted,
    *,
    epochs_before: int,
    seed: int,
    device: torch.device,
    on_epoch: Callable[[EpochRecord], None],
    stage: Stage = FORGETFUL,
) -> Fitted:
    """Go on training `method`, which `first` came of, on the images behind `data`. Epochs are counted on.

    Raises TrainingDiverged if training fails.
    """
    assert isinstance(method, Descent)
    assert data.originals is not None
    pixels, mean, deviation = data.originals
    deepen(method, pretrained.load_network(), mean, deviation, tuning.settings)

    def count_on(record: EpochRecord) -> None:
        on_epoch(dataclasses.replace(record, epoch=epochs_before + record.epoch))

    fitted = fit(
        method,
        dataclasses.replace(data, x=pixels),
        tuning.batches,
        epochs=tuning.epochs,
        seed=seed,
        device=device,
        on_epoch=count_on,
        stage=stage,
    )
    late = np.where(fitted.learnt_epoch > 0, epochs_before + fitted.learnt_epoch, 0)
    return dataclasses.replace(
        fitted,
        peak_p_given=np.maximum(first.peak_p_given, fitted.peak_p_given),
        learnt_epoch=np.where(first.learnt_epoch > 0, first.learnt_epoch, late),
        last=dataclasses.replace(fitted.last, epoch=epochs_before + fitted.last.epoch),
    )


def deepen(
    method: Descent[Any, Any], network: nn.Module, mean: Tensor, deviation: Tensor, settings: Settings
) -> None:
    """Put `network` before the encoders of Learner and Guider; x is an image from here on."""
    if method.has_guider:
        method.guider.encoder = Deepened(copy.deepcopy(network), mean, deviation, method.guider.encoder)
        method.guider.to(method.device).requires_grad_(False).eval()
    method.learner.encoder = Deepened(network, mean, deviation, method.learner.encoder)
    method.learner.to(method.device).train()
    method.go_on(settings)

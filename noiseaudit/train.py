"""fit(): the only training loop."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from noiseaudit.data.batches import BatchPlan, epoch_batches
from noiseaudit.errors import TrainingDiverged
from noiseaudit.methods.base import Batch, Method, Prediction
from noiseaudit.objective import label_uncertainty
from noiseaudit.runtime import full_float32
from noiseaudit.seeds import torch_generator

Floats = npt.NDArray[np.float32]
PREDICT_ROWS = 1024  # rows of one prediction chunk
AVERAGE_FROM = 0.5  # predictions are averaged over the epochs after this share of the schedule


@dataclass(frozen=True)
class TrainingData:
    """m usable rows of n. Images stay uint8 until a batch is cut, so that they fit in memory or in a memory map."""

    x: Tensor  # (n, channels, H, W) uint8, or (n, d) float32 embeddings
    usable: Tensor  # (m,) int64: which of the n; x itself may be on disk and is never copied
    codes: Tensor  # (m,) int64: index of the given label, -1 where unlabelled
    n_classes: int

    def batch(self, rows: Tensor, device: torch.device) -> Batch:
        """x of some of the m rows as float32 on `device`, images scaled to [0, 1]."""
        x = self.x[self.usable[rows]].to(device, non_blocking=True)
        scaled = x.float().div_(255) if x.dtype == torch.uint8 else x
        return Batch(scaled, self.codes[rows].to(device))


@dataclass(frozen=True)
class EpochRecord:
    """One epoch's dynamics over the k labelled rows (unperturbed, eval mode, float32)."""

    epoch: int  # from 1
    losses: dict[str, float]  # means over the epoch's steps
    epsilon: Floats  # (k,), Eq. 8
    p_given_learner: Floats  # (k,)
    p_given_guider: Floats  # (k,)
    seconds: float


@dataclass(frozen=True)
class Fitted:
    """What training leaves behind for m rows, k of them labelled."""

    guider_mean: Floats  # (m, C), the Guider's probabilities averaged over the later epochs
    latent: Floats  # (m, d)
    labelled: npt.NDArray[np.int64]  # (k,), which of the m rows
    peak_p_given: Floats  # (k,), the most that the Guider ever gave the given label
    last: EpochRecord


def fit(
    method: Method,
    data: TrainingData,
    plan: BatchPlan,
    *,
    epochs: int,
    seed: int,
    device: torch.device,
    on_epoch: Callable[[EpochRecord], None],
) -> Fitted:
    """Train `method` for `epochs` passes and record epsilon and the given labels' probabilities after each.

    Raises TrainingDiverged when a loss becomes infinite or NaN.
    """
    labelled, unlabelled = (data.codes >= 0).nonzero().flatten(), (data.codes < 0).nonzero().flatten()
    order = torch_generator(seed, "batches")
    peak = np.zeros(len(labelled), np.float32)
    mean = torch.zeros(len(data.codes), data.n_classes)
    first_averaged = math.floor(AVERAGE_FROM * epochs) + 1
    for epoch in range(1, epochs + 1):
        started = time.perf_counter()
        sums: dict[str, Tensor] = {}
        for step, rows in enumerate(epoch_batches(labelled, unlabelled, plan, order)):
            progress = (epoch - 1 + step / plan.steps) / epochs
            _accumulate(sums, method.step(data.batch(rows, device), progress), plan.steps)
        losses = _finite_losses(sums, epoch)
        prediction = predict_all(method, data, device)
        if not prediction.guider.isfinite().all():  # the epoch's last update is in no loss yet
            raise _diverged(epoch, "predictions")
        if epoch >= first_averaged:
            mean.lerp_(prediction.guider, 1 / (epoch - first_averaged + 1))
        seconds = time.perf_counter() - started
        record = _record(epoch, losses, prediction, data.codes, labelled, seconds)
        np.maximum(peak, record.p_given_guider, out=peak)
        on_epoch(record)
    return Fitted(
        guider_mean=mean.numpy(),
        latent=prediction.latent.numpy(),
        labelled=labelled.numpy(),
        peak_p_given=peak,
        last=record,
    )


def predict_all(method: Method, data: TrainingData, device: torch.device) -> Prediction:
    """Predictions for all m rows, on the CPU, float32: TF32 would blur the saturation that the epsilon rule reads."""
    rows = torch.arange(len(data.codes))
    with full_float32():
        parts = [method.predict(data.batch(part, device).x) for part in rows.split(PREDICT_ROWS)]
    return Prediction(*(torch.cat([value.cpu() for value in values]) for values in zip(*parts, strict=True)))


def _accumulate(sums: dict[str, Tensor], losses: dict[str, Tensor], steps: int) -> None:
    """Add each loss's share to the epoch's mean, on the device: no synchronisation inside an epoch."""
    for name, value in losses.items():
        share = value / steps
        sums[name] = sums[name] + share if name in sums else share


def _finite_losses(sums: dict[str, Tensor], epoch: int) -> dict[str, float]:
    losses = {name: float(value) for name, value in sums.items()}
    bad = [name for name, value in losses.items() if not math.isfinite(value)]
    if bad:
        raise _diverged(epoch, ", ".join(bad))
    return losses


def _diverged(epoch: int, what: str) -> TrainingDiverged:
    return TrainingDiverged(
        f"training became infinite or NaN in epoch {epoch} ({what}). Check the inputs for extreme values, "
        "or scan again with another --seed or --backbone."
    )


def _record(
    epoch: int,
    losses: dict[str, float],
    prediction: Prediction,
    codes: Tensor,
    labelled: Tensor,
    seconds: float,
) -> EpochRecord:
    given = codes[labelled]
    learner, guider = prediction.learner[labelled], prediction.guider[labelled]
    index = given.unsqueeze(1)
    return EpochRecord(
        epoch=epoch,
        losses=losses,
        epsilon=label_uncertainty(guider, learner, given).numpy(),
        p_given_learner=learner.gather(1, index).squeeze(1).numpy(),
        p_given_guider=guider.gather(1, index).squeeze(1).numpy(),
        seconds=seconds,
    )

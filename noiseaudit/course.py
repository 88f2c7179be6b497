"""One run's way through its epochs: which rows each step sees, and what is kept of what is predicted after each."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from noiseaudit.checkpoint import State
from noiseaudit.data.batches import BatchPlan, epoch_batches
from noiseaudit.data.training import TrainingData
from noiseaudit.errors import TrainingDiverged
from noiseaudit.methods.base import Prediction
from noiseaudit.objective import label_uncertainty
from noiseaudit.seeds import torch_generator

Floats = npt.NDArray[np.float32]
TINY = 1e-30  # probabilities below it are one and the same
RECORDED = ("epsilon", "p_given_learner", "p_given_guider", "margin_learner")  # arrays of a record
RECORD_ROWS = 8_192  # labelled rows that are looked at together: of many classes, all would be several copies
AVERAGE_FROM = 0.5  # predictions are averaged over the epochs after this share of the schedule


@dataclass(frozen=True)
class EpochRecord:
    """One epoch's dynamics over the k labelled rows (unperturbed, eval mode, float32)."""

    epoch: int  # from 1
    losses: dict[str, float]  # means over the epoch's steps
    epsilon: Floats  # (k,), Eq. 8
    p_given_learner: Floats  # (k,)
    p_given_guider: Floats  # (k,)
    margin_learner: Floats  # (k,), log p(given) - log p(the best other class)
    seconds: float
    test_error: tuple[float, float] | None = (
        None  # share of wrong classes, Learner and Guider, on held-out rows
    )


@dataclass(frozen=True)
class Fitted:
    """What training leaves behind for m rows, k of them labelled."""

    guider_mean: Floats  # (m, C), the Guider's probabilities averaged over the later epochs
    latent: Floats  # (m, d)
    labelled: npt.NDArray[np.int64]  # (k,), which of the m rows
    peak_p_given: Floats  # (k,), the most that the Guider ever gave the given label
    learnt_epoch: npt.NDArray[np.int64]  # (k,), the first in which it gave it more than a half, 0: none
    last: EpochRecord
    step_epsilon: Floats  # (k,), Eq. 8 in the row's last step, NaN if it was not asked for
    noise_known: bool = (
        False  # whether the network was trained through an estimate of the noise (Method.noise_known)
    )


class Course:
    """One run's way through its epochs: which rows each step sees, and what is kept of the predictions."""

    def __init__(self, data: TrainingData, plan: BatchPlan, *, epochs: int, seed: int) -> None:
        self.data, self.plan, self.epochs = data, plan, epochs
        self._unlabelled = (data.codes < 0).nonzero().flatten()
        self._labelled = (data.codes >= 0).nonzero().flatten()
        self._order = torch_generator(seed, "batches")
        self._peak = np.zeros(len(self._labelled), np.float32)
        self._learnt = np.zeros(len(self._labelled), np.int64)
        self._mean = torch.zeros(len(data.codes), data.n_classes)
        self._step_epsilon = torch.full((len(data.codes),), torch.nan)
        self._first_averaged = math.floor(AVERAGE_FROM * epochs) + 1

    def steps(self, epoch: int) -> Iterator[tuple[Tensor, float]]:
        """Row indices of each step's batch, and the progress of the schedule."""
        for step, rows in enumerate(epoch_batches(self._labelled, self._unlabelled, self.plan, self._order)):
            yield rows, (epoch - 1 + step / self.plan.steps) / self.epochs

    def keep_step_epsilon(self, rows: Tensor, epsilon: Tensor) -> None:
        """Keep Eq. 8 of the step's rows: (B,), (B,)."""
        self._step_epsilon[rows.cpu()] = epsilon.float().cpu()

    def end_epoch(
        self,
        epoch: int,
        losses: dict[str, float],
        prediction: Prediction,
        test_error: tuple[float, float] | None,
        seconds: float,
    ) -> EpochRecord:
        """Take in mean losses and predictions (m rows). Raises TrainingDiverged if any is not finite."""
        bad = [name for name, value in losses.items() if not math.isfinite(value)]
        if not bad and not prediction.guider.isfinite().all():  # the last update is in no loss yet
            bad = ["predictions"]
        if bad:
            raise _diverged(epoch, ", ".join(bad))
        if epoch >= self._first_averaged:
            self._mean.lerp_(prediction.guider, 1 / (epoch - self._first_averaged + 1))
        record = epoch_record(epoch, losses, prediction, self.data.codes, self._labelled, test_error, seconds)
        np.maximum(self._peak, record.p_given_guider, out=self._peak)
        self._learnt[(self._learnt == 0) & (record.p_given_guider > 0.5)] = epoch
        self._last, self._guider, self._latent = record, prediction.guider, prediction.latent
        return record

    def state(self) -> State:
        """After an epoch: what the next one goes on from, and what `fitted` makes of the last."""
        return {
            "epoch": self._last.epoch,
            "order": self._order.get_state(),
            "peak": torch.from_numpy(self._peak),
            "learnt": torch.from_numpy(self._learnt),
            "mean": self._mean,
            "step_epsilon": self._step_epsilon,
            "guider": self._guider,
            "latent": self._latent,
            "last": _record_state(self._last),
        }

    def load_state(self, state: State) -> int:
        """Take over what `state` of a course over the same data gave; return its epoch."""
        self._order.set_state(state["order"])
        self._peak, self._learnt = state["peak"].numpy(), state["learnt"].numpy()
        self._mean, self._step_epsilon = state["mean"], state["step_epsilon"]
        self._guider, self._latent = state["guider"], state["latent"]
        self._last = _record_from(state["epoch"], state["last"])
        return self._last.epoch

    def fitted(self) -> Fitted:
        """After the last epoch."""
        return self._left_behind(self._mean)

    def so_far(self) -> Fitted:
        """What the last epoch alone would leave behind."""
        return self._left_behind(self._guider)

    def _left_behind(self, probs: Tensor) -> Fitted:
        return Fitted(
            guider_mean=probs.numpy(),
            latent=self._latent.numpy(),
            labelled=self._labelled.numpy(),
            peak_p_given=self._peak,
            learnt_epoch=self._learnt,
            last=self._last,
            step_epsilon=self._step_epsilon[self._labelled].numpy(),
        )


def _record_state(record: EpochRecord) -> State:
    arrays = {name: torch.from_numpy(getattr(record, name)) for name in RECORDED}
    return {**arrays, "losses": record.losses, "seconds": record.seconds, "test_error": record.test_error}


def _record_from(epoch: int, state: State) -> EpochRecord:
    arrays = {name: state[name].numpy() for name in RECORDED}
    error = state["test_error"]
    return EpochRecord(
        epoch=epoch,
        losses=state["losses"],
        seconds=state["seconds"],
        test_error=None if error is None else (error[0], error[1]),
        **arrays,
    )


def _diverged(epoch: int, what: str) -> TrainingDiverged:
    return TrainingDiverged(
        f"training became infinite or NaN in epoch {epoch} ({what}). Check the inputs for extreme values, "
        "or scan again with another --seed or --backbone."
    )


def _margin(probs: Tensor, given: Tensor) -> Tensor:
    """log p(given) - log p(best other), (B, C), (B, 1) -> (B,): a difference of logits while no p underflows."""
    best_other = probs.scatter(1, given, 0.0).amax(1)
    return torch.log(probs.gather(1, given).squeeze(1).clamp_min(TINY)) - torch.log(
        best_other.clamp_min(TINY)
    )


def epoch_record(
    epoch: int,
    losses: dict[str, float],
    prediction: Prediction,
    codes: Tensor,
    labelled: Tensor,
    test_error: tuple[float, float] | None,
    seconds: float,
) -> EpochRecord:
    """What predictions of m rows say of the k `labelled` ones; `codes` are all labels, (m,)."""
    parts = [_of_labels(prediction, rows, codes[rows]) for rows in labelled.split(RECORD_ROWS)]
    epsilon, p_learner, p_guider, margin = (torch.cat(part).numpy() for part in zip(*parts, strict=True))
    return EpochRecord(
        epoch=epoch,
        losses=losses,
        epsilon=epsilon,
        p_given_learner=p_learner,
        p_given_guider=p_guider,
        margin_learner=margin,
        seconds=seconds,
        test_error=test_error,
    )


def _of_labels(prediction: Prediction, rows: Tensor, given: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Of some labelled rows, (b,) each: Eq. 8, what Learner and Guider give the given label, the Learner's margin."""
    learner, guider, index = prediction.learner[rows], prediction.guider[rows], given.unsqueeze(1)
    of_learner, of_guider = (probs.gather(1, index).squeeze(1) for probs in (learner, guider))
    return label_uncertainty(guider, learner, given), of_learner, of_guider, _margin(learner, index)

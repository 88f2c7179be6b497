"""The only training loop, for one run or for a stack of them (noiseaudit.stack)."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from noiseaudit.data.batches import BatchPlan, epoch_batches
from noiseaudit.data.training import Batch, TrainingData
from noiseaudit.errors import ConfigError, TrainingDiverged
from noiseaudit.methods.base import Method, Prediction
from noiseaudit.objective import label_uncertainty
from noiseaudit.runtime import full_float32
from noiseaudit.seeds import torch_generator

Floats = npt.NDArray[np.float32]
PREDICT_ROWS = 1024  # rows of one prediction chunk
AVERAGE_FROM = 0.5  # predictions are averaged over the epochs after this share of the schedule


@dataclass(frozen=True)
class EpochRecord:
    """One epoch's dynamics over the k labelled rows (unperturbed, eval mode, float32)."""

    epoch: int  # from 1
    losses: dict[str, float]  # means over the epoch's steps
    epsilon: Floats  # (k,), Eq. 8
    p_given_learner: Floats  # (k,)
    p_given_guider: Floats  # (k,)
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
    last: EpochRecord
    step_epsilon: Floats  # (k,), Eq. 8 in the row's last step, NaN if it was not asked for


class Course:
    """One run's way through its epochs: which rows each step sees, and what is kept of the predictions."""

    def __init__(self, data: TrainingData, plan: BatchPlan, *, epochs: int, seed: int) -> None:
        self.data, self.plan, self.epochs = data, plan, epochs
        self._unlabelled = (data.codes < 0).nonzero().flatten()
        self._labelled = (data.codes >= 0).nonzero().flatten()
        self._order = torch_generator(seed, "batches")
        self._peak = np.zeros(len(self._labelled), np.float32)
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
        record = _record(epoch, losses, prediction, self.data.codes, self._labelled, test_error, seconds)
        np.maximum(self._peak, record.p_given_guider, out=self._peak)
        self._last, self._latent = record, prediction.latent
        return record

    def fitted(self) -> Fitted:
        """After the last epoch."""
        return Fitted(
            guider_mean=self._mean.numpy(),
            latent=self._latent.numpy(),
            labelled=self._labelled.numpy(),
            peak_p_given=self._peak,
            last=self._last,
            step_epsilon=self._step_epsilon[self._labelled].numpy(),
        )


class Engine(Protocol):
    """R runs that take their steps together; one, or a stack of them (noiseaudit.stack)."""

    @property
    def runs(self) -> int:
        """R."""

    def step(self, batches: Sequence[Batch], progress: float) -> dict[str, Tensor]:
        """One step of every run: named losses, (R,) each."""

    def step_epsilon(self, batches: Sequence[Batch]) -> Tensor:
        """Eq. 8 in the step that follows, before it is taken: (R, B)."""

    def end_epoch(self, epoch: int, epochs: int) -> None:
        """See `Method.end_epoch`."""

    def predict(self, x: Tensor) -> list[Prediction]:
        """Predictions of every run for the same (B, *shape)."""


class Alone:
    """One method as an Engine."""

    runs = 1

    def __init__(self, method: Method) -> None:
        self.method = method
        self.end_epoch = method.end_epoch

    def step(self, batches: Sequence[Batch], progress: float) -> dict[str, Tensor]:
        return {name: value[None] for name, value in self.method.step(batches[0], progress).items()}

    def step_epsilon(self, batches: Sequence[Batch]) -> Tensor:
        return self.method.step_epsilon(batches[0])[None]

    def predict(self, x: Tensor) -> list[Prediction]:
        return [self.method.predict(x)]


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
    course = Course(data, plan, epochs=epochs, seed=seed)
    return fit_all(Alone(method), [course], device=device, on_epoch=lambda _, record: on_epoch(record))[0]


def fit_all(
    engine: Engine,
    courses: Sequence[Course],
    *,
    device: torch.device,
    on_epoch: Callable[[int, EpochRecord], None],
    test: TrainingData | None = None,
    keep_step_epsilon: bool = False,
) -> list[Fitted]:
    """Train R runs, of equal plans and lengths and on the same x; `on_epoch(run, record)` for each after each epoch.

    `test` holds rows with their true labels, whose error rates each record then has. `keep_step_epsilon` keeps the
    epsilon of each labelled row's last step. Raises ConfigError for courses that do not fit together or `engine`,
    TrainingDiverged when a loss of any run becomes infinite or NaN.
    """
    _check(engine, courses)
    data, plan, epochs = [course.data for course in courses], courses[0].plan, courses[0].epochs
    for epoch in range(1, epochs + 1):
        started = time.perf_counter()
        sums: dict[str, Tensor] = {}
        for steps in zip(*(course.steps(epoch) for course in courses), strict=True):
            batches = [part.batch(rows, device) for part, (rows, _) in zip(data, steps, strict=True)]
            if keep_step_epsilon and epoch == epochs:
                for course, batch, epsilon in zip(
                    courses, batches, engine.step_epsilon(batches), strict=True
                ):
                    course.keep_step_epsilon(batch.rows, epsilon)
            _accumulate(sums, engine.step(batches, steps[0][1]), plan.steps)
        engine.end_epoch(epoch, epochs)
        predictions = _predict_all(engine, data[0], device)
        errors = _errors(_predict_all(engine, test, device), test.codes) if test else [None] * len(courses)
        seconds = (time.perf_counter() - started) / len(courses)
        for run, course in enumerate(courses):
            losses = {name: float(values[run]) for name, values in sums.items()}
            on_epoch(run, course.end_epoch(epoch, losses, predictions[run], errors[run], seconds))
    return [course.fitted() for course in courses]


def predict_all(method: Method, data: TrainingData, device: torch.device) -> Prediction:
    """Predictions for all m rows, on the CPU, float32."""
    return _predict_all(Alone(method), data, device)[0]


def _predict_all(engine: Engine, data: TrainingData, device: torch.device) -> list[Prediction]:
    rows = torch.arange(len(data.codes))
    with full_float32():  # TF32 would blur the saturation that the epsilon rule reads
        parts = [engine.predict(data.batch(part, device).x) for part in rows.split(PREDICT_ROWS)]
    return [
        Prediction(*(torch.cat([value.cpu() for value in values]) for values in zip(*run, strict=True)))
        for run in zip(*parts, strict=True)
    ]


def _errors(predictions: list[Prediction], truth: Tensor) -> list[tuple[float, float] | None]:
    return [
        (
            float((each.learner.argmax(1) != truth).double().mean()),
            float((each.guider.argmax(1) != truth).double().mean()),
        )
        for each in predictions
    ]


def _check(engine: Engine, courses: Sequence[Course]) -> None:
    if len(courses) != engine.runs:
        raise ConfigError(
            f"{engine.runs} runs cannot take {len(courses)} courses", fix="Give each run its own."
        )
    first = courses[0]
    for course in courses[1:]:
        if (course.plan, course.epochs) != (first.plan, first.epochs):
            raise ConfigError("runs that train together need the same batch plan and number of epochs")
        if not course.data.has_rows_of(first.data):
            raise ConfigError("runs that train together need the same samples and number of classes")


def _accumulate(sums: dict[str, Tensor], losses: dict[str, Tensor], steps: int) -> None:
    """Add each loss's share to the epoch's mean, on the device: no synchronisation inside an epoch."""
    for name, value in losses.items():
        share = value / steps
        sums[name] = sums[name] + share if name in sums else share


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
    test_error: tuple[float, float] | None,
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
        test_error=test_error,
    )

"""The only training loop, for one run or for a stack of them (noiseaudit.stack)."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from noiseaudit.course import Course, EpochRecord, Fitted
from noiseaudit.data.batches import BatchPlan
from noiseaudit.data.training import Batch, TrainingData
from noiseaudit.errors import ConfigError
from noiseaudit.keeper import FORGETFUL, Stage
from noiseaudit.methods.base import Method, Prediction
from noiseaudit.runtime import full_float32

Floats = npt.NDArray[np.float32]
PREDICT_ROWS = 1024  # rows of one prediction chunk, at most
PREDICT_VALUES = 2**24  # values of x in it, at most: 64 MiB


class Engine(Protocol):
    """R runs that take their steps together; one, or a stack of them (noiseaudit.stack)."""

    @property
    def runs(self) -> int:
        """R."""

    @property
    def noise_known(self) -> Sequence[bool]:
        """See `Method.noise_known`; of each run."""

    def step(self, batches: Sequence[Batch], progress: float) -> dict[str, Tensor]:
        """One step of every run: named losses, (R,) each."""

    def step_epsilon(self, batches: Sequence[Batch]) -> Tensor:
        """Eq. 8 in the step that follows, before it is taken: (R, B)."""

    def end_epoch(self, epoch: int, epochs: int) -> None:
        """See `Method.end_epoch`."""

    def after_epoch(
        self, epoch: int, epochs: int, predictions: Sequence[Prediction], codes: Sequence[Tensor]
    ) -> None:
        """See `Method.after_epoch`; one prediction and (m,) labels for each run."""

    def predict(self, x: Tensor) -> list[Prediction]:
        """Predictions of every run for the same (B, *shape)."""


class Alone:
    """One method as an Engine."""

    runs = 1

    def __init__(self, method: Method) -> None:
        self.method = method
        self.end_epoch = method.end_epoch

    @property
    def noise_known(self) -> Sequence[bool]:
        return (self.method.noise_known,)

    def step(self, batches: Sequence[Batch], progress: float) -> dict[str, Tensor]:
        return {name: value[None] for name, value in self.method.step(batches[0], progress).items()}

    def step_epsilon(self, batches: Sequence[Batch]) -> Tensor:
        return self.method.step_epsilon(batches[0])[None]

    def after_epoch(
        self, epoch: int, epochs: int, predictions: Sequence[Prediction], codes: Sequence[Tensor]
    ) -> None:
        self.method.after_epoch(epoch, epochs, predictions[0].guider, codes[0])

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
    stage: Stage = FORGETFUL,
) -> Fitted:
    """Train `method` for `epochs` passes and record epsilon and the given labels' probabilities after each.

    What `stage` keeps of an earlier process is gone on from. Raises TrainingDiverged when a loss becomes infinite or
    NaN, OutputError or OSError where nothing can be kept.
    """
    course = Course(data, plan, epochs=epochs, seed=seed)
    (fitted,) = fit_all(
        Alone(method),
        [course],
        device=device,
        on_epoch=lambda _, record: on_epoch(record),
        epochs_done=stage.restore(method, course),
        after_epoch=lambda: stage.keep(method, course),
    )
    return fitted


def fit_all(
    engine: Engine,
    courses: Sequence[Course],
    *,
    device: torch.device,
    on_epoch: Callable[[int, EpochRecord], None],
    test: TrainingData | None = None,
    keep_step_epsilon: bool = False,
    epochs_done: int = 0,
    after_epoch: Callable[[], None] = lambda: None,
) -> list[Fitted]:
    """Train R runs, of equal plans and lengths and on the same x; `on_epoch(run, record)` for each after each epoch.

    `test` holds rows with their true labels, whose error rates each record then has. `keep_step_epsilon` keeps the
    epsilon of each labelled row's last step. `epochs_done` were before, in engine and courses alike; `after_epoch` is
    called once all that an epoch changes is changed. Raises ConfigError for courses that do not fit together or
    `engine`, TrainingDiverged when a loss of any run becomes infinite or NaN.
    """
    _check(engine, courses)
    data, plan, epochs = [course.data for course in courses], courses[0].plan, courses[0].epochs
    for epoch in range(epochs_done + 1, epochs + 1):
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
        engine.after_epoch(epoch, epochs, predictions, [course.data.codes for course in courses])
        after_epoch()
    return [
        dataclasses.replace(course.fitted(), noise_known=known)
        for course, known in zip(courses, engine.noise_known, strict=True)
    ]


def predict_all(method: Method, data: TrainingData, device: torch.device) -> Prediction:
    """Predictions for all m rows, on the CPU, float32."""
    return _predict_all(Alone(method), data, device)[0]


def _predict_all(engine: Engine, data: TrainingData, device: torch.device) -> list[Prediction]:
    rows, chunk = torch.arange(len(data.codes)), chunk_rows(data.shape)
    found: list[Prediction] = []
    with full_float32():  # TF32 would blur the saturation that the epsilon rule reads
        for part in rows.split(chunk):
            predicted = engine.predict(data.batch(part, device).x)
            found = found or [_room(each, len(rows)) for each in predicted]
            for kept, each in zip(found, predicted, strict=True):
                for to, values in zip(kept, each, strict=True):
                    to[part[0] : part[-1] + 1] = values
    return found


def _room(like: Prediction, n: int) -> Prediction:
    """Space on the CPU for n rows: to collect parts and join them would take twice as much."""
    learner = torch.empty(n, like.learner.shape[1])
    guider = learner if like.guider is like.learner else torch.empty_like(learner)
    return Prediction(learner, guider, torch.empty(n, like.latent.shape[1]))


def chunk_rows(shape: tuple[int, ...]) -> int:
    """Rows of x that are predicted together."""
    return max(1, min(PREDICT_ROWS, PREDICT_VALUES // math.prod(shape)))


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

"""Runs that are trained as one learn what they learn alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from noiseaudit.config import with_overrides
from noiseaudit.course import Course, EpochRecord
from noiseaudit.data.batches import BatchPlan
from noiseaudit.data.training import TrainingData
from noiseaudit.errors import TrainingDiverged
from noiseaudit.methods import METHODS
from noiseaudit.methods.base import Setup
from noiseaudit.methods.descent import Descent
from noiseaudit.runtime import training_runtime
from noiseaudit.stack import Stack, fit_stack
from noiseaudit.train import Alone, fit_all

CPU, N_CLASSES, ROWS, RUNS = torch.device("cpu"), 4, 24, 3
# What they keep between steps (a moving percentile) or change after an epoch (a label memory) is no run's buffer.
ALONE = ["mentornet", "joint_optimization"]
STACKABLE = [name for name, kind in METHODS.items() if issubclass(kind, Descent) and name not in ALONE]


@pytest.fixture(autouse=True)
def _quick() -> Iterator[None]:
    with training_runtime(threads=1):
        yield


def data(run: int) -> TrainingData:
    """The same x for all; other labels, and another share of them, for each run."""
    x = torch.rand(ROWS, 1, 6, 6, generator=torch.Generator().manual_seed(0))
    codes = (torch.arange(ROWS) * (run + 1)) % N_CLASSES
    codes[8 + run :: 2] = -1
    codes[8 : 8 + run] = 0
    trusted = torch.arange(ROWS) < N_CLASSES
    return TrainingData(x, torch.arange(ROWS), codes, N_CLASSES, trusted)


def make(name: str, run: int, dtype: torch.dtype = torch.float32, **overrides: Any) -> Descent[Any, Any]:
    kind = METHODS[name]
    settings = with_overrides(kind.settings(data(run).inputs), {"hidden": 16, "latent_a": 5, **overrides})
    torch.set_default_dtype(dtype)
    try:
        method = kind(Setup(data(run), "mlp", run, CPU, noise_rate=0.2), settings)
    finally:
        torch.set_default_dtype(torch.float32)
    assert isinstance(method, Descent)
    return method


def courses(plan: BatchPlan, epochs: int) -> list[Course]:
    return [Course(data(run), plan, epochs=epochs, seed=run) for run in range(RUNS)]


def state(method: Descent[Any, Any]) -> list[Tensor]:
    return [*method.learner.state_dict().values(), *method.guider.state_dict().values()]


@pytest.mark.parametrize("name", STACKABLE)
def test_parameters_agree_in_float64(name: str) -> None:
    """After 20 steps, to 1e-9: what a run learns does not depend on its company."""
    alone = [make(name, run, torch.float64) for run in range(RUNS)]
    together = [make(name, run, torch.float64) for run in range(RUNS)]
    stack = Stack(together)
    for step in range(20):
        rows = [
            torch.randperm(ROWS, generator=torch.Generator().manual_seed(step + run))[:12]
            for run in range(RUNS)
        ]
        batches = [data(run).batch(part, CPU) for run, part in enumerate(rows)]
        batches = [batch._replace(x=batch.x.double()) for batch in batches]
        losses = stack.step(batches, step / 20)
        for run, method in enumerate(alone):
            single = method.step(batches[run], step / 20)
            assert list(single) == list(losses)
            for term, value in single.items():
                assert_close(losses[term][run], value, rtol=1e-9, atol=1e-9)
    stack.unstack()
    for one, other in zip(alone, together, strict=True):
        for a, b in zip(state(one), state(other), strict=True):
            assert_close(a, b, rtol=0, atol=1e-9)
    assert not torch.equal(state(alone[0])[-1], state(alone[1])[-1])


@pytest.mark.parametrize("name", STACKABLE)
def test_whole_runs_agree(name: str) -> None:
    plan, seeds = BatchPlan(4, 4, 3), range(RUNS)
    kept: dict[int, list[EpochRecord]] = {run: [] for run in seeds}
    together = fit_stack(
        [make(name, run) for run in seeds], courses(plan, 4),
        device=CPU, on_epoch=lambda run, record: kept[run].append(record), test=data(0),
    )  # fmt: skip
    for run in seeds:
        kept_alone: list[EpochRecord] = []

        def keep(run: int, record: EpochRecord, to: list[EpochRecord] = kept_alone) -> None:
            to.append(record)

        (alone,) = fit_all(
            Alone(make(name, run)), [courses(plan, 4)[run]], device=CPU, on_epoch=keep, test=data(0)
        )
        np.testing.assert_allclose(together[run].guider_mean, alone.guider_mean, atol=1e-4)
        np.testing.assert_array_equal(together[run].labelled, alone.labelled)
        for one, other in zip(kept[run], kept_alone, strict=True):
            np.testing.assert_allclose(one.p_given_learner, other.p_given_learner, atol=1e-4)
            assert one.test_error == pytest.approx(other.test_error, abs=1 / ROWS)
            assert one.losses == pytest.approx(other.losses, rel=1e-3, abs=1e-4)


def test_predictions_are_each_runs_own() -> None:
    methods = [make("umn", run) for run in range(RUNS)]
    x = data(0).batch(torch.arange(ROWS), CPU).x
    for predicted, method in zip(Stack(methods).predict(x), methods, strict=True):
        for a, b in zip(predicted, method.predict(x), strict=True):
            assert_close(a, b)


@pytest.mark.parametrize("name", ["umn", "umn_plus"])
def test_the_epsilon_of_the_last_steps_is_each_runs_own(name: str) -> None:
    plan = BatchPlan(4, 4, 5)
    fitted = fit_stack(
        [make(name, run) for run in range(RUNS)], courses(plan, 2),
        device=CPU, on_epoch=lambda run, record: None, keep_step_epsilon=True,
    )  # fmt: skip
    for run in range(RUNS):
        (alone,) = fit_all(
            Alone(make(name, run)), [courses(plan, 2)[run]],
            device=CPU, on_epoch=lambda _, record: None, keep_step_epsilon=True,
        )  # fmt: skip
        assert not np.isnan(alone.step_epsilon).any()
        np.testing.assert_allclose(fitted[run].step_epsilon, alone.step_epsilon, atol=1e-4)


def test_one_that_diverges_stops_and_is_named_by_epoch() -> None:
    plan = BatchPlan(4, 4, 1)
    methods = [make("umn", run) for run in range(RUNS)]
    with torch.no_grad():
        next(iter(methods[1].learner.parameters())).fill_(float("nan"))
    with pytest.raises(TrainingDiverged, match="in epoch 1"):
        fit_stack(
            methods, courses(plan, 1), device=CPU, on_epoch=lambda run, record: None,
        )  # fmt: skip

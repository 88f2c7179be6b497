"""Runs that are trained as one learn what they learn alone."""

from __future__ import annotations

import dataclasses
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
from noiseaudit.data.training import Kind, TrainingData
from noiseaudit.errors import ConfigError, TrainingDiverged
from noiseaudit.methods import METHODS
from noiseaudit.methods.base import Setup
from noiseaudit.methods.descent import Descent
from noiseaudit.models import vae
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
    settings = with_overrides(kind.settings("mlp"), {"hidden": 16, "latent_a": 5, **overrides})
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


def test_the_noise_that_runs_learn_is_each_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Learnt after the first of three epochs, trained through in the others, and never the same for two runs."""
    monkeypatch.setattr("noiseaudit.methods.umn.can_be_learnt", lambda *_: True)
    monkeypatch.setattr("noiseaudit.class_noise.LEAST_ACCURACY", 0.0)
    monkeypatch.setattr("noiseaudit.class_noise.LEAST_TOLD", -1.0)
    plan = BatchPlan(4, 4, 3)
    methods = [make("umn_plus", run) for run in range(RUNS)]
    kept: dict[int, list[EpochRecord]] = {run: [] for run in range(RUNS)}
    together = fit_stack(
        methods, courses(plan, 3), device=CPU, on_epoch=lambda run, record: kept[run].append(record)
    )
    for run in range(RUNS):
        alone, records = make("umn_plus", run), list[EpochRecord]()

        def keep(_: int, record: EpochRecord, to: list[EpochRecord] = records) -> None:
            to.append(record)

        (fitted,) = fit_all(
            Alone(alone),
            [courses(plan, 3)[run]],
            device=CPU,
            on_epoch=keep,
        )
        assert alone.noise_known
        assert fitted.noise_known
        assert together[run].noise_known
        assert_close(methods[run].learner.noise, alone.learner.noise, rtol=0, atol=1e-3)
        np.testing.assert_allclose(together[run].guider_mean, fitted.guider_mean, atol=1e-3)
        for one, other in zip(kept[run], records, strict=True):
            assert one.losses["labelled"] == pytest.approx(other.losses["labelled"], rel=1e-2)
        assert records[0].losses["labelled"] < 0 < records[1].losses["labelled"]  # Eq. 6, then a likelihood
    assert not torch.equal(methods[0].learner.noise, methods[1].learner.noise)


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


def test_what_cannot_be_stacked_is_refused() -> None:
    with pytest.raises(ConfigError, match="same settings"):
        Stack([make("umn", 0), make("umn", 1, alpha=2.0)])
    with pytest.raises(ConfigError, match="one method"):
        Stack([make("umn", 0), make("umn_plus", 1)])
    images = TrainingData(torch.rand(4, 3, 16, 16), torch.arange(4), torch.tensor([0, 1, 2, 3]), N_CLASSES)
    kind = METHODS["umn"]
    conv = kind(Setup(images, "conv13", 0, CPU), kind.settings("conv13"))
    assert isinstance(conv, Descent)
    with pytest.raises(ConfigError, match="dense backbone"):
        Stack([conv, conv])


def other_data(change: str) -> TrainingData:
    """Those of run 1, but for one thing."""
    one = data(1)
    changed: dict[str, Any] = {
        "x": one.x.flip(0), "usable": torch.arange(ROWS).flip(0), "n_classes": N_CLASSES + 1,
        "shape": one.x[..., :5], "dtype": one.x.double(),
    }  # fmt: skip
    return dataclasses.replace(one, **{"x" if change in ("shape", "dtype") else change: changed[change]})


@pytest.mark.parametrize("change", ["shape", "n_classes"])
def test_runs_of_other_shapes_are_refused(change: str) -> None:
    kind = METHODS["umn"]
    other = kind(Setup(other_data(change), "mlp", 1, CPU), make("umn", 0).values)
    assert isinstance(other, Descent)
    with pytest.raises(ConfigError, match="same settings and shapes"):
        Stack([make("umn", 0), other])


@pytest.mark.parametrize(
    ("name", "value"), [("device", torch.device("meta")), ("kind", Kind.VECTORS), ("mixed_precision", True)]
)
def test_runs_that_compute_otherwise_are_refused(name: str, value: Any) -> None:
    one, other = make("umn", 0), make("umn", 1)
    setattr(other, name, value)
    with pytest.raises(ConfigError, match="on one device"):
        Stack([one, other])


@pytest.mark.parametrize("change", ["x", "usable", "n_classes", "shape", "dtype"])
def test_courses_over_other_samples_are_refused(change: str) -> None:
    plan = BatchPlan(4, 4, 1)
    both = [Course(rows, plan, epochs=1, seed=run) for run, rows in enumerate([data(0), other_data(change)])]
    with pytest.raises(ConfigError, match="the same samples and number of classes"):
        fit_stack([make("umn", 0), make("umn", 1)], both, device=CPU, on_epoch=lambda run, record: None)


@pytest.mark.parametrize(("plan", "epochs"), [(BatchPlan(4, 4, 2), 1), (BatchPlan(4, 4, 1), 2)])
def test_courses_of_another_length_are_refused(plan: BatchPlan, epochs: int) -> None:
    both = [
        Course(data(0), BatchPlan(4, 4, 1), epochs=1, seed=0),
        Course(data(1), plan, epochs=epochs, seed=1),
    ]
    with pytest.raises(ConfigError, match="the same batch plan and number of epochs"):
        fit_stack([make("umn", 0), make("umn", 1)], both, device=CPU, on_epoch=lambda run, record: None)


def test_rows_that_are_not_used_may_differ() -> None:
    plan, unread = BatchPlan(4, 4, 1), torch.full((1, 1, 6, 6), float("nan"))
    both = [
        Course(dataclasses.replace(data(run), x=torch.cat([data(run).x, unread])), plan, epochs=1, seed=run)
        for run in range(2)
    ]
    fitted = fit_stack([make("umn", 0), make("umn", 1)], both, device=CPU, on_epoch=lambda run, record: None)
    assert len(fitted) == 2


def test_no_runs_or_another_number_of_courses_are_refused() -> None:
    with pytest.raises(ConfigError, match="no runs"):
        Stack([])
    for methods, part in [([make("umn", 0)], slice(0, 0)), ([make("umn", 0), make("umn", 1)], slice(0, 3))]:
        given = courses(BatchPlan(4, 4, 1), 1)[part]
        with pytest.raises(ConfigError, match=f"{len(methods)} runs cannot take {len(given)} courses"):
            fit_stack(methods, given, device=CPU, on_epoch=lambda run, record: None)


@pytest.mark.parametrize("name", ALONE)
def test_a_method_with_a_state_of_its_own_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="only runs of one method"):
        Stack([make(name, 0), make(name, 1)])


def test_many_classes_cannot_be_stacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vae, "ACTIVATION_BUDGET", 12 * 16)  # one class a chunk
    with pytest.raises(ConfigError, match="too many classes"):
        Stack([make("umn", 0)]).step([data(0).batch(torch.arange(12), CPU)], 0.0)

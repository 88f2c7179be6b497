"""What cannot be trained as one, and what is said about it."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch

from noiseaudit import marginal
from noiseaudit.course import Course
from noiseaudit.data.batches import BatchPlan
from noiseaudit.data.training import TrainingData
from noiseaudit.errors import ConfigError
from noiseaudit.methods import METHODS
from noiseaudit.methods.base import Setup
from noiseaudit.methods.descent import Descent
from noiseaudit.stack import Stack, fit_stack
from tests.test_stack import ALONE, CPU, N_CLASSES, ROWS, courses, data, make


def test_what_cannot_be_stacked_is_refused() -> None:
    with pytest.raises(ConfigError, match="same settings"):
        Stack([make("umn", 0), make("umn", 1, alpha=2.0)])
    with pytest.raises(ConfigError, match="one method"):
        Stack([make("umn", 0), make("umn_plus", 1)])
    images = TrainingData(torch.rand(4, 3, 16, 16), torch.arange(4), torch.tensor([0, 1, 2, 3]), N_CLASSES)
    kind = METHODS["umn"]
    conv = kind(Setup(images, "conv13", 0, CPU), kind.settings(images.inputs))
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
    ("name", "value"), [("device", torch.device("meta")), ("is_image", False), ("mixed_precision", True)]
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
    monkeypatch.setattr(marginal, "EXACT_CLASSES", N_CLASSES - 1)
    with pytest.raises(ConfigError, match="too many classes"):
        Stack([make("umn", 0)])
    Stack([make("supervised", 0)])  # which sums over none

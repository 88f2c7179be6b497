"""Networks that learn from labels through an estimate of their noise: when it is learnt, what it does, for each run."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch.testing import assert_close

from noiseaudit import objective
from noiseaudit.config import UMNConfig
from noiseaudit.course import EpochRecord
from noiseaudit.data.batches import BatchPlan
from noiseaudit.data.inputs import Inputs
from noiseaudit.data.perturb import Draws
from noiseaudit.methods.umn_plus import UMNPlus
from noiseaudit.runtime import training_runtime
from noiseaudit.stack import fit_stack
from noiseaudit.train import Alone, fit_all
from tests.test_methods_umn import N_CLASSES, make
from tests.test_stack import CPU, RUNS, courses
from tests.test_stack import make as make_run


@pytest.fixture(autouse=True)
def _quick() -> Iterator[None]:
    with training_runtime(threads=1):
        yield


def small(shape: tuple[int, ...] = (1, 6, 6), **changes: Any) -> UMNConfig:
    """umn_plus as it is where labels are many."""
    settings = UMNPlus.settings(Inputs(shape, N_CLASSES, n_labelled=9_000, n_rows=9_000))
    return dataclasses.replace(settings, hidden=32, latent_a=6, latent_b=4, **changes)


def test_where_the_noise_is_known_the_labelled_term_is_the_likelihood_of_the_labels() -> None:
    """Eq. 6 until then, and for `umn` always."""
    probs = torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8], [0.3, 0.3, 0.4]])
    given, guided = torch.tensor([0, 2, -1]), torch.full((3, 3), 1 / 3)
    trained = make("umn_plus", config=small(noise_weight=3.0))
    by_eq_6 = trained.labelled(probs, guided, given, torch.zeros(0, 0))
    assert trained.labelled(probs, guided, given, torch.zeros(3, 3)) == by_eq_6
    rates = torch.tensor([[0.8, 0.1, 0.1], [0.3, 0.6, 0.1], [0.0, 0.25, 0.75]])
    likelihoods = 0.7 * 0.8 + 0.2 * 0.3, 0.1 * 0.1 + 0.1 * 0.1 + 0.8 * 0.75
    got = trained.labelled(probs, guided, given, rates)
    assert got.item() == pytest.approx(-3.0 * sum(map(math.log, likelihoods)) / 2, rel=1e-5)


def test_the_noise_is_learnt_from_labelled_rows_when_it_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]] = []

    def learnt(probs: npt.NDArray[np.float32], given: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        seen.append((probs, given))
        return np.full((N_CLASSES, N_CLASSES), 1 / N_CLASSES, np.float32)

    monkeypatch.setattr("noiseaudit.methods.umn.class_noise", learnt)
    trained, probs = make("umn_plus", config=small()), torch.eye(N_CLASSES)
    assert not trained.noise_known
    assert not trained.learner.noise.any()
    trained.after_epoch(3, 8, probs, torch.tensor([0, -1, 1]))
    assert not trained.noise_known
    trained.after_epoch(4, 8, probs, torch.tensor([0, -1, 1]))
    assert trained.noise_known
    assert (trained.learner.noise == 1 / N_CLASSES).all()
    ((shown, given),) = seen
    monkeypatch.setattr(
        "noiseaudit.methods.umn.class_noise", lambda *_: None
    )  # too weak to tell: the last one stays
    trained.after_epoch(6, 8, probs, torch.tensor([0, -1, 1]))
    assert (trained.learner.noise == 1 / N_CLASSES).all()
    assert (shown == np.eye(N_CLASSES)[[0, 2]]).all()
    assert given.tolist() == [0, 1]


def test_no_noise_is_learnt_without_weight() -> None:
    """As `umn`, and umn_plus where labels are few."""
    for method in ("umn", "umn_plus"):
        trained = make(method)  # of 6 labels
        trained.after_epoch(2, 8, torch.eye(N_CLASSES), torch.arange(N_CLASSES))
        assert not trained.noise_known
        assert trained.learner.noise.numel() == 0
    assert make("umn_plus", config=small()).learner.noise.shape == (N_CLASSES, N_CLASSES)


@pytest.mark.parametrize(("width", "share"), [(600, 0.6), (511, 0.3), (64, 0.3), (63, 0)])
def test_features_lose_values_and_narrow_ones_fewer(width: int, share: float) -> None:
    trained = make("umn_plus", "embeddings", (width,), small((width,), input_noise=0.0))
    x = torch.ones(400, width)
    target, seen = trained.perturb(x, Draws(torch.Generator().manual_seed(0), 400))
    assert torch.equal(target, x)  # what is reconstructed keeps them
    assert float((seen == 0).double().mean()) == pytest.approx(share, abs=0.01)


@pytest.mark.parametrize(("width", "power"), [(600, 0.15), (511, 0.0)])
def test_only_wide_vectors_take_the_loss_with_a_power(width: int, power: float) -> None:
    trained = make("umn_plus", "embeddings", (width,), small((width,)))
    probs, given = torch.tensor([[0.2, 0.5, 0.3], [0.9, 0.05, 0.05]]), torch.tensor([0, -1])
    rates = torch.full((3, 3), 0.1) + 0.7 * torch.eye(3)
    expected = 25.0 * objective.noisy_label_loss(probs[:1], given[:1], rates, power)
    assert_close(trained.labelled(probs, probs, given, rates), expected[0])


def test_where_labels_are_few_nothing_but_the_weight_is_taken_away() -> None:
    """So that a weight that is asked for meets the loss of its kind of x."""
    few, many = (UMNPlus.settings(Inputs((600,), 3, n, n)) for n in (2_000, 2_001))
    assert many.noise_weight == 25
    assert few == dataclasses.replace(many, noise_weight=0.0)


def test_the_noise_that_runs_learn_is_each_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Learnt after the first of three epochs, trained through in the others, and never the same for two runs."""
    monkeypatch.setattr("noiseaudit.class_noise.LEAST_ACCURACY", 0.0)
    monkeypatch.setattr("noiseaudit.class_noise.LEAST_TOLD", -1.0)
    plan = BatchPlan(4, 4, 3)
    methods = [make_run("umn_plus", run, noise_weight=60.0) for run in range(RUNS)]
    kept: dict[int, list[EpochRecord]] = {run: [] for run in range(RUNS)}
    together = fit_stack(
        methods, courses(plan, 3), device=CPU, on_epoch=lambda run, record: kept[run].append(record)
    )
    for run in range(RUNS):
        alone, records = make_run("umn_plus", run, noise_weight=60.0), list[EpochRecord]()

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

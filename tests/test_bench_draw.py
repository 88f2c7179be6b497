"""Labels of a run: stratified, shared by all methods and rates of a seed, with an exact number of wrong ones."""

from __future__ import annotations

import numpy as np
import pytest

from noiseaudit.bench.draw import check_trusted, draw_labels, n_labelled
from noiseaudit.bench.problem import Problem, make_problem
from noiseaudit.errors import ConfigError

N_CLASSES = 5


def problem(n: int = 200) -> Problem:
    rng = np.random.default_rng(0)
    x, truth = rng.integers(0, 256, (n, 1, 8, 8), dtype=np.uint8), np.arange(n) % N_CLASSES
    return make_problem("toy", x, truth, x[:10], truth[:10], backbone="mlp", source="test")


@pytest.mark.parametrize("rate", [0.1, 0.25, 0.5, 0.8])
@pytest.mark.parametrize("kind", ["symmetric", "asymmetric"])
def test_exactly_the_rate_of_each_class_is_wrong(kind: str, rate: float) -> None:
    toy = problem()
    draw = draw_labels(toy, labels=100, kind=kind, rate=rate, seed=3)
    truth = toy.truth[draw.rows]
    assert np.bincount(truth).tolist() == [20] * N_CLASSES
    assert np.bincount(truth[draw.corrupted]).tolist() == [round(rate * 20)] * N_CLASSES
    np.testing.assert_array_equal(draw.corrupted, draw.given != truth)
    assert len(set(draw.rows.tolist())) == 100
    assert (np.diff(draw.rows) > 0).all()
    if kind == "asymmetric":
        assert set((draw.given - truth)[draw.corrupted] % N_CLASSES) == {1}


def test_labels_that_are_all_wrong_leave_none_to_trust() -> None:
    check_trusted(problem(), labels=50, kind="symmetric", rate=0.9, seed=0)
    with pytest.raises(ConfigError, match=r"at a rate of 0.96 no label is right"):
        check_trusted(problem(), labels=50, kind="symmetric", rate=0.96, seed=0)


def test_instance_noise_flips_about_the_rate() -> None:
    draw = draw_labels(problem(1000), labels=None, kind="instance", rate=0.3, seed=0)
    assert draw.corrupted.mean() == pytest.approx(0.3, abs=0.06)
    assert draw.given.min() >= 0


def test_uniform_noise_draws_the_own_class_too() -> None:
    draw = draw_labels(problem(1000), labels=None, kind="uniform", rate=1.0, seed=0)
    assert draw.corrupted.mean() == pytest.approx(1 - 1 / N_CLASSES, abs=0.06)


def test_rows_depend_on_the_seed_alone() -> None:
    toy = problem()
    first = draw_labels(toy, labels=50, kind="symmetric", rate=0.1, seed=1)
    again = draw_labels(toy, labels=50, kind="symmetric", rate=0.1, seed=1)
    other = draw_labels(toy, labels=50, kind="asymmetric", rate=0.4, seed=1)
    np.testing.assert_array_equal(first.given, again.given)
    np.testing.assert_array_equal(first.trusted, again.trusted)
    np.testing.assert_array_equal(first.rows, other.rows)
    assert (first.rows != draw_labels(toy, labels=50, kind="symmetric", rate=0.1, seed=2).rows).any()


def test_trusted_labels_are_right_and_a_tenth_of_each_class() -> None:
    toy = problem()
    draw = draw_labels(toy, labels=100, kind="symmetric", rate=0.8, seed=0)
    assert not (draw.trusted & draw.corrupted).any()
    assert np.bincount(draw.given[draw.trusted]).tolist() == [2] * N_CLASSES
    few = draw_labels(toy, labels=10, kind="symmetric", rate=0.5, seed=0)
    assert np.bincount(few.given[few.trusted]).tolist() == [1] * N_CLASSES


def test_every_row_that_may_be_is_labelled() -> None:
    toy = problem()
    toy.truth[:7] = -1
    draw = draw_labels(toy, labels=None, kind="symmetric", rate=0.1, seed=0)
    assert draw.rows.tolist() == list(range(7, 200))
    assert n_labelled(toy, None) == 193
    assert (
        n_labelled(toy, 52) == len(draw_labels(toy, labels=52, kind="symmetric", rate=0.1, seed=0).rows) == 50
    )


@pytest.mark.parametrize("labels", [4, 300])
def test_too_few_rows_or_labels(labels: int) -> None:
    with pytest.raises(ConfigError, match=f"{labels} labels are {labels // N_CLASSES} of each of 5 classes"):
        draw_labels(problem(), labels=labels, kind="symmetric", rate=0.1, seed=0)

"""Planted labels look like the wrong ones that are there."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest

from noiseaudit.planting import matching, plant, preference
from noiseaudit.score import Noise, best_classes, score_with_noise

Floats = npt.NDArray[np.float64]


def toy(
    n: int = 6_000, n_classes: int = 4, gamma: float = 0.0, seed: int = 0
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Predictions q of n rows, given labels of which one in fifty is wrong, and which.

    The likeliest class is the true one; a flip to j has a weight of (q_j / q_true)^gamma."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 1.5, (n, n_classes))
    logits[np.arange(n), rng.integers(0, n_classes, n)] += 4
    q = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    truth = q.argmax(1)
    odds = (q / q[np.arange(n), truth, None]) ** gamma
    odds[np.arange(n), truth] = 0
    weights = odds / odds.sum() * 0.02 * n
    flip = rng.random(n) < weights.sum(1)
    other = (weights.cumsum(1) > rng.random((n, 1)) * weights.sum(1, keepdims=True)).argmax(1)
    given = np.where(flip, other, truth)
    return q.astype(np.float32), given, flip


def even_noise(n_classes: int, rate: float) -> Noise:
    pairs = np.arange(n_classes**2)
    is_kept = pairs // n_classes == pairs % n_classes
    rates = np.where(is_kept, 1 - rate, rate / (n_classes - 1))
    return Noise(pairs, np.log(rates), np.full(n_classes + 1, math.log(1e-6)), 1.0)


def test_only_labels_taken_to_be_right_become_another() -> None:
    q, given, flip = toy()
    p, noise, _ = score_with_noise(q, given)
    assert noise is not None
    found = plant(q, given, p, noise, 300, np.random.default_rng(0))
    assert len(found.rows) == len(found.labels) == 300
    assert (np.diff(found.rows) > 0).all()
    assert (found.labels != given[found.rows]).all()
    assert (p[found.rows] < 0.5).all()
    assert flip[found.rows].mean() < 0.05
    again = plant(q, given, p, noise, 300, np.random.default_rng(0))
    assert found.labels.tolist() == again.labels.tolist()


def test_no_more_than_there_are() -> None:
    q, given, _ = toy(50)
    p = np.where(np.arange(50) < 10, 0.1, 0.9)
    found = plant(q, given, p, even_noise(4, 0.2), 30, np.random.default_rng(0))
    assert found.rows.tolist() == list(range(10))


def test_pairs_of_classes_go_by_the_noise_between_them() -> None:
    """0 becomes 1, 1 becomes 2, three times as often; certain predictions say nothing about plausibility."""
    n = 4_000
    given = np.arange(n) % 2
    q = np.full((n, 3), 1e-9, np.float32)
    q[np.arange(n), given] = 1.0
    rates = np.log([[0.9, 0.1, 1e-9], [1e-9, 0.7, 0.3], [1e-9, 1e-9, 1.0]]).ravel()
    noise = Noise(np.arange(9), rates, np.full(4, math.log(1e-9)), 1.0)
    found = plant(q, given, np.zeros(n), noise, 800, np.random.default_rng(1))
    from_0, from_1 = found.labels[given[found.rows] == 0], found.labels[given[found.rows] == 1]
    assert set(from_0) == {1}
    assert set(from_1) == {2}
    assert len(from_1) / len(from_0) == pytest.approx(3, rel=0.2)


def test_the_match_by_hand() -> None:
    """Two flips with log-odds -1 and -3: their mean under e^(gamma x) is -3 + 2 / (1 + e^(-2 gamma))."""
    log_odds, weights = np.array([[-1.0], [-3.0]]), np.zeros((2, 1))
    for gamma in (0.3, 1.7):
        assert matching(log_odds, weights, -3 + 2 / (1 + math.exp(-2 * gamma))) == pytest.approx(
            gamma, abs=1e-6
        )
    assert matching(log_odds, weights, -2.5) == 0  # less plausible than any
    assert matching(log_odds, weights, -1.0) == 4


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0])
def test_the_preference_is_that_of_the_errors(gamma: float) -> None:
    """With the truth in place of p_mislabeled, and predictions that are right, it is found again."""
    q, given, flip = toy(40_000, gamma=gamma)
    found = preference(best_classes(q, given), even_noise(4, 0.2), 4, flip.astype(float))
    assert found == pytest.approx(gamma, abs=0.12)


def test_few_doubts_say_nothing_about_what_errors_look_like() -> None:
    q, given, _ = toy(500, gamma=1.0)
    p = np.where(np.arange(500) < 9, 0.9, 0.1)
    assert preference(best_classes(q, given), even_noise(4, 0.2), 4, p) == 0


def test_many_classes_beyond_the_candidates() -> None:
    """Symmetric noise of 50 classes, of which 11 are kept a row: four in five errors are beyond the likeliest ten."""
    rng = np.random.default_rng(0)
    n, n_classes = 20_000, 50
    truth = rng.integers(0, n_classes, n)
    logits = rng.normal(0, 1, (n, n_classes))
    logits[np.arange(n), truth] += 9
    q = (np.exp(logits) / np.exp(logits).sum(1, keepdims=True)).astype(np.float32)
    given = np.where(rng.random(n) < 0.2, (truth + rng.integers(1, n_classes, n)) % n_classes, truth)
    p, noise, _ = score_with_noise(q, given)
    assert noise is not None
    found = plant(q, given, p, noise, 2_000, rng)
    assert (found.labels != given[found.rows]).all()
    likely = best_classes(q[found.rows], given[found.rows]).codes[:, 1:11]
    assert (likely == found.labels[:, None]).any(1).mean() == pytest.approx(10 / 49, abs=0.08)

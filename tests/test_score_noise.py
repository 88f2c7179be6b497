"""p_mislabeled: a noise that is known is recovered, and the probabilities are calibrated."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from noiseaudit import score
from noiseaudit.score import (
    CANDIDATES,
    Codes,
    Floats,
    Noise,
    best_classes,
    fit_noise,
)
from tests.scoring import score_labels
from tests.test_score_bayes import Probs


def draw(rng: np.random.Generator, probs: npt.NDArray[Any]) -> Codes:
    """One class per row of (n, C)."""
    below = np.cumsum(probs, axis=1) < rng.random((len(probs), 1))
    return np.asarray(np.minimum(below.sum(axis=1), probs.shape[1] - 1))


def world(
    n: int, rates: Floats, *, sharpness: float = 6.0, seed: int = 0
) -> tuple[Probs, Codes, npt.NDArray[np.bool_]]:
    """Calibrated probabilities q: the true class is drawn from q, the given one from its row of `rates`."""
    rng = np.random.default_rng(seed)
    n_classes = len(rates)
    logits = rng.normal(0, 1, (n, n_classes))
    logits[np.arange(n), rng.integers(n_classes, size=n)] += sharpness
    q = np.exp(logits)
    q = (q / q.sum(axis=1, keepdims=True)).astype(np.float32)
    true = draw(rng, q)
    label = draw(rng, rates[true])
    return q, label, label != true


def symmetric(n_classes: int, rate: float) -> Floats:
    return np.where(np.eye(n_classes, dtype=bool), 1 - rate, rate / (n_classes - 1))


def dense_rates(noise: Noise, n_classes: int) -> Floats:
    """T of the named classes, (C, C)."""
    log_rates = np.repeat(noise.log_unseen[:n_classes, None], n_classes, axis=1)
    named = noise.pairs < n_classes**2
    log_rates[noise.pairs[named] // n_classes, noise.pairs[named] % n_classes] = noise.log_rates[named]
    return np.asarray(np.exp(log_rates))


@pytest.mark.parametrize("n_classes", [3, 30])
def test_the_fitted_rates_are_probabilities(n_classes: int) -> None:
    """Also of pairs that do not occur, and of classes that are beyond the candidates of most rows."""
    q, label, _ = world(500, symmetric(n_classes, 0.2), sharpness=2.0)
    noise = fit_noise(best_classes(q, label), n_classes)
    assert (noise.pairs < n_classes**2).sum() < n_classes**2 or n_classes == 3
    rates = dense_rates(noise, n_classes)
    assert rates.sum(axis=1) == pytest.approx(1.0)
    of_the_rest = np.exp(noise.log_rates[noise.pairs >= n_classes**2])
    assert len(of_the_rest) == (n_classes if n_classes > CANDIDATES + 1 else 0)
    assert (of_the_rest > 0).all()
    assert (of_the_rest * (n_classes - 1) < 1).all()


def test_rows_beyond_the_fits_sample_are_scored_like_those_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    q, label, wrong = world(6000, symmetric(15, 0.3), sharpness=8.0)
    monkeypatch.setattr(score, "FIT_ROWS", 3000)
    p = score_labels(q, label)
    inside = np.zeros(6000, np.bool_)
    inside[score.some(6000, 3000)] = True
    for part in (inside, ~inside):
        assert p[part].sum() == pytest.approx(wrong[part].sum(), rel=0.15)


def test_rows_in_a_periodic_order_are_sampled_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every second row wrong, and every second row drawn, would look like nothing but right rows."""
    monkeypatch.setattr(score, "FIT_ROWS", 2000)
    n = 3999
    true = np.arange(n) // 2 % 4
    label = np.where(np.arange(n) % 2, (true + 1) % 4, true)
    q = np.full((n, 4), 0.01, np.float32)
    q[np.arange(n), true] = 0.97
    assert score_labels(q, label)[1::2].mean() > 0.9
    picked = score.some(n, 2000)
    assert 0.45 < (picked % 2).mean() < 0.55


@pytest.mark.parametrize("kind", ["symmetric", "pairs"])
def test_the_noise_between_classes_is_recovered(kind: str) -> None:
    n_classes = 5
    rates = symmetric(n_classes, 0.3)
    if kind == "pairs":  # class c becomes c + 1
        rates = 0.7 * np.eye(n_classes) + 0.3 * np.roll(np.eye(n_classes), 1, axis=1)
    q, label, _ = world(20_000, rates)
    noise = fit_noise(best_classes(q, label), n_classes)
    assert noise.temperature == pytest.approx(1.0, abs=0.15)
    found = dense_rates(noise, n_classes)
    assert found == pytest.approx(rates, abs=0.03)
    assert found.sum(axis=1) == pytest.approx(1.0)


@pytest.mark.parametrize("exponent", [0.5, 2.0])
def test_over_and_under_confidence_is_undone(exponent: float) -> None:
    """q^exponent, normalised, needs the temperature `exponent` to be q again."""
    q, label, _ = world(20_000, symmetric(4, 0.2), sharpness=4.0)
    bent = q.astype(np.float64) ** exponent
    bent /= bent.sum(axis=1, keepdims=True)
    noise = fit_noise(best_classes(bent.astype(np.float32), label), 4)
    assert noise.temperature == pytest.approx(exponent, rel=0.15)


@pytest.mark.parametrize("n_classes", [2, 4, 11, 12])
@pytest.mark.parametrize("rate", [0.05, 0.3])
def test_the_probabilities_are_calibrated(n_classes: int, rate: float) -> None:
    q, label, wrong = world(20_000, symmetric(n_classes, rate), sharpness=7.0)
    p = score_labels(q, label)
    assert p.sum() == pytest.approx(wrong.sum(), rel=0.1)
    for low in np.arange(0, 1, 0.2):
        part = (p >= low) & (p < low + 0.2)
        if part.sum() >= 100:
            deviation = np.sqrt(p[part].mean() * (1 - p[part].mean()) / part.sum())
            assert wrong[part].mean() == pytest.approx(p[part].mean(), abs=0.02 + 3 * deviation)


@pytest.mark.parametrize("n_classes", [25, 100])
def test_with_many_classes_the_count_is_near(n_classes: int) -> None:
    """The given class is a candidate in every row; that alone must not make it look likely."""
    q, label, wrong = world(10_000, symmetric(n_classes, 0.3), sharpness=8.0)
    assert 0.9 < score_labels(q, label).sum() / wrong.sum() < 1.25


def test_a_temperature_that_is_given_is_kept() -> None:
    q, label, _ = world(2000, symmetric(4, 0.2))
    candidates = best_classes(q, label)
    assert fit_noise(candidates, 4, 2.0).temperature == 2.0
    assert fit_noise(candidates, 4).temperature < 1.5


def test_wrong_labels_rank_above_right_ones() -> None:
    from sklearn.metrics import roc_auc_score

    q, label, wrong = world(5000, symmetric(10, 0.2), sharpness=8.0)
    assert roc_auc_score(wrong, score_labels(q, label)) > 0.97


def test_clean_labels_are_hardly_doubted() -> None:
    q, label, wrong = world(5000, np.eye(6), sharpness=9.0)
    assert not wrong.any()
    p = score_labels(q, label)
    assert p.mean() < 0.01
    assert (p > 0.5).mean() < 0.005


def test_certain_probabilities_do_not_break_it() -> None:
    """Saturated float32: q is exactly 0 or 1, with one label in ten against it."""
    true = np.arange(500) % 5
    label = np.where(np.arange(500) % 10 == 0, (true + 1) % 5, true)
    p = score_labels(np.eye(5, dtype=np.float32)[true], label)
    assert np.isfinite(p).all()
    assert p[label != true].min() > 0.9
    assert p[label == true].max() < 0.01


def test_a_class_without_a_row_and_a_class_with_one() -> None:
    """Class 3 is known by name only (its images cannot be read), class 2 has one row."""
    probs = np.tile(np.array([[0.97, 0.01, 0.01, 0.01], [0.01, 0.97, 0.01, 0.01]], np.float32), (20, 1))
    probs = np.concatenate([probs, np.array([[0.02, 0.02, 0.95, 0.01]], np.float32)])
    label = np.array([0, 1] * 20 + [2])
    p = score_labels(probs, label)
    assert np.isfinite(p).all()
    assert p.max() < 0.5


def test_the_order_of_rows_does_not_matter() -> None:
    q, label, _ = world(400, symmetric(4, 0.2))
    order = np.random.default_rng(1).permutation(400)
    assert score_labels(q[order], label[order]) == pytest.approx(score_labels(q, label)[order], abs=1e-9)


def test_the_inputs_are_left_alone() -> None:
    q, label, _ = world(50, symmetric(4, 0.2))
    before = q.copy(), label.copy()
    score_labels(q, label)
    assert np.array_equal(q, before[0])
    assert np.array_equal(label, before[1])

"""Noise that depends on the image: Bayes' rule written out, what labels tell of it, and many classes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax
from sklearn.metrics import average_precision_score

from noiseaudit import image_noise
from noiseaudit.image_noise import ImageNoise, fit_image_noise, p_mislabeled
from noiseaudit.score import CANDIDATES, Codes, Floats, best_classes, fit_noise, score_with_noise

Probs = npt.NDArray[np.float32]


def label_likelihood(q: Floats, rates: Floats, gamma: float) -> Floats:
    """p(y_hat | y, x) of all pairs, written out: (n, y, y_hat)."""
    weighed = rates[None] * q[:, None, :] ** gamma
    return np.asarray(weighed / weighed.sum(axis=2, keepdims=True))


def with_rest(rates: Floats) -> Floats:
    """T as ImageNoise has it, with a last class that nothing is."""
    full = np.zeros((len(rates) + 1, len(rates) + 1))
    full[:-1, :-1] = rates
    full[-1] = 0.1
    return full


@settings(max_examples=40)
@given(st.integers(2, CANDIDATES + 1), st.floats(0.0, 1.0), st.floats(0.4, 3.0), st.integers(0, 10_000))
def test_it_is_bayes_rule_up_to_11_classes(n_classes: int, gamma: float, tau: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    probs = rng.dirichlet(np.ones(n_classes), size=15).astype(np.float32).clip(1e-4)
    label, rates = rng.integers(n_classes, size=15), rng.dirichlet(np.ones(n_classes), size=n_classes)
    q = probs.astype(np.float64) ** (1 / tau)
    q /= q.sum(axis=1, keepdims=True)
    rows = np.arange(15)
    joint = q * label_likelihood(q, rates, gamma)[rows, :, label]
    expected = 1 - joint[rows, label] / joint.sum(axis=1)
    found = p_mislabeled(best_classes(probs, label), ImageNoise(with_rest(rates), tau, gamma))
    assert found == pytest.approx(expected, abs=1e-9)


def world(
    gamma: float, n: int = 6_000, n_classes: int = 5, rate: float = 0.2, seed: int = 0
) -> tuple[Probs, Codes, Codes]:
    """Predictions, true classes drawn from them, and labels by the model itself."""
    rng = np.random.default_rng(seed)
    q = softmax(rng.normal(0, 3, (n, n_classes)), axis=1)
    rates = np.full((n_classes, n_classes), rate / (n_classes - 1))
    np.fill_diagonal(rates, 1 - rate)
    true = (q.cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)
    of_true = label_likelihood(q, rates, gamma)[np.arange(n), true]
    label = (of_true.cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)
    return q.astype(np.float32), true, label


def test_noise_by_class_has_no_gamma_and_its_count_is_found_again() -> None:
    q, true, label = world(0.0)
    candidates, wrong = best_classes(q, label), int((label != true).sum())
    found = fit_image_noise(candidates, fit_noise(candidates, 5), 5)
    assert found.gamma < 0.05
    assert found.temperature == pytest.approx(1, abs=0.05)
    assert p_mislabeled(candidates, found).sum() == pytest.approx(wrong, rel=0.1)


def test_noise_by_image_has_a_gamma_but_labels_tell_little_of_it() -> None:
    """The likelihood is within 3 nats for any gamma up to 0.5 here, the count between 58 and 489, and 465 are wrong."""
    q, true, label = world(0.5)
    candidates, wrong = best_classes(q, label), int((label != true).sum())
    found = fit_image_noise(candidates, fit_noise(candidates, 5), 5)
    assert found.gamma > 0.1
    by_class, by_image = score_with_noise(q, label).p.sum(), p_mislabeled(candidates, found).sum()
    assert 1.4 * by_class < by_image < wrong


def test_without_gamma_the_fit_is_that_of_the_other_reading() -> None:
    q, _, label = world(0.0, n=2_000)
    candidates = best_classes(q, label)
    noise = fit_noise(candidates, 5)
    start = np.full((6, 6), 0.05) + 0.7 * np.eye(6)
    start[:-1, -1] = 0
    start[:-1] /= start[:-1].sum(axis=1, keepdims=True)
    found, _ = image_noise._fit_rates(image_noise._rows(candidates, 5, noise.temperature, 0.0), start, 200)
    assert found[:5, :5] == pytest.approx(image_noise._start(noise, 5)[:5, :5], abs=2e-3)


def test_a_label_is_normalised_over_all_classes_where_only_some_are_candidates() -> None:
    """By loops: classes beyond the candidates weigh what one of the rest does."""
    n_classes, gamma, rng = CANDIDATES + 4, 0.3, np.random.default_rng(3)
    q = rng.dirichlet(np.ones(n_classes), size=7).astype(np.float32)
    candidates = best_classes(q, rng.integers(n_classes, size=7))
    rates = np.zeros((n_classes + 1, n_classes + 1))
    rates[:-1, :-1] = rng.dirichlet(np.ones(n_classes), size=n_classes)
    rates[-1] = 0.01
    found, total = image_noise._log_likelihood(image_noise._rows(candidates, n_classes, 1.0, gamma), rates)
    for i, codes in enumerate(candidates.codes):
        rest = 1 - q[i, codes[:-1]].astype(np.float64).sum()
        weight = np.full(n_classes, (rest / candidates.n_rest) ** gamma)
        weight[codes[:-1]] = q[i, codes[:-1]].astype(np.float64) ** gamma
        for k, y in enumerate(codes[:-1]):
            assert total[i, k] == pytest.approx(rates[y, :-1] @ weight, rel=1e-5)
            share = rates[y, codes[0]] * weight[codes[0]] / (rates[y, :-1] @ weight)
            assert found[i, k] == pytest.approx(np.log(share), rel=1e-5)
        assert found[i, -1] == pytest.approx(np.log(0.01))


def test_planted_noise_of_many_classes_has_no_gamma_and_is_read_once() -> None:
    """More classes than candidates, with as few labels as are taken."""
    n_classes = CANDIDATES + 10
    rng = np.random.default_rng(0)
    n = image_noise.ROWS_A_CLASS * n_classes
    true = rng.integers(n_classes, size=n)
    q = softmax(rng.normal(0, 1, (n, n_classes)) + 6 * np.eye(n_classes)[true], axis=1).astype(np.float32)
    label = np.where(rng.random(n) < 0.2, (true + rng.integers(1, n_classes, n)) % n_classes, true)
    candidates, by_class = best_classes(q, label), score_with_noise(q, label)
    assert by_class.noise is not None
    found = fit_image_noise(candidates, by_class.noise, n_classes)
    assert found.gamma < 0.02
    assert average_precision_score(label != true, p_mislabeled(candidates, found)) > 0.99


def test_with_more_classes_than_candidates_and_no_gamma_both_readings_agree() -> None:
    q, _, label = world(0.0, n=800, n_classes=CANDIDATES + 8)
    candidates = best_classes(q, label)
    noise = fit_noise(candidates, CANDIDATES + 8)
    rates = image_noise._start(noise, CANDIDATES + 8)
    found = p_mislabeled(candidates, ImageNoise(rates, noise.temperature, 0.0))
    assert found == pytest.approx(score_with_noise(q, label).p, abs=0.01)


def test_rows_are_scored_alike_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    q, _, label = world(0.3, n=50)
    candidates, noise = best_classes(q, label), ImageNoise(with_rest(np.full((5, 5), 0.2)), 1.0, 0.3)
    whole = p_mislabeled(candidates, noise)
    monkeypatch.setattr(image_noise, "CHUNK", 7)
    assert (p_mislabeled(candidates, noise) == whole).all()


@pytest.mark.parametrize(
    ("labels", "classes", "expected"), [(1_000, 10, True), (999, 10, False), (10**6, 101, False)]
)
def test_how_many_labels_are_enough(labels: int, classes: int, expected: bool) -> None:
    assert image_noise.has_enough(labels, classes) is expected


def test_an_improbable_label_beside_many_classes_is_not_lost() -> None:
    """q of the given class far below that of the rest: no logarithm of 0."""
    q = np.full((4, CANDIDATES + 5), 1e-3, np.float64)
    q[:, 0], q[:, 1] = 0.99, 1e-30
    q = (q / q.sum(axis=1, keepdims=True)).astype(np.float32)
    rates = np.full((CANDIDATES + 6, CANDIDATES + 6), 1 / (CANDIDATES + 5))
    rates[:-1, -1] = 0
    found = p_mislabeled(best_classes(q, np.ones(4, np.int64)), ImageNoise(rates, 0.5, 0.3))
    assert np.isfinite(found).all()
    assert (found > 0.99).all()

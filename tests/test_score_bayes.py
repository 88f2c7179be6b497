"""p_mislabeled is Bayes' rule: against brute force, by hand, and at the edges of what numbers can hold."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from noiseaudit.score import (
    CANDIDATES,
    Codes,
    Floats,
    Noise,
    best_classes,
    p_mislabeled,
)
from tests.scoring import score_labels

Probs = npt.NDArray[np.float32]


def noise_of(rates: Floats, temperature: float) -> Noise:
    """A noise model that has seen every pair of classes."""
    n_classes = len(rates)
    return Noise(np.arange(n_classes**2), np.log(rates.ravel()), np.zeros(n_classes + 1), temperature)


def bayes(probs: Probs, label: Codes, rates: Floats, temperature: float) -> Floats:
    """1 - q^(1/tau)[y_hat] T[y_hat, y_hat] / sum_y q^(1/tau)[y] T[y, y_hat], written out."""
    joint = probs.astype(np.float64) ** (1 / temperature) * rates.T[label]
    return np.asarray(1 - joint[np.arange(len(label)), label] / joint.sum(axis=1))


@settings(max_examples=40)
@given(n_classes=st.integers(2, CANDIDATES + 1), temperature=st.floats(0.3, 5.0), seed=st.integers(0, 10_000))
def test_it_is_bayes_rule_up_to_11_classes(n_classes: int, temperature: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    probs = rng.dirichlet(np.ones(n_classes), size=20).astype(np.float32)
    label = rng.integers(n_classes, size=20)
    rates = rng.dirichlet(np.ones(n_classes), size=n_classes)
    got = p_mislabeled(best_classes(probs, label), noise_of(rates, temperature), n_classes)
    assert got == pytest.approx(bayes(probs, label, rates, temperature), abs=1e-9)


def test_bayes_by_hand() -> None:
    """q = (0.8, 0.2), given class 1, T = [[0.9, 0.1], [0.3, 0.7]]: 0.8 x 0.1 against 0.2 x 0.7."""
    candidates = best_classes(np.array([[0.8, 0.2]], np.float32), np.array([1]))
    noise = noise_of(np.array([[0.9, 0.1], [0.3, 0.7]]), 1.0)
    assert p_mislabeled(candidates, noise, 2) == pytest.approx([0.08 / 0.22])


def test_pairs_that_the_fit_did_not_see_have_the_rate_that_it_would_give_them() -> None:
    candidates = best_classes(np.array([[0.5, 0.3, 0.2]], np.float32), np.array([2]))
    unseen = np.log([0.01, 0.02, 0.03, 0.04])
    noise = Noise(np.array([0, 4, 8]), np.log([0.9, 0.9, 0.9]), unseen, 1.0)
    joint = np.array([0.5 * 0.01, 0.3 * 0.02, 0.2 * 0.9])
    assert p_mislabeled(candidates, noise, 3) == pytest.approx([1 - joint[2] / joint.sum()])


def test_the_candidates_are_the_given_class_and_the_best_others() -> None:
    probs = np.random.default_rng(0).dirichlet(np.ones(40), size=30).astype(np.float32)
    label = np.arange(30)
    codes, log_probs, n_rest = best_classes(probs, label)
    assert codes.shape == (30, CANDIDATES + 2)
    assert (codes[:, -1] == 40).all()
    assert n_rest == 40 - (CANDIDATES + 1)
    for row in range(30):
        others = [y for y in np.argsort(-probs[row]) if y != label[row]][:CANDIDATES]
        named = [label[row], *others]
        assert codes[row, :-1].tolist() == named
        beside = (1 - probs[row, named].sum()) / n_rest
        assert np.exp(log_probs[row]) == pytest.approx([*probs[row, named], beside], abs=1e-6)


@settings(max_examples=60)
@given(seed=st.integers(0, 10_000), share=st.floats(0.05, 0.95))
def test_doubt_rises_as_the_given_labels_probability_falls(seed: int, share: float) -> None:
    """The others keep their proportions to one another, and the noise is what it was."""
    rng = np.random.default_rng(seed)
    probs = rng.dirichlet(np.ones(5), size=1).astype(np.float32)
    label = rng.integers(5, size=1)
    lower = probs.copy()
    lower[0, label] *= share
    lower /= lower.sum()
    rates = rng.dirichlet(np.ones(5), size=5)
    noise = noise_of(rates, float(rng.uniform(0.5, 3)))
    before, after = (float(p_mislabeled(best_classes(q, label), noise, 5)[0]) for q in (probs, lower))
    assert after > before


def test_small_doubts_keep_their_precision() -> None:
    """As a sum over the other classes, not one minus something: 1e-20 is not rounded to 0."""
    candidates = best_classes(np.array([[1.0, 1e-20]], np.float32), np.array([0]))
    noise = noise_of(np.array([[0.9, 0.1], [0.1, 0.9]]), 1.0)
    assert p_mislabeled(candidates, noise, 2)[0] == pytest.approx(1e-20 * 0.1 / 0.9, rel=1e-5, abs=0)


def test_no_row() -> None:
    assert score_labels(np.zeros((0, 3), np.float32), np.zeros(0, np.int64)).shape == (0,)


def test_one_row() -> None:
    assert 0 <= score_labels(np.array([[0.5, 0.5]], np.float32), np.array([0]))[0] <= 1


def test_rounding_takes_no_probability_above_one() -> None:
    """Without the clip this world has some at 1 + 2e-16, which readers of the audit refuse."""
    rng, n_classes = np.random.default_rng(0), 5
    logits = rng.normal(0, 15, (20_000, n_classes))
    q = np.exp(logits)
    q = (q / q.sum(axis=1, keepdims=True)).astype(np.float32)
    label = rng.integers(n_classes, size=len(q))
    found = p_mislabeled(
        best_classes(q, label), noise_of(np.full((n_classes, n_classes), 0.2), 1.0), n_classes
    )
    assert found.max() == 1

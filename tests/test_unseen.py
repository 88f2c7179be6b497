"""p_mislabeled of labels that no network was trained on."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import expit, logit, softmax

from noiseaudit.data.inputs import Kind
from noiseaudit.image_noise import p_mislabeled as by_image_p
from noiseaudit.score import Codes, Noise, best_classes, score_with_noise
from noiseaudit.unseen import Unseen, read_unseen, score_unseen
from tests.test_image_noise import Probs, world

TWO = Noise(
    pairs=np.arange(4),
    log_rates=np.log([0.9, 0.1, 0.2, 0.8]),  # T[0, 0], T[0, 1], T[1, 0], T[1, 1]
    log_unseen=np.log([0.5, 0.5, 0.5]),
    temperature=2.0,
)


def test_it_is_bayes_rule_with_the_scans_noise() -> None:
    probs, given = np.array([[0.2, 0.8]], np.float32), np.array([0])
    right, wrong = math.sqrt(0.2) * 0.9, math.sqrt(0.8) * 0.2
    plain = score_unseen(Unseen(TWO, None, 1.0), probs, given)
    assert plain.p == pytest.approx([wrong / (right + wrong)], rel=1e-6)
    assert plain.counts == ()
    calmer = score_unseen(Unseen(TWO, None, 0.5), probs, given)
    assert calmer.p == pytest.approx(expit(0.5 * logit(plain.p)))


def sharp(n: int, seed: int) -> tuple[Probs, Codes]:
    """Predictions of a good network, and labels with a fifth planted wrong."""
    rng = np.random.default_rng(seed)
    true = rng.integers(5, size=n)
    q = softmax(rng.normal(0, 1, (n, 5)) + 6 * np.eye(5)[true], axis=1).astype(np.float32)
    return q, np.where(rng.random(n) < 0.2, (true + rng.integers(1, 5, n)) % 5, true)


def test_nothing_is_taken_back_of_what_was_not_taught() -> None:
    """A scan of the same rows through the noise takes a pull back; here the noise and the slope are all."""
    q, given = sharp(2_000, 0)
    noise = read_unseen(q, given, Kind.IMAGES, noise_known=True)
    assert (noise.slope, noise.by_image) == (0.9, None)
    expected = expit(0.9 * logit(score_with_noise(q, given).p.clip(1e-300, 1 - 1e-16)))
    assert score_unseen(noise, q, given).p == pytest.approx(expected, rel=1e-6)


def test_rows_are_judged_one_by_one() -> None:
    q, given = sharp(2_000, 0)
    noise, (new, labels) = read_unseen(q, given, Kind.IMAGES, noise_known=True), sharp(300, 1)
    together = score_unseen(noise, new, labels).p
    apart = [score_unseen(noise, new[i : i + 1], labels[i : i + 1]).p[0] for i in range(300)]
    np.testing.assert_array_equal(together, apart)
    assert together.sum() == pytest.approx(60, abs=12)


def test_the_calmer_slope_of_wide_vectors_is_for_labels_learnt_by_heart() -> None:
    q, given = sharp(600, 0)
    slopes = [
        read_unseen(q, given, kind, noise_known=True).slope for kind in (Kind.WIDE_VECTORS, Kind.VECTORS)
    ]
    assert slopes == [0.7, 0.7]


def test_a_second_reading_is_pooled_with_the_first() -> None:
    q, _, label = world(0.5)
    noise = read_unseen(q, label, Kind.VECTORS, noise_known=False)
    assert noise.by_image is not None
    scored, candidates = score_unseen(noise, q[:50], label[:50]), best_classes(q[:50], label[:50])
    first = score_unseen(Unseen(noise.by_class, None, 1.0), q[:50], label[:50]).p
    second = by_image_p(candidates, noise.by_image)
    assert scored.p == pytest.approx(expit(0.7 * (logit(first) + logit(second)) / 2))
    assert scored.counts == pytest.approx([expit(0.7 * logit(p)).sum() for p in (first, second)])


def test_no_label_has_no_score() -> None:
    found = score_unseen(Unseen(TWO, None, 1.0), np.zeros((0, 2), np.float32), np.zeros(0, np.int64))
    assert (len(found.p), found.counts) == (0, ())

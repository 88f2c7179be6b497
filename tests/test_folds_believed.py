"""How much networks of folds are believed: the order of their pool, and how many labels are wrong."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from scipy.special import expit, logit

from noiseaudit.course import EpochRecord, Fitted
from noiseaudit.crossfit import LEAST_COUNT, CrossFitted, believe_folds, pooled
from noiseaudit.data.inputs import Kind
from noiseaudit.readings import score_readings
from noiseaudit.score import Scored, score_with_noise
from tests.test_image_noise import world


def images(probs: np.ndarray[Any, Any], given: np.ndarray[Any, Any]) -> Scored:
    return score_readings(probs, given, Kind.IMAGES, noise_known=False)


def crossed_of(alone: float, apart: float, n: int = 200) -> tuple[CrossFitted, np.ndarray[Any, Any]]:
    """Two classes; the first fifth of the labels is doubted, by networks of such confidence."""
    doubted, given = np.arange(n) < n // 5, np.arange(n) % 2

    def predictions(right: float) -> np.ndarray[Any, Any]:
        own = np.where(doubted, 1 - right, right)[:, None]
        return np.where(np.eye(2, dtype=np.bool_)[given], own, 1 - own).astype(np.float32)

    none: Any = None
    empty = np.zeros(n, np.float32)
    last = EpochRecord(1, {}, empty, empty, empty, empty, 0.0)
    pool = pooled(predictions(alone), predictions(apart))
    fitted = Fitted(pool, none, np.arange(n), none, none, last, none)
    hidden = np.ones(n, np.bool_)
    return CrossFitted(fitted, 5, predictions(alone), predictions(apart), hidden), given


@pytest.mark.parametrize("kind", [Kind.VECTORS, Kind.IMAGES])
def test_the_count_lies_between_both_networks_but_on_images_and_the_order_stays(kind: Kind) -> None:
    crossed, given = crossed_of(0.9, 0.7)
    believed = believe_folds(crossed, given, kind)

    def p_of(probs: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return score_readings(probs, given, kind, noise_known=False).p

    alone, apart = (p_of(probs).sum() for probs in (crossed.alone, crossed.apart))
    assert abs(alone - apart) > 1
    assert believed.counts == pytest.approx([alone, apart])
    expected = alone if kind is Kind.IMAGES else np.sqrt(alone * apart)
    assert believed.p_mislabeled.sum() == pytest.approx(expected)
    by = logit(believed.p_mislabeled) - 0.7 * logit(p_of(crossed.fitted.guider_mean))
    assert by == pytest.approx(np.full(200, by[0]), abs=1e-6)


def test_without_folds_the_pool_is_scored_as_it_is() -> None:
    crossed, given = crossed_of(0.9, 0.7)
    plain = believe_folds(crossed._replace(folds=0, hidden=~crossed.hidden), given, Kind.IMAGES)
    assert (plain.p_mislabeled == images(crossed.fitted.guider_mean, given).p).all()


def test_a_network_that_repeats_all_labels_does_not_take_the_count_to_nothing() -> None:
    crossed, given = crossed_of(0.9, 0.7)
    repeated = np.eye(2, dtype=np.float32)[given]
    believed = believe_folds(crossed._replace(alone=repeated), given, Kind.VECTORS)
    alone, apart = believed.counts
    assert alone < 0.01 * apart
    assert believed.p_mislabeled.sum() == pytest.approx(apart * LEAST_COUNT**0.5)


@pytest.mark.parametrize(("folds", "slope"), [(0, 0.45), (5, 0.7 * 0.7)])
def test_wide_vectors_are_believed_less_where_no_fold_hid_the_label(folds: int, slope: float) -> None:
    crossed, given = crossed_of(0.9, 0.7)
    by = logit(believe_folds(crossed._replace(folds=folds), given, Kind.WIDE_VECTORS).p_mislabeled)
    raw = logit(score_with_noise(crossed.fitted.guider_mean, given).p)
    assert np.ptp(by - slope * raw) == pytest.approx(0, abs=1e-6)


def test_what_a_network_knew_of_the_noise_decides_how_it_is_read() -> None:
    q, _, label = world(0.5, n=1_500)
    crossed, _ = crossed_of(0.9, 0.7, n=1_500)
    found = []
    for known in (True, False):
        fitted = dataclasses.replace(crossed.fitted, guider_mean=q, noise_known=known)
        whole = crossed._replace(fitted=fitted, folds=0, hidden=~crossed.hidden)
        found.append(believe_folds(whole, label, Kind.IMAGES).p_mislabeled)
        assert (found[-1] == score_readings(q, label, Kind.IMAGES, noise_known=known).p).all()
    assert found[0].sum() > 1.05 * found[1].sum()


def test_more_of_the_pull_is_taken_back_where_others_have_no_label() -> None:
    """Twice as many rows as labels: the root of two times as much."""
    q, _, label = world(0.5, n=1_500)
    crossed, _ = crossed_of(0.9, 0.7, n=1_500)
    found = []
    for unlabelled in (0, 1_500):
        probs = np.concatenate([q, q[:unlabelled]])
        fitted = dataclasses.replace(crossed.fitted, guider_mean=probs, noise_known=True)
        whole = crossed._replace(fitted=fitted, folds=0, hidden=~crossed.hidden)
        found.append(logit(believe_folds(whole, label, Kind.IMAGES).p_mislabeled) / 0.9)
    unpulled = logit(score_with_noise(q, label).p)
    assert (found[0] - unpulled > 0.5).any()
    assert found[1] - unpulled == pytest.approx(2**0.5 * (found[0] - unpulled), abs=1e-6)


def test_the_pull_is_taken_back_from_the_networks_that_were_pulled() -> None:
    """All of it from the one that saw all labels, none from those that did not, half from the pool; the last two
    labels were never hidden.
    """
    q, _, label = world(0.5, n=1_500)
    sharp, calm = (q**power / (q**power).sum(axis=1, keepdims=True) for power in (1.3, 0.6))
    pool = pooled(sharp, calm)
    crossed, _ = crossed_of(0.9, 0.7, n=1_500)
    hidden = np.arange(1_500) < 1_498
    fitted = dataclasses.replace(crossed.fitted, guider_mean=pool, noise_known=True)
    believed = believe_folds(
        crossed._replace(fitted=fitted, alone=sharp, apart=calm, hidden=hidden), label, Kind.IMAGES
    )

    def read(probs: np.ndarray[Any, Any], taught: Any) -> np.ndarray[Any, Any]:
        unpulled = logit(score_with_noise(probs, label).p)
        pull = logit(score_readings(probs, label, Kind.IMAGES, noise_known=True).p) / 0.9 - unpulled
        assert (pull > 0.5).any()
        return np.asarray(0.9 * (unpulled + taught * pull))

    by = logit(believed.p_mislabeled) - 0.7 * read(pool, np.where(hidden, 0.5, 1.0))
    assert np.ptp(by) == pytest.approx(0, abs=1e-6)
    alone, apart = expit(read(sharp, 1.0)).sum(), expit(read(calm, ~hidden)).sum()
    assert alone > 2 * apart
    assert believed.counts[-2:] == pytest.approx([alone, apart])
    assert believed.p_mislabeled.sum() == pytest.approx(alone)

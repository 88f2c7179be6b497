"""Measures of calibration: by hand, against scikit-learn, and on probabilities that are right by construction."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss
from sklearn.metrics import log_loss as sklearn_log_loss

from noiseaudit.calibration import (
    brier,
    calibration,
    expected_calibration_error,
    log_loss,
    recalibrated,
    reliability,
)
from noiseaudit.metrics import proportion


def test_the_expected_calibration_error_by_hand() -> None:
    p = np.array([0.1, 0.9, 0.2, 0.8, 0.3, 0.7])
    wrong = np.array([False, True, True, True, False, False])
    # bins of two by p: {0.1, 0.2}: 0.15 against 0.5; {0.3, 0.7}: 0.5 against 0; {0.8, 0.9}: 0.85 against 1
    assert expected_calibration_error(p, wrong, bins=3) == pytest.approx((0.35 + 0.5 + 0.15) / 3)
    assert expected_calibration_error(p, wrong, bins=1) == pytest.approx(0)
    assert expected_calibration_error(p, wrong, bins=99) == pytest.approx(np.abs(p - wrong).mean())


def test_brier_and_log_loss_are_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    p, wrong = rng.random(500), rng.random(500) < 0.3
    assert brier(p, wrong) == pytest.approx(brier_score_loss(wrong, p))
    assert log_loss(p, wrong) == pytest.approx(sklearn_log_loss(wrong, p))
    assert np.isfinite(log_loss(np.array([0.0, 1.0]), np.array([True, False])))


def test_right_probabilities_gain_nothing_from_recalibration_and_flattened_ones_do() -> None:
    rng = np.random.default_rng(1)
    p = rng.beta(0.3, 1.2, 20_000)
    wrong = rng.random(len(p)) < p
    right = calibration(p, wrong)
    assert right.ece < 0.012
    assert right.count_ratio == pytest.approx(1, abs=0.03)
    assert right.brier <= right.best_brier * 1.005
    assert right.log_loss <= right.best_log_loss * 1.02
    odds = (p / (1 - p)) ** 3  # thrice as sure of itself
    sharp = calibration(odds / (1 + odds), wrong)
    assert sharp.ece > 0.05
    assert sharp.brier > 1.1 * sharp.best_brier
    assert sharp.best_brier == pytest.approx(right.best_brier, rel=0.01)


def test_recalibration_keeps_the_order_and_never_sees_a_rows_own_truth() -> None:
    rng = np.random.default_rng(2)
    p, wrong = rng.random(100), rng.random(100) < 0.5
    before = recalibrated(p, wrong)
    flipped = wrong.copy()
    flipped[7] = not flipped[7]
    assert recalibrated(p, flipped)[7] == before[7]
    assert not np.array_equal(recalibrated(p, flipped), before)


def test_no_wrong_label() -> None:
    found = calibration(np.full(10, 0.01), np.zeros(10, np.bool_))
    assert found.count_ratio is None
    assert found.ece == pytest.approx(0.01)


def test_reliability_by_hand() -> None:
    p = np.array([0.0, 0.04, 0.1, 0.95, 1.0, 0.97])
    wrong = np.array([False, True, False, True, True, False])
    low, next_one, high = reliability(p, wrong)
    assert (low.low, low.high, low.n, low.mean) == pytest.approx((0.0, 0.1, 2, 0.02))
    assert low.wrong == proportion(1, 2)
    assert (next_one.low, next_one.high, next_one.n, next_one.mean) == pytest.approx((0.1, 0.2, 1, 0.1))
    assert (high.low, high.high, high.n, high.mean) == pytest.approx((0.9, 1.0, 3, 2.92 / 3))
    assert high.wrong == proportion(2, 3)


def test_reliability_of_right_probabilities() -> None:
    rng = np.random.default_rng(3)
    p = rng.random(50_000)
    found = reliability(p, rng.random(len(p)) < p)
    assert sum(each.n for each in found) == len(p)
    assert [each.wrong.value for each in found] == pytest.approx([each.mean for each in found], abs=0.03)

"""Labels learnt by heart are noticed, and then the unlabelled rows around them are asked, by hand."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from noiseaudit.course import EpochRecord, Fitted
from noiseaudit.neighbours import believe, neighbours_mean, share_by_heart
from noiseaudit.score import score_labels

Probs = npt.NDArray[np.float32]


def probs(*rows: tuple[float, float]) -> Probs:
    return np.array(rows, np.float32)


def fitted(mean: Probs, latent: list[float], labelled: list[int]) -> Fitted:
    k = len(labelled)
    zeros = np.zeros(k, np.float32)
    last = EpochRecord(1, {}, zeros, zeros, zeros, 0.0)
    place = np.array(latent, np.float32)[:, None]
    return Fitted(mean, place, np.array(labelled), zeros, last, zeros)


def two_groups(own: Probs) -> Fitted:
    """Two labelled rows, each among ten unlabelled ones of its own class."""
    around = np.repeat(probs((0.9, 0.1), (0.2, 0.8)), 10, axis=0)
    place = [0.0, 100.0, *np.linspace(-1, 1, 10).tolist(), *np.linspace(99, 101, 10).tolist()]
    return fitted(np.concatenate([own, around]), place, [0, 1])


def test_the_share_learnt_by_heart_by_hand() -> None:
    given = np.zeros(5, np.int64)
    own = probs((0.9, 0.1), (0.8, 0.2), (0.7, 0.3), (0.1, 0.9), (0.4, 0.6))
    around = probs((0.9, 0.1), (0.3, 0.7), (0.4, 0.6), (0.2, 0.8), (0.6, 0.4))
    # The neighbourhood doubts rows 1, 2 and 3, of which the network repeats 1 and 2, and supports row 4 against it.
    assert share_by_heart(own, around, given) == pytest.approx((2 - 1) / 3)
    assert share_by_heart(around, own, given) == 0
    assert share_by_heart(own, own, given) == 0
    assert share_by_heart(own, probs(*[(1, 0)] * 5), given) == 0


def test_the_nearest_unlabelled_rows_are_averaged() -> None:
    """5 of 12 rows: the least number; labelled rows are no one's neighbours."""
    mean = np.zeros((14, 2), np.float32)
    mean[:, 0] = np.arange(14) / 14
    mean[:, 1] = 1 - mean[:, 0]
    run = fitted(mean, [0.0, 11.0, *range(1, 13)], [0, 1])
    found = neighbours_mean(run)
    assert found is not None
    # Rows 2 to 6 lie at 1 to 5; rows 10 to 13 at 9 to 12, and row 9 at 8.
    assert found[:, 0] == pytest.approx([np.mean([2, 3, 4, 5, 6]) / 14, np.mean([9, 10, 11, 12, 13]) / 14])
    assert found.sum(1) == pytest.approx([1, 1])


def test_too_few_unlabelled_rows_are_not_asked() -> None:
    mean = np.full((9, 2), 0.5, np.float32)
    assert neighbours_mean(fitted(mean, [0.0] * 9, [0, 1])) is None
    assert neighbours_mean(fitted(mean, [0.0] * 9, [0])) is not None
    run = fitted(mean, [0.0] * 9, list(range(9)))
    believed = believe(run, np.zeros(9, np.int64))
    assert (believed.fitted, believed.by_heart, believed.trust) == (run, 0, 1)
    assert (believed.p_mislabeled == score_labels(mean, np.zeros(9, np.int64))).all()


def test_a_network_that_learnt_a_wrong_label_by_heart_is_not_asked() -> None:
    run = two_groups(
        probs((0.95, 0.05), (0.99, 0.01))
    )  # it repeats label 0 of row 1, which lies among class 1
    believed = believe(run, np.array([0, 0]))
    assert (believed.by_heart, believed.trust) == (1, 0)
    assert believed.p_mislabeled == pytest.approx([0.1, 0.8])
    assert believed.fitted.guider_mean[:2] == pytest.approx(probs((0.9, 0.1), (0.2, 0.8)))
    assert (believed.fitted.guider_mean[2:] == run.guider_mean[2:]).all()
    assert run.guider_mean[0, 0] == np.float32(0.95)


def test_a_network_that_did_not_is_believed() -> None:
    run = two_groups(probs((0.95, 0.05), (0.3, 0.7)))
    given = np.array([0, 0])
    believed = believe(run, given)
    assert (believed.fitted, believed.by_heart, believed.trust) == (run, 0, 1)
    assert (believed.p_mislabeled == score_labels(run.guider_mean[:2], given)).all()


def test_in_between_both_count() -> None:
    """Of 8 doubtful labels one is repeated: by heart 0.125, half the way from 0.05 to 0.2."""
    own = probs((0.9, 0.1), *[(0.1, 0.9)] * 7)
    around = np.tile(probs((0.2, 0.8)), (40, 1))
    run = fitted(np.concatenate([own, around]), [0.0] * 48, list(range(8)))
    given = np.zeros(8, np.int64)
    believed = believe(run, given)
    assert believed.by_heart == 0.125
    assert believed.trust == pytest.approx(0.5)
    assert believed.p_mislabeled == pytest.approx(0.5 * score_labels(own, given) + 0.5 * 0.8, abs=1e-6)
    assert believed.fitted.guider_mean[0] == pytest.approx([0.55, 0.45])

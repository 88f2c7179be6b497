"""Cross-fitting: whose labels are hidden when, what becomes of the predictions, and that it is worth it."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import expit, logit

from noiseaudit.config import AuditConfig
from noiseaudit.course import EpochRecord, Fitted
from noiseaudit.crossfit import (
    LEAST_COUNT,
    CrossFitted,
    believe_folds,
    choose_folds,
    cross_fit,
    looks_clean,
    pooled,
)
from noiseaudit.data.inputs import Inputs, Kind
from noiseaudit.data.training import TrainingData
from noiseaudit.readings import score_readings
from noiseaudit.score import Scored, score_with_noise
from tests.test_image_noise import world

N, CLASSES = 60, 3


def data_of(codes: np.ndarray[Any, Any], **more: Any) -> TrainingData:
    x = torch.from_numpy(np.random.default_rng(0).normal(size=(len(codes), 4)).astype(np.float32))
    return TrainingData(x, torch.arange(len(codes)), torch.from_numpy(codes), CLASSES, **more)


def images(probs: np.ndarray[Any, Any], given: np.ndarray[Any, Any]) -> Scored:
    return score_readings(probs, given, Kind.IMAGES, noise_known=False)


def fitted_of(data: TrainingData, probs: list[float]) -> Fitted:
    """Every row is predicted to be `probs`."""
    labelled = np.flatnonzero(data.codes.numpy() >= 0)
    none: Any = None
    empty = np.zeros(len(labelled), np.float32)
    last = EpochRecord(1, {}, empty, empty, empty, empty, 0.0)
    means = np.tile(np.array(probs, np.float32), (len(data.codes), 1))
    return Fitted(means, none, labelled, none, none, last, none)


def test_the_pool_is_the_normalised_geometric_mean() -> None:
    """sqrt(0.9 x 0.4) = 0.6 and sqrt(0.1 x 0.6) = 0.245: 0.71 and 0.29."""
    first, second = (np.array(rows, np.float32) for rows in ([[0.9, 0.1], [1, 0]], [[0.4, 0.6], [0, 1]]))
    found = pooled(first, second)
    assert found[0] == pytest.approx([0.7101, 0.2899], abs=1e-4)
    assert found[1] == pytest.approx([0.5, 0.5])


def test_every_label_is_hidden_once_and_unlabelled_rows_get_the_mean() -> None:
    codes = np.arange(N) % CLASSES
    codes[:6] = -1
    data, hidden = data_of(codes), np.zeros(N, np.int64)

    def train(part: TrainingData, number: int) -> Fitted:
        left = part.codes.numpy()
        assert number == 1 + hidden.max()
        assert (left[codes < 0] == -1).all()
        assert np.bincount(left[left >= 0]).tolist() == pytest.approx([14.4] * 3, abs=1)  # 18 of each class
        hidden[(left < 0) & (codes >= 0)] = number
        return fitted_of(part, [0.4, 0.6, 0.0])

    crossed = cross_fit(fitted_of(data, [0.9, 0.1, 0.0]), data, 5, 0, train)
    found = crossed.fitted.guider_mean
    assert crossed.folds == 5
    assert (hidden[6:] > 0).all()
    mean = [(0.9 + 5 * 0.4) / 6, (0.1 + 5 * 0.6) / 6, 0.0]
    assert found[:6] == pytest.approx(np.tile(mean, (6, 1)), abs=1e-6)
    # Five networks saw the label and say 0.5 on average: sqrt(0.5 x 0.4) = 0.447 against sqrt(0.5 x 0.6) = 0.548.
    assert found[6:, 0] == pytest.approx(np.full(N - 6, 0.4495), abs=1e-4)
    assert (crossed.alone[:, 0] == np.float32(0.9)).all()
    assert (crossed.apart[:, 0] == np.float32(0.4)).all()


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


def test_trusted_labels_and_rare_classes_are_never_hidden() -> None:
    codes = np.repeat([0, 1, 2], [30, 26, 4])
    data = data_of(codes, trusted=torch.arange(N) < 10)
    hidden: list[int] = []

    def train(part: TrainingData, number: int) -> Fitted:
        hidden.extend(np.flatnonzero(part.codes.numpy() < 0).tolist())
        return fitted_of(part, [0.4, 0.6, 0.0])

    crossed = cross_fit(fitted_of(data, [0.9, 0.1, 0.0]), data, 5, 0, train)
    assert crossed.folds == 5
    assert sorted(hidden) == list(range(10, 56))
    kept = np.r_[:10, 56:60]
    assert np.flatnonzero(~crossed.hidden).tolist() == kept.tolist()
    assert crossed.fitted.guider_mean[kept, 0] == pytest.approx(np.full(14, (0.9 + 5 * 0.4) / 6))
    assert (crossed.apart[kept, 0] == np.float32(0.9)).all()


def test_nothing_is_hidden_where_nothing_would_be_left() -> None:
    same = TrainingData(torch.zeros(N, 4), torch.arange(N), torch.arange(N) % CLASSES, CLASSES)
    few = data_of(np.repeat([0, 1, 2], [4, 4, 4]))
    for data in (same, few):
        fitted = fitted_of(data, [0.9, 0.1, 0.0])
        crossed = cross_fit(fitted, data, 5, 0, pytest.fail)  # type: ignore[arg-type]
        assert (crossed.fitted.guider_mean == fitted.guider_mean).all()
        assert crossed.folds == 0
        assert not crossed.hidden.any()


@pytest.mark.parametrize(
    ("asked", "shape", "labelled", "unlabelled", "expected"),
    [
        ({}, (1280,), 2_000, 0, 5),
        ({}, (1280,), 2_001, 0, 0),
        ({}, (3, 32, 32), 400, 0, 0),
        ({}, (1280,), 100, 399, 5),
        ({}, (1280,), 100, 400, 0),  # unlabelled rows judge there
        ({"fine_tune": True}, (1280,), 400, 0, 0),
        ({"folds": 0}, (1280,), 400, 0, 0),
        ({"folds": 3}, (3, 32, 32), 10**6, 0, 3),
    ],
)
def test_folds_are_for_few_labels_of_features(
    asked: dict[str, Any], shape: tuple[int, ...], labelled: int, unlabelled: int, expected: int
) -> None:
    inputs = Inputs(shape, 10, labelled, labelled + unlabelled)
    assert choose_folds(AuditConfig(**asked), inputs, np.arange(labelled) % 10) == expected


@pytest.mark.parametrize(
    ("asked", "labelled", "unlabelled", "folds"),
    [
        ({}, 1_000, 0, 5),
        ({}, 100, 400, 0),  # unlabelled rows judge there
        ({"folds": 0}, 1_000, 0, 0),
        ({"folds": 3}, 1_000, 0, 3),
        ({"fine_tune": True}, 1_000, 0, 0),
    ],
)
def test_folds_are_for_images_of_few_wrong_labels(
    asked: dict[str, Any], labelled: int, unlabelled: int, folds: int
) -> None:
    inputs, given = Inputs((1, 28, 28), 10, labelled, labelled + unlabelled), np.arange(labelled) % 10
    assert choose_folds(AuditConfig(**asked), inputs, given, looks_clean=True) == folds


@pytest.mark.parametrize(
    ("shape", "backbone", "labelled", "expected", "found"),
    [
        ((1, 28, 28), "mlp", 20_000, 0.0099, True),
        ((1, 28, 28), "mlp", 20_000, 0.01, False),
        ((1, 28, 28), "mlp", 20_001, 0.0, False),
        ((1, 28, 28), "conv13", 20_000, 0.0, False),
        ((1280,), "pretrained", 20_000, 0.0, False),
    ],
)
def test_labels_of_images_can_look_clean(
    shape: tuple[int, ...], backbone: str, labelled: int, expected: float, found: bool
) -> None:
    p = np.full(labelled, expected)
    assert looks_clean(p, Inputs(shape, 10, labelled, labelled), backbone) is found


def test_folds_are_no_more_than_labels_that_may_be_hidden() -> None:
    rare = np.arange(40) % 10
    assert choose_folds(AuditConfig(), Inputs((9,), 10, 40, 40), rare) == 0
    sixty = Inputs((9,), 3, 60, 60)
    trusted = np.arange(60) > 1
    assert choose_folds(AuditConfig(folds=20), sixty, np.arange(60) % 3, trusted) == 2
    assert choose_folds(AuditConfig(folds=20), sixty, np.arange(60) % 3, np.ones(60, np.bool_)) == 0


@pytest.mark.parametrize(("first", "folds"), [(True, True), (True, False), (False, True), (False, False)])
def test_folds_know_the_noise_if_all_networks_did(first: bool, folds: bool) -> None:
    data = data_of(np.arange(N) % CLASSES)

    def train(part: TrainingData, number: int) -> Fitted:
        return dataclasses.replace(fitted_of(part, [0.4, 0.6, 0.0]), noise_known=folds)

    fitted = dataclasses.replace(fitted_of(data, [0.9, 0.1, 0.0]), noise_known=first)
    crossed = cross_fit(fitted, data, 5, 0, train)
    assert crossed.folds == 5
    assert crossed.fitted.noise_known is (first and folds)


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

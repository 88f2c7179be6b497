"""T while a network trains: when it is learnt, from what, and what it comes to."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from scipy.special import softmax

from noiseaudit.class_noise import can_be_learnt, class_noise, is_due
from noiseaudit.data.inputs import Inputs
from noiseaudit.image_noise import ImageNoise, mean_rates
from noiseaudit.score import CANDIDATES, best_classes, fit_noise
from tests.test_image_noise import label_likelihood, with_rest, world


@pytest.mark.parametrize(
    ("epochs", "early", "due"),
    [
        (8, [1], [2, 4, 6]),
        (38, [5], [10, 19, 29]),
        (4, [], [1, 2, 3]),
        (3, [], [1, 2]),
        (2, [], [1]),
        (1, [], []),
    ],
)
def test_when_it_is_learnt(epochs: int, early: list[int], due: list[int]) -> None:
    """At shares of the schedule, on images earlier, too, and never after the last epoch."""
    for is_image in (True, False):
        found = [epoch for epoch in range(1, epochs + 1) if is_due(epoch, epochs, is_image)]
        assert found == (early + due if is_image else due)


@pytest.mark.parametrize(
    ("labelled", "unlabelled", "n_classes", "is_image", "can"),
    [
        (1_000, 0, 10, True, True),  # 100 labels a class
        (999, 0, 10, True, False),
        (1_000, 3_000, 10, True, True),
        (1_000, 3_001, 10, True, False),  # labels are seen again and again
        (2_001, 0, 10, False, True),
        (2_001, 2_001, 10, False, True),
        (2_001, 2_002, 10, False, False),  # features are learnt by heart sooner
        (2_000, 0, 10, False, False),  # hidden in turn instead (noiseaudit.crossfit)
        (3_000, 0, 20, False, True),
        (2_999, 0, 20, False, False),  # of vectors it takes 150 a class
        (20_000, 0, 101, True, False),
    ],
)
def test_where_labels_are_enough(
    labelled: int, unlabelled: int, n_classes: int, is_image: bool, can: bool
) -> None:
    shape = (3, 8, 8) if is_image else (1_280,)
    assert can_be_learnt(Inputs(shape, n_classes, labelled, labelled + unlabelled)) is can


def learnt(probs: npt.NDArray[np.float32], given: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """T, however weak the network."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("noiseaudit.class_noise.LEAST_ACCURACY", 0.0)
        patch.setattr("noiseaudit.class_noise.LEAST_TOLD", -1.0)
        found = class_noise(probs, given)
    assert found is not None
    return found


def test_a_network_that_knows_little_yet_tells_nothing_of_noise() -> None:
    """Half of the labels are wrong; what counts is how often it is right, of which labels show half."""
    rng = np.random.default_rng(0)
    true, label = rng.integers(5, size=4_000), rng.integers(5, size=4_000)
    label = np.where(rng.random(4_000) < 0.4, true, label)
    for accuracy, tells in ((0.2, False), (0.5, False), (0.9, True), (1.0, True)):
        seen = np.where(rng.random(4_000) < accuracy, true, rng.integers(5, size=4_000))
        q = softmax(rng.normal(0, 1, (4_000, 5)) + 3 * np.eye(5)[seen], axis=1).astype(np.float32)
        assert (class_noise(q, label) is not None) == tells, accuracy


def test_planted_rates_are_found() -> None:
    """A class of five that becomes another in three cases of ten, among classes that are kept or spread evenly."""
    rng = np.random.default_rng(0)
    rates = np.full((5, 5), 0.02) + 0.9 * np.eye(5)
    rates[1] = [0.0, 0.7, 0.3, 0.0, 0.0]
    true = rng.integers(5, size=8_000)
    q = softmax(rng.normal(0, 1, (8_000, 5)) + 5 * np.eye(5)[true], axis=1).astype(np.float32)
    label = (rates[true].cumsum(axis=1) > rng.random((8_000, 1))).argmax(axis=1)
    found = learnt(q, label)
    assert found.dtype == np.float32
    assert found.sum(axis=1) == pytest.approx(np.ones(5), abs=1e-5)
    assert found == pytest.approx(rates, abs=0.025)


def test_rates_are_means_over_images() -> None:
    """p(y_hat | y) from shares of each row that are written out, with 20 labels of the mean noise for each class."""
    q, _, label = world(0.5, n=300)
    noise = ImageNoise(with_rest(np.full((5, 5), 0.05) + 0.75 * np.eye(5)), 1.0, 0.5)
    joint = q * label_likelihood(q.astype(np.float64), noise.rates[:5, :5], 0.5)[np.arange(300), :, label]
    shares = joint / joint.sum(axis=1, keepdims=True)
    counts = np.stack([shares[label == given].sum(axis=0) for given in range(5)], axis=1)
    kept = counts.trace() / 300
    usual = np.full((5, 5), (1 - kept) / 4) + (kept - (1 - kept) / 4) * np.eye(5)
    expected = (counts + 20 * usual) / (counts.sum(axis=1, keepdims=True) + 20)
    assert mean_rates(best_classes(q, label), noise, 5) == pytest.approx(expected, abs=1e-6)


def test_a_class_that_is_not_recognised_has_the_mean_noise() -> None:
    """No row looks like the last of three classes: its labels are not taken to mean nothing."""
    true = np.arange(2_000) % 2
    q = np.where(np.eye(3)[true] > 0, 0.98, 0.01).astype(np.float32)
    q[:, 2] = 1e-6
    label = np.where(np.arange(2_000) % 10 == 0, 2, true)  # of the last class, and called so
    found = learnt(q, label)
    assert found[2, 2] > 0.8
    assert found[2, :2] == pytest.approx(np.full(2, (1 - found[2, 2]) / 2), abs=0.02)


def test_noise_that_follows_the_image_is_not_taken_for_less() -> None:
    q, true, label = world(0.5)
    candidates = best_classes(q, label)
    by_class = fit_noise(candidates, 5)
    kept = np.arange(5)
    alone = 1 - np.exp(by_class.log_rate(kept, kept, 5)).mean()
    found = 1 - learnt(q, label).diagonal().mean()
    assert alone < 0.7 * (label != true).mean()
    assert found > 1.3 * alone


def test_more_classes_than_candidates_still_make_rows_of_one() -> None:
    n_classes = CANDIDATES + 6
    q, _, label = world(0.0, n=3_000, n_classes=n_classes)
    found = learnt(q, label)
    assert found.shape == (n_classes, n_classes)
    assert found.sum(axis=1) == pytest.approx(np.ones(n_classes), abs=1e-5)
    assert (found > 0).all()
    assert found.diagonal().mean() == pytest.approx(
        0.8, abs=0.06
    )  # 187 labels a class, and a prior for gamma

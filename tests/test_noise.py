from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from noiseaudit.errors import ConfigError, DataError
from noiseaudit.noise import Corruption, asymmetric, instance_dependent, symmetric, uniform, wrong_share

Codes = npt.NDArray[np.int64]


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@st.composite
def labelled(draw: st.DrawFn) -> tuple[Codes, int]:
    n_classes = draw(st.integers(2, 6))
    codes = draw(st.lists(st.integers(-1, n_classes - 1), max_size=60))
    return np.array(codes, dtype=np.int64), n_classes


def check_flips(codes: Codes, n_classes: int, result: Corruption) -> None:
    np.testing.assert_array_equal(result.flipped, result.labels != codes)
    np.testing.assert_array_equal(result.labels[codes == -1], -1)
    assert np.all((result.labels[codes >= 0] >= 0) & (result.labels[codes >= 0] < n_classes))


@given(labelled(), st.floats(0, 1), st.integers(0, 9))
def test_symmetric_flips_exactly_the_rate_of_each_class(
    case: tuple[Codes, int], rate: float, seed: int
) -> None:
    codes, n_classes = case
    before = codes.copy()
    result = symmetric(codes, n_classes, rate, rng(seed))
    np.testing.assert_array_equal(codes, before)
    check_flips(codes, n_classes, result)
    for code in range(n_classes):
        rows = codes == code
        assert result.flipped[rows].sum() == round(rate * rows.sum())


def test_symmetric_targets_are_uniform_over_the_other_classes() -> None:
    codes = np.repeat(np.arange(5), 20_000)
    result = symmetric(codes, 5, 0.4, rng())
    for code in range(5):
        counts = np.bincount(result.labels[(codes == code) & result.flipped], minlength=5)
        assert counts[code] == 0
        assert stats.chisquare(np.delete(counts, code)).pvalue > 1e-3


@given(labelled(), st.floats(0, 1), st.integers(0, 9))
def test_uniform_draws_at_most_the_rate_of_each_class_anew(
    case: tuple[Codes, int], rate: float, seed: int
) -> None:
    codes, n_classes = case
    before = codes.copy()
    result = uniform(codes, n_classes, rate, rng(seed))
    np.testing.assert_array_equal(codes, before)
    check_flips(codes, n_classes, result)
    for code in range(n_classes):
        rows = codes == code
        assert result.flipped[rows].sum() <= round(rate * rows.sum())


def test_uniform_targets_are_uniform_over_all_classes() -> None:
    codes = np.repeat(np.arange(5), 20_000)
    labels = uniform(codes, 5, 1.0, rng()).labels
    for code in range(5):
        counts = np.bincount(labels[codes == code], minlength=5)
        assert stats.chisquare(counts).pvalue > 1e-3  # its own class as often as any other
    flipped = uniform(codes, 5, 0.4, rng(1)).flipped.mean()
    assert flipped == pytest.approx(0.4 * 4 / 5, abs=0.006)  # four standard deviations


def test_the_share_of_wrong_labels_to_expect() -> None:
    assert wrong_share("uniform", 10, 0.2) == pytest.approx(0.18)
    assert wrong_share("symmetric", 10, 0.2) == 0.2


def test_symmetric_rows_are_chosen_uniformly() -> None:
    codes = np.zeros(50, dtype=np.int64)
    runs = [symmetric(codes, 2, 0.2, rng(seed)).flipped for seed in range(500)]
    counts = np.array(runs, dtype=np.int64).sum(axis=0)
    assert sum(counts.tolist()) == 500 * 10
    # Counts without replacement vary less than multinomial ones, so the plain chi-square test is conservative.
    assert stats.chisquare(counts.tolist()).pvalue > 1e-3


@given(labelled(), st.floats(0, 1), st.integers(0, 9))
def test_asymmetric_flips_go_to_the_next_class(case: tuple[Codes, int], rate: float, seed: int) -> None:
    codes, n_classes = case
    result = asymmetric(codes, n_classes, rate, rng(seed))
    check_flips(codes, n_classes, result)
    np.testing.assert_array_equal(result.labels[result.flipped], (codes[result.flipped] + 1) % n_classes)
    for code in range(n_classes):
        assert result.flipped[codes == code].sum() == round(rate * (codes == code).sum())


def test_asymmetric_pairs_leave_other_classes_clean() -> None:
    codes = np.repeat([0, 1, 2, -1], 10)
    result = asymmetric(codes, 3, 0.5, rng(), {0: 2, 2: 1})
    assert [np.bincount(result.labels[codes == c], minlength=3).tolist() for c in range(3)] == [
        [5, 0, 5],
        [0, 10, 0],
        [0, 5, 5],
    ]


@pytest.mark.parametrize("pairs", [{0: 0}, {0: 3}, {-1: 0}])
def test_impossible_pairs_are_refused(pairs: dict[int, int]) -> None:
    with pytest.raises(ConfigError, match="is not a flip among 3 classes"):
        asymmetric(np.array([0, 1]), 3, 0.5, rng(), pairs)


@pytest.mark.parametrize("rate", [0.1, 0.3, 0.5, 0.95])
def test_instance_dependent_rate_is_the_mean_of_the_truncated_normal(rate: float) -> None:
    codes = np.arange(40_000) % 4
    result = instance_dependent(codes, rng(1).normal(size=(40_000, 3)), 4, rate, rng())
    check_flips(codes, 4, result)
    expected = stats.truncnorm((0 - rate) / 0.1, (1 - rate) / 0.1, loc=rate, scale=0.1).mean()
    assert result.flipped.mean() == pytest.approx(expected, abs=4 * np.sqrt(0.25 / 40_000))


def test_instance_dependent_targets_follow_the_softmax_of_the_projection() -> None:
    # One class and one feature vector: every flip draws from one known distribution.
    codes = np.zeros(60_000, dtype=np.int64)
    features = np.tile([0.5, -1.0], (60_000, 1))
    result = instance_dependent(codes, features, 4, 0.5, rng(3))
    replay = rng(3)
    replay.random(60_000)
    replay.normal(0.5, 0.1, 60_000)
    replay.random(60_000)
    logits = features[0] @ replay.standard_normal((2, 4))
    weights = np.exp(logits[1:])
    counts = np.bincount(result.labels[result.flipped], minlength=4)
    assert counts[0] == 0
    assert stats.chisquare(counts[1:], counts.sum() * weights / weights.sum()).pvalue > 1e-3


def test_instance_dependent_flips_depend_on_the_features_and_the_class() -> None:
    codes = np.arange(4_000) % 2
    features = np.repeat(np.eye(2) * 3, 2_000, axis=0)
    result = instance_dependent(codes, features, 5, 0.9, rng())
    shares = [
        np.bincount(result.labels[(codes == code) & (features[:, axis] > 0) & result.flipped], minlength=5)
        for code in range(2)
        for axis in range(2)
    ]
    normalised = np.array(shares) / np.sum(shares, axis=1, keepdims=True)
    distances = [np.abs(a - b).sum() for i, a in enumerate(normalised) for b in normalised[:i]]
    assert min(distances) > 0.2


def test_instance_dependent_ignores_unlabelled_rows_and_survives_large_features() -> None:
    codes = np.array([-1, 0, 1, 0])
    features = np.array([[np.nan], [1e6], [-1e6], [0.0]])
    check_flips(codes, 3, instance_dependent(codes, features, 3, 1.0, rng()))


def test_bad_features_are_refused() -> None:
    codes = np.array([0, 1])
    with pytest.raises(DataError, match="not finite"):
        instance_dependent(codes, np.array([[1.0], [np.inf]]), 2, 0.5, rng())
    for features in (np.zeros((3, 1)), np.zeros(2)):
        with pytest.raises(DataError, match=r"\(2, d\) is needed"):
            instance_dependent(codes, features, 2, 0.5, rng())


def test_bad_rates_classes_and_codes_are_refused() -> None:
    codes = np.array([0, 1])
    for rate in (-0.1, 1.1, float("nan")):
        with pytest.raises(ConfigError, match="noise rate"):
            symmetric(codes, 2, rate, rng())
    with pytest.raises(ConfigError, match="at least two"):
        symmetric(np.array([0]), 1, 0.5, rng())
    for bad in (2, -2):
        with pytest.raises(DataError, match="between -1 and 1"):
            asymmetric(np.array([bad]), 2, 0.5, rng())


def test_equal_generators_give_equal_corruptions() -> None:
    codes = np.arange(100) % 7
    features = rng(1).normal(size=(100, 2))
    for seed in range(3):
        first, second = (symmetric(codes, 7, 0.4, rng(seed)).labels for _ in range(2))
        np.testing.assert_array_equal(first, second)
        first, second = (instance_dependent(codes, features, 7, 0.4, rng(seed)).labels for _ in range(2))
        np.testing.assert_array_equal(first, second)
    assert np.any(symmetric(codes, 7, 0.4, rng(0)).labels != symmetric(codes, 7, 0.4, rng(1)).labels)

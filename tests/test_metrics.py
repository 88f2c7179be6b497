"""Detection metrics agree with scikit-learn, and their intervals with closed forms."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, norm
from sklearn.metrics import (
    average_precision_score,
    f1_score,
    precision_recall_curve,
    precision_score,
    recall_score,
    roc_auc_score,
)

from noiseaudit import metrics
from noiseaudit.metrics import UNDEFINED, Interval, detection, precision_recall, proportion

METRICS = ("recall", "precision", "f1", "average_precision", "auroc")


def arrays(n: int, seed: int, levels: int = 1000) -> tuple[np.ndarray[Any, Any], ...]:
    rng = np.random.default_rng(seed)
    truth = rng.random(n) < 0.3
    score = np.round(np.clip(rng.normal(0.3 + 0.3 * truth, 0.2), 0, 1) * levels) / levels
    return truth, score >= 0.5, score


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 4)), min_size=1, max_size=40),
)
def test_values_are_those_of_scikit_learn(rows: list[tuple[bool, bool, int]]) -> None:
    truth, flagged, score = (np.array(column) for column in zip(*rows, strict=True))
    got = detection("r", truth, flagged, score / 4, resamples=20)
    if truth.any():
        assert got.recall.value == pytest.approx(recall_score(truth, flagged, zero_division=0))
        assert got.average_precision.value == pytest.approx(average_precision_score(truth, score))
    if flagged.any():
        assert got.precision.value == pytest.approx(precision_score(truth, flagged, zero_division=0))
    if truth.any() or flagged.any():
        assert got.f1.value == pytest.approx(f1_score(truth, flagged, zero_division=0))
    if truth.any() and not truth.all():
        assert got.auroc.value == pytest.approx(roc_auc_score(truth, score))


@settings(max_examples=60)
@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.floats(0, 1)), min_size=1, max_size=30))
def test_intervals_hold_their_value_within_0_and_1(rows: list[tuple[bool, bool, float]]) -> None:
    truth, flagged, score = (np.array(column) for column in zip(*rows, strict=True))
    got = detection("r", truth, flagged, score, resamples=20)
    for name in METRICS:
        interval = getattr(got, name)
        if interval.value is None:
            assert interval == UNDEFINED
        else:
            assert 0 <= interval.low <= interval.value <= interval.high <= 1


def test_counts_by_hand() -> None:
    got = detection(
        "mine",
        np.array([True, True, True, False, False]),
        np.array([True, True, False, True, False]),
        np.array([0.9, 0.8, 0.1, 0.7, 0.0]),
    )
    assert (got.rule, got.n, got.n_corrupted, got.n_flagged) == ("mine", 5, 3, 3)
    assert got.recall.value == got.precision.value == pytest.approx(2 / 3)
    assert got.auroc.value == pytest.approx(5 / 6)
    assert got.average_precision.value == pytest.approx((1 + 1 + 3 / 4) / 3)


@pytest.mark.parametrize(
    ("truth", "flagged", "undefined"),
    [
        ([False, False], [True, False], {"recall", "average_precision", "auroc"}),
        ([False, False], [False, False], {"recall", "precision", "f1", "average_precision", "auroc"}),
        ([True, True], [True, False], {"auroc"}),
        ([True, False], [False, False], {"precision"}),
    ],
)
def test_undefined_metrics_are_none(truth: list[bool], flagged: list[bool], undefined: set[str]) -> None:
    got = detection("r", np.array(truth), np.array(flagged), np.array([0.4, 0.2]))
    assert {name for name in METRICS if getattr(got, name).value is None} == undefined


def test_wilson_interval_closed_form() -> None:
    z, p, n = norm.ppf(0.975), 0.3, 50
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    got = proportion(15, 50)
    assert (got.low, got.high) == pytest.approx((middle - half, middle + half))


@given(st.integers(1, 10**6), st.floats(0, 1), st.sampled_from([0.5, 0.9, 0.95, 0.999]))
def test_wilson_interval_is_that_of_scipy(trials: int, share: float, level: float) -> None:
    successes = round(share * trials)
    expected = binomtest(successes, trials).proportion_ci(level, method="wilson")
    got = proportion(successes, trials, level)
    assert (got.low, got.high) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_bootstrap_agrees_with_resampling_rows() -> None:
    """The counts drawn in place of rows give the same distribution as scikit-learn on resampled rows."""
    truth, flagged, score = arrays(400, seed=1, levels=20)
    got = detection("r", truth, flagged, score, resamples=2000)
    rng = np.random.default_rng(5)
    groups = [np.flatnonzero(truth), np.flatnonzero(~truth)]
    draws = []
    for _ in range(400):
        rows = np.concatenate([rng.choice(group, len(group)) for group in groups])
        t, s = truth[rows], score[rows]
        draws.append((average_precision_score(t, s), roc_auc_score(t, s)))
    expected = np.quantile(draws, [0.025, 0.975], axis=0)
    for i, interval in enumerate((got.average_precision, got.auroc)):
        assert (interval.low, interval.high) == pytest.approx(tuple(expected[:, i]), abs=0.012)


def test_f1_agrees_with_resampling_all_rows() -> None:
    truth, flagged, score = arrays(400, seed=1)
    got = detection("r", truth, flagged, score, resamples=10).f1
    rng = np.random.default_rng(5)
    draws = [f1_score(truth[rows], flagged[rows]) for rows in rng.integers(400, size=(1000, 400))]
    assert (got.low, got.high) == pytest.approx(tuple(np.quantile(draws, [0.025, 0.975])), abs=0.012)


@pytest.mark.parametrize(("certain", "other"), [("recall", "precision"), ("precision", "recall")])
def test_f1_is_as_uncertain_as_precision_or_recall_where_the_other_is_1(certain: str, other: str) -> None:
    """Every row is flagged, or every one is corrupted: a bootstrap in which that never changes has no spread."""
    some, every = np.arange(400) < 70, np.ones(400, np.bool_)
    truth, flagged = (some, every) if certain == "recall" else (every, some)
    got = detection("r", truth, flagged, np.arange(400.0), resamples=10)
    share = getattr(got, other)
    assert getattr(got, certain).value == 1
    assert [got.f1.value, got.f1.low, got.f1.high] == pytest.approx(
        [2 * x / (1 + x) for x in (share.value, share.low, share.high)]
    )
    assert got.f1.low is not None
    assert got.f1.high is not None
    assert got.f1.high - got.f1.low > 0.1


def test_f1_intervals_hold_the_true_f1() -> None:
    """Of 2,000 samples of 300 rows, with 10 % wrong labels, recall 0.7 and 5 % false alarms, about 95 % do."""
    rng = np.random.default_rng(0)
    true_f1 = 2 * 0.07 / (0.1 + 0.07 + 0.045)
    held = 0
    for found, missed, false, _ in rng.multinomial(300, [0.07, 0.03, 0.045, 0.855], size=2000).tolist():
        interval = metrics._f1_interval(found, found + missed, found + false, 0.95)
        assert interval.low is not None
        assert interval.high is not None
        held += interval.low <= true_f1 <= interval.high
    assert 0.935 <= held / 2000 <= 0.97


def test_a_wider_level_gives_a_wider_interval_and_the_seed_repeats() -> None:
    truth, flagged, score = arrays(300, seed=2)
    narrow = detection("r", truth, flagged, score, level=0.5)
    wide = detection("r", truth, flagged, score, level=0.99)
    for name in METRICS:
        a, b = getattr(narrow, name), getattr(wide, name)
        assert b.low < a.low < a.high < b.high
    assert detection("r", truth, flagged, score, level=0.5) == narrow


def test_intervals_cover_the_truth() -> None:
    """Of 100 samples from a known process, 95 % intervals of AUROC hold its true value about 95 times."""
    true_auroc = norm.cdf(1 / np.sqrt(2))
    held = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        truth = np.arange(200) < 80
        score = rng.normal(truth.astype(float))
        auroc = detection("r", truth, score > 1, score, resamples=200).auroc
        assert auroc.low is not None
        assert auroc.high is not None
        held += auroc.low <= true_auroc <= auroc.high
    assert 88 <= held <= 99


def test_sixty_thousand_rows_take_seconds() -> None:
    truth, flagged, score = arrays(60_000, seed=3, levels=10**9)
    start = time.process_time()
    detection("r", truth, flagged, score)
    assert time.process_time() - start < 20


@settings(max_examples=40)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 50)), min_size=1, max_size=60))
def test_curve_points_are_cuts_of_the_ranking(rows: list[tuple[bool, int]]) -> None:
    truth, score = (np.array(column) for column in zip(*rows, strict=True))
    curve = precision_recall(truth, score)
    if not truth.any():
        assert curve is None
        return
    cuts = [score >= level for level in np.unique(score)]
    points = {(round(float(truth[c].sum() / truth.sum()), 9), round(float(truth[c].mean()), 9)) for c in cuts}
    assert curve is not None
    assert list(curve.recall) == sorted(curve.recall)
    assert curve.recall[-1] == 1
    assert {(round(r, 9), round(p, 9)) for r, p in zip(curve.recall, curve.precision, strict=True)} <= points


@settings(max_examples=60)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 50)), min_size=1, max_size=60))
def test_curve_is_that_of_scikit_learn(rows: list[tuple[bool, int]]) -> None:
    """Of the points of equal recall, the one with the fewest flags stays; so many points thin out nothing."""
    truth, score = (np.array(column) for column in zip(*rows, strict=True))
    if not truth.any():
        return
    precision, recall, _ = precision_recall_curve(truth, score)
    expected: dict[float, float] = {}
    for r, p in zip(recall[-2::-1].tolist(), precision[-2::-1].tolist(), strict=True):
        expected.setdefault(r, p)
    curve = precision_recall(truth, score, points=20_001)
    assert curve is not None
    assert curve.recall == pytest.approx(tuple(expected))
    assert curve.precision == pytest.approx(tuple(expected.values()))


def test_intervals_as_text() -> None:
    assert str(Interval(0.9521, 0.94, 0.96249)) == "0.952 [0.940, 0.962]"
    assert str(Interval(0.5)) == "0.500"
    assert str(UNDEFINED) == "undefined"


@pytest.mark.parametrize(("draws", "drawn"), [(1000 * 200, 1000), (300 * 200, 300), (1, 100)])
def test_many_rows_are_resampled_less_often(draws: int, drawn: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """1,000 times while that is DRAWS rows or fewer, then as often as that is, 100 times at the least."""
    truth, _, score = arrays(200, seed=0)
    rank, counts = metrics._ranking, list[int]()

    def counted(corrupted: metrics.Counts, clean: metrics.Counts) -> tuple[float, float]:
        counts.append(int(corrupted.sum() + clean.sum()))
        return rank(corrupted, clean)

    monkeypatch.setattr(metrics, "_ranking", counted)
    monkeypatch.setattr(metrics, "DRAWS", draws)
    detection("r", truth, score > 0.5, score)
    assert counts == [200] * (1 + drawn)

"""The cut-off rules: expected F1 against brute force, counts, ties and what is not a rule."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from noiseaudit.audit_meta import Cutoff
from noiseaudit.errors import ConfigError
from noiseaudit.threshold import LEAST_PROBABILITY, Floats, check_cutoff, choose_cutoff, expected_f1

probabilities = st.lists(st.integers(0, 20).map(lambda k: k / 20), min_size=1, max_size=25).map(np.array)


@settings(max_examples=100)
@given(probabilities)
def test_expected_f1_is_its_formula_for_every_cut(p: Floats) -> None:
    ranked = sorted(p.tolist(), reverse=True)
    expected = [2 * sum(ranked[:k]) / (k + max(sum(ranked), 1e-12)) for k in range(1, len(ranked) + 1)]
    assert expected_f1(p) == pytest.approx(expected)


def test_expected_f1_is_near_the_mean_over_all_truths() -> None:
    """The ratio of expectations stands for the expected ratio: exact where p is 0 or 1, near where n is large."""
    certain = np.array([1.0, 1.0, 0.0])
    assert expected_f1(certain) == pytest.approx([2 / 3, 1.0, 4 / 5])
    p = np.array([0.9, 0.9, 0.8, 0.8, 0.8, 0.7, 0.3, 0.2, 0.1, 0.1])
    mean = np.zeros(len(p))
    for truth in itertools.product([0, 1], repeat=len(p)):
        wrong = np.array(truth)
        chance = np.prod(np.where(wrong, p, 1 - p))
        mean += chance * 2 * np.cumsum(wrong) / (np.arange(1, len(p) + 1) + wrong.sum())
    assert expected_f1(p) == pytest.approx(mean, abs=0.02)


@settings(max_examples=150)
@given(probabilities)
def test_auto_flags_the_best_expected_cut_but_no_improbable_row(p: Floats) -> None:
    flagged, cutoff = choose_cutoff("auto", p, None)
    assert np.array_equal(flagged, p >= cutoff.threshold)
    assert cutoff.threshold >= LEAST_PROBABILITY
    best = max(
        2 * p[p >= t].sum() / ((p >= t).sum() + max(p.sum(), 1e-12)) for t in set(p.tolist())
    )  # over every cut that leaves ties together
    if cutoff.threshold > LEAST_PROBABILITY:
        got = 2 * p[flagged].sum() / (flagged.sum() + p.sum())
        assert got == pytest.approx(best)


def test_auto_by_hand() -> None:
    flagged, cutoff = choose_cutoff("auto", np.array([0.1, 0.9, 0.4, 0.95, 0.1]), None)
    # expected wrong 2.45; F1: 1.9/3.45, 3.7/4.45, 4.5/5.45, 4.7/6.45, 4.9/7.45
    assert flagged.tolist() == [False, True, False, True, False]
    assert cutoff == Cutoff(
        "auto",
        "p_mislabeled",
        0.9,
        "Chosen without any known truth, where F1 is highest by the model's own estimate (0.83).",
    )


def test_auto_on_clean_labels_flags_none() -> None:
    for p in (np.full(50, 0.01), np.zeros(3)):
        flagged, cutoff = choose_cutoff("auto", p, None)
        assert not flagged.any()
        assert cutoff.threshold == LEAST_PROBABILITY
        assert "right" in cutoff.reason


def test_auto_on_certainly_wrong_labels_flags_all_but_claims_no_perfect_f1() -> None:
    flagged, cutoff = choose_cutoff("auto", np.ones(3), None)
    assert flagged.all()
    assert cutoff.reason.endswith("by the model's own estimate (above 0.99).")


def test_epsilon_is_strictly_above_zero() -> None:
    epsilon = np.array([0.0, 1e-38, 0.5, 0.0], np.float32)
    flagged, cutoff = choose_cutoff("epsilon", np.array([0.9, 0.1, 0.1, 0.9]), epsilon)
    assert flagged.tolist() == [False, True, True, False]
    assert (cutoff.rule, cutoff.score, cutoff.threshold) == ("epsilon", "epsilon", 0.0)


def test_epsilon_needs_a_guider() -> None:
    with pytest.raises(ConfigError, match="no Guider"):
        choose_cutoff("epsilon", np.array([0.5]), None)


@pytest.mark.parametrize(
    ("rule", "rows", "threshold"),
    [
        ("budget=1", [1], 0.9),
        ("budget=2", [1, 2], 0.5),  # ties go by row
        ("budget=3", [1, 2, 3], 0.5),
        ("budget=99", [0, 1, 2, 3], 0.2),
        ("rate=0.5", [1, 2], 0.5),
        ("rate=.25", [1], 0.9),
        ("rate=50%", [1, 2], 0.5),
        ("rate=25 %", [1], 0.9),
        ("rate=0.999", [0, 1, 2, 3], 0.2),
        ("rate=0.01", [], 1.0),
    ],
)
def test_counts(rule: str, rows: list[int], threshold: float) -> None:
    flagged, cutoff = choose_cutoff(rule, np.array([0.2, 0.9, 0.5, 0.5]), None)
    assert np.flatnonzero(flagged).tolist() == rows
    assert (cutoff.rule, cutoff.score, cutoff.threshold) == (rule, "p_mislabeled", threshold)
    assert (f"{len(rows)} most suspicious" if rows else "No row, ") in cutoff.reason


@pytest.mark.parametrize("rule", ["auto", "budget=2", "rate=0.5"])
def test_no_labelled_row(rule: str) -> None:
    flagged, cutoff = choose_cutoff(rule, np.zeros(0), np.zeros(0, np.float32))
    assert len(flagged) == 0
    assert cutoff.threshold == 1.0


@pytest.mark.parametrize(
    "rule",
    [
        "", "best", "Auto", "auto ", "epsilon>0", "budget", "budget=0", "budget=-1", "budget=1.5",
        "budget=1,000", "precision=0", "precision=1",
        "recall=1.5", "recall", "rate=0", "rate=1", "rate=1.2", "rate=-0.1", "rate=ten",
        "rate=100%", "budget=10%", "rate=%", "rate=1e3", f"budget={'9' * 5000}",
    ],
)  # fmt: skip
def test_what_is_not_a_rule(rule: str) -> None:
    with pytest.raises(ConfigError, match=r"--cutoff .* is not a rule\. Use auto, even, epsilon, budget=N"):
        check_cutoff(rule)
    with pytest.raises(ConfigError, match="is not a rule"):
        choose_cutoff(rule, np.array([0.5]), None)


@pytest.mark.parametrize(
    "rule", ["auto", "epsilon", "budget=1", "budget=12345", "rate=0.1", "rate=.5", f"precision={0.00001}"]
)
def test_what_is_a_rule(rule: str) -> None:
    check_cutoff(rule)


@settings(max_examples=150)
@given(probabilities, st.integers(1, 19).map(lambda k: k / 20))
def test_a_target_precision_flags_the_longest_list_that_keeps_it(p: Floats, target: float) -> None:
    flagged, _ = choose_cutoff(f"precision={target}", p, None)
    ranked = np.sort(p)[::-1]
    lengths = [k for k in range(1, len(p) + 1) if ranked[:k].mean() >= target - 1e-9]
    assert flagged.sum() == max(lengths, default=0)
    if flagged.any():
        assert p[flagged].mean() >= target - 1e-9
        assert p[flagged].min() >= p[~flagged].max(initial=0)


@settings(max_examples=150)
@given(probabilities, st.integers(1, 19).map(lambda k: k / 20))
def test_a_target_recall_flags_the_shortest_list_that_reaches_it(p: Floats, target: float) -> None:
    flagged, _ = choose_cutoff(f"recall={target}", p, None)
    if p.sum() == 0:
        assert not flagged.any()
        return
    assert p[flagged].sum() >= target * p.sum() * (1 - 1e-9)
    assert p[flagged].sum() - p[flagged].min() < target * p.sum() * (1 + 1e-9)
    assert p[flagged].min() >= p[~flagged].max(initial=0)


def test_targets_by_hand() -> None:
    p = np.array([0.1, 0.9, 0.4, 1.0, 0.1])
    flagged, cutoff = choose_cutoff("precision=0.75", p, None)
    assert flagged.tolist() == [False, True, True, True, False]  # means 1, 0.95, 0.767, 0.6, 0.5
    assert cutoff == Cutoff(
        "precision=0.75",
        "p_mislabeled",
        0.4,
        "The 3 most suspicious rows, the most whose expected precision is 0.75 or more.",
    )
    flagged, cutoff = choose_cutoff("recall=0.75", p, None)
    assert flagged.tolist() == [False, True, False, True, False]  # 1.9 of 2.5
    assert (
        cutoff.reason
        == "The 2 most suspicious rows, the fewest that hold 0.75 of the wrong labels, as expected."
    )


@pytest.mark.parametrize("p", [0.3, 0.6, 0.7, 0.9])
def test_rows_that_all_meet_the_target_are_all_flagged(p: float) -> None:
    assert choose_cutoff(f"precision={p}", np.full(50, p), None).flagged.all()


def test_targets_that_cannot_be_met() -> None:
    flagged, cutoff = choose_cutoff("precision=0.9", np.array([0.3, 0.62]), None)
    assert not flagged.any()
    assert cutoff.reason == (
        "No row, because a precision of 0.9 cannot be met: even the most suspicious row has 0.62."
    )
    flagged, cutoff = choose_cutoff("recall=0.9", np.zeros(3), None)
    assert not flagged.any()
    assert cutoff.reason == "No row, because no label is expected to be wrong."
    for rule in ("precision=0.9", "recall=0.9"):
        assert not choose_cutoff(rule, np.zeros(0), None).flagged.any()

"""The rule that spares rare classes: by hand, what it promises of every class, and its place in a self-test."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from noiseaudit.even_cutoff import MOST_TIMES, Codes, Floats, least_by_class
from noiseaudit.selftest import count_found
from noiseaudit.threshold import choose_cutoff

rows = st.lists(
    st.tuples(st.integers(0, 20).map(lambda k: k / 20), st.integers(0, 2)), min_size=1, max_size=30
)


def test_a_rare_class_by_hand() -> None:
    """`auto` flags all of 0.6 and more: expected F1 2 x 4.4 / (5 + 4.7). 0.6 of the 8.3 right labels, 7.2 %, are
    expected among these; class 1 has 1.5 of its own, of which twice that is 0.217, so 0.9 and 0.9 stay and 0.6 goes.
    """
    p = np.array([1.0, 1.0, *[0.0] * 7, 0.3, 0.9, 0.9, 0.6, 0.0])[[*range(10), 10, 11, 12, 13]]
    codes = np.array([0] * 10 + [1] * 4)
    auto = choose_cutoff("auto", p, None)
    assert np.flatnonzero(auto.flagged).tolist() == [0, 1, 10, 11, 12]
    flagged, cutoff = choose_cutoff("even", p, None, codes)
    assert np.flatnonzero(flagged).tolist() == [0, 1, 10, 11]
    assert (cutoff.rule, cutoff.score, cutoff.threshold) == ("even", "p_mislabeled", 0.6)
    assert cutoff.reason.startswith(auto.cutoff.reason)
    assert "Of 1 class fewer rows are flagged than so" in cutoff.reason


@settings(max_examples=200)
@given(rows)
def test_no_class_has_much_more_than_its_share_and_no_more_goes_than_must(
    drawn: list[tuple[float, int]],
) -> None:
    p, codes = np.array([score for score, _ in drawn]), np.array([code for _, code in drawn])
    auto = choose_cutoff("auto", p, None).flagged
    flagged = choose_cutoff("even", p, None, codes).flagged
    assert not (flagged & ~auto).any()
    if not auto.any():
        return
    allowed = MOST_TIMES * (1 - p)[auto].sum() / max((1 - p).sum(), 1e-300)
    for code in np.unique(codes):
        of_class = codes == code
        room = allowed * (1 - p)[of_class].sum() + 1e-9
        assert (1 - p)[flagged & of_class].sum() <= room
        left = p[auto & ~flagged & of_class]
        if len(left):
            more = of_class & auto & (p >= left.max())  # with the next ones, which have one probability
            assert (1 - p)[more].sum() > room - 2e-9
            assert not (flagged & of_class & (p <= left.max())).any()


def test_classes_with_equal_shares_keep_what_auto_flags() -> None:
    p = np.tile([0.95, 0.8, 0.1, 0.05, 0.0], 6)
    codes: Codes = np.repeat(np.arange(3), 10)
    assert (choose_cutoff("even", p, None, codes).flagged == choose_cutoff("auto", p, None).flagged).all()


@pytest.mark.parametrize("p", [np.zeros(0), np.zeros(4), np.ones(4)])
def test_nothing_or_everything_to_flag(p: Floats) -> None:
    codes = np.zeros(len(p), np.int64)
    assert choose_cutoff("even", p, None, codes).flagged.tolist() == [bool(score) for score in p]
    assert np.isinf(least_by_class(p, np.zeros(len(p), np.bool_), codes)).all()


def test_a_planted_label_is_found_where_one_of_its_class_would_be() -> None:
    """The planted 0.7 is beyond the cut-off of class 0 and not of the rare class 1, whose 0.97 is."""
    others = np.array([*[0.99] * 20, 0.6, *[0.01] * 200, 0.95, 0.7, *[0.01] * 10])
    planted, of = np.array([0.7, 0.7, 0.97]), [0, 1, 1]
    p, codes = np.concatenate([planted, others]), np.array([*of, *[0] * 221, *[1] * 12])
    is_planted = np.arange(len(p)) < 3
    by_auto, by_even = (count_found(rule, p, None, codes, is_planted) for rule in ("auto", "even"))
    assert (by_auto, by_even) == (3, 2)

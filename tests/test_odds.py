"""Moving probabilities along their log-odds, by hand and as properties; what an audit doubts of itself."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from noiseaudit.doubt import Doubt, doubt_of, recorded
from noiseaudit.odds import MOST_SHIFT, Floats, mean_odds, moved, shift_to

probabilities = st.lists(st.floats(0.001, 0.999), min_size=1, max_size=30).map(np.array)


def test_moved_by_hand() -> None:
    """Odds 1 and 4 times 2 are 2 and 8; the root of odds 4 is 2; 0 and 1 stay."""
    assert moved(np.array([0.5, 0.8]), math.log(2)) == pytest.approx([2 / 3, 8 / 9])
    assert moved(np.array([0.8]), slope=0.5) == pytest.approx([2 / 3])
    assert moved(np.array([0.0, 1.0]), -2.0, 0.7).tolist() == [0.0, 1.0]


def test_the_mean_of_odds_by_hand() -> None:
    """Odds 1/4 and 4 have the mean 1, and 0 beside anything less than certain stays nearly 0."""
    assert mean_odds([np.array([0.2]), np.array([0.8])]) == pytest.approx([0.5])
    assert mean_odds([np.array([0.0, 1.0]), np.array([0.9, 1.0])]) == pytest.approx(
        [0.0, 1.0], abs=1e-8
    )  # 0 counts as e^-40
    assert mean_odds([np.array([0.0]), np.array([1.0])]) == pytest.approx([0.5])


@settings(max_examples=60)
@given(probabilities, st.floats(0.01, 0.99))
def test_a_shift_reaches_its_total_or_its_end(p: Floats, share: float) -> None:
    total = share * len(p)
    by = shift_to(p, total)
    if abs(by) < MOST_SHIFT:
        assert moved(p, by).sum() == pytest.approx(total)
    else:
        assert (moved(p, by).sum() < total) == (by > 0)


def test_certain_rows_have_no_shift() -> None:
    assert shift_to(np.array([0.0, 1.0]), 1.5) == MOST_SHIFT
    assert shift_to(np.array([0.0, 1.0]), 0.5) == -MOST_SHIFT


def test_doubt_reaches_from_the_plain_one_to_the_other_counts() -> None:
    """Ten rows of odds 1: a count of 8 is odds 4, one of 4 is odds 2/3, within the plain factor of 2."""
    p = np.full(10, 0.5)
    assert doubt_of(p, ()) == Doubt() == pytest.approx((-math.log(2), math.log(2)))
    assert doubt_of(p, (8.0, 4.0)) == pytest.approx((-math.log(2), math.log(4)))
    assert doubt_of(p, (2.0,)) == pytest.approx((-math.log(4), math.log(2)))
    assert doubt_of(p, (2.0, 8.0), slope=1.5) == pytest.approx((-1.5 * math.log(4), 1.5 * math.log(4)))
    assert doubt_of(p, (2.0,), slope=0.4) == pytest.approx((-math.log(2), math.log(2)))


def test_doubt_is_read_from_the_metadata_and_old_audits_have_the_plain_one() -> None:
    assert recorded({"chosen": {"doubt": [-1.5, 0.7]}}) == (-1.5, 0.7)
    assert recorded({"chosen": {}}) == recorded({}) == Doubt()

"""Percentages and cut-offs for people."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noiseaudit.percent import counted, cutoff_text, percent


@pytest.mark.parametrize(
    ("share", "shown"),
    [
        (0.0, "< 0.1 %"),
        (0.0009, "< 0.1 %"),
        (0.001, "0.1 %"),
        (0.0424, "4.2 %"),
        (0.0949, "9.5 %"),
        (0.0951, "10 %"),
        (0.5, "50 %"),
        (0.934, "93 %"),
        (0.9949, "99 %"),
        (0.996, "99.6 %"),
        (0.999, "99.9 %"),
        (0.9991, "> 99.9 %"),
        (1.0, "> 99.9 %"),
    ],
)
def test_percent(share: float, shown: str) -> None:
    assert percent(share) == shown


@given(st.floats(0, 1))
def test_what_is_shown_is_near_and_never_all_or_nothing(share: float) -> None:
    shown = percent(share)
    number = float(shown.strip("<>% "))
    assert 0 < number < 100
    assert number / 100 == pytest.approx(share, abs=0.00501 if 0.094 < share < 0.996 else 0.00101)


@pytest.mark.parametrize(
    ("threshold", "shown"),
    [
        (0.00012346, "0.0001235"),
        (0.0, "0"),
        (0.5, "0.5"),
        (0.99964, "0.9996"),
        (0.99999, "0.99999"),
        (0.9999999949, "0.99999999"),
        (1 - 2**-53, "0.9999999999999999"),
        (1.0, "1"),
    ],
)
def test_a_threshold_is_told_from_certainty(threshold: float, shown: str) -> None:
    assert cutoff_text("epsilon", threshold) == f"epsilon {shown}"


def test_a_cutoff_that_flags_nothing_says_so() -> None:
    assert cutoff_text("p_mislabeled", 0.2, 0) == "p_mislabeled 0.2, no row is flagged"
    assert cutoff_text("p_mislabeled", 0.2, 1) == "p_mislabeled 0.2"


@pytest.mark.parametrize(
    ("share", "shown"), [(0, "0 %"), (1.0, "100 %"), (0.0001, "< 0.1 %"), (0.424, "42 %")]
)
def test_what_was_counted_can_be_none_or_all(share: float, shown: str) -> None:
    assert counted(share) == shown

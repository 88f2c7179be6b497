"""The canonical order of class names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noiseaudit.classes import MAX_LENGTH, canonical_order, shortened


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["10", "9", "1"], ["1", "9", "10"]),
        (["10", "9", "-1"], ["-1", "9", "10"]),
        (["1", "01", "2", "001"], ["001", "01", "1", "2"]),  # distinct names; text breaks the tie
        (["10", "9", "x"], ["10", "9", "x"]),  # one that is no integer: by code point
        (["b", "B", "a", "é", "Z"], ["B", "Z", "a", "b", "é"]),
        (["1.5", "10", "2"], ["1.5", "10", "2"]),
        (["٣", "2"], ["2", "٣"]),  # only 0-9 are integers
        (["+1", "2"], ["+1", "2"]),
        (["a", "a"], ["a"]),
        ([], []),
    ],
)
def test_order(names: list[str], expected: list[str]) -> None:
    assert canonical_order(names) == expected


@given(st.lists(st.one_of(st.text(max_size=3), st.integers(-20, 20).map(str))))
def test_it_does_not_depend_on_the_order_of_rows(names: list[str]) -> None:
    ordered = canonical_order(names)
    assert ordered == canonical_order(reversed(names)) == canonical_order(ordered)
    assert set(ordered) == set(names)
    assert len(ordered) == len(set(names))


INTEGER_TEXTS = st.from_regex(r"-?(0{0,3}[0-9]{1,6})", fullmatch=True)


@given(st.lists(INTEGER_TEXTS))
def test_integers_are_in_the_order_of_their_values(names: list[str]) -> None:
    assert canonical_order(names) == sorted(set(names), key=lambda name: (int(name), name))


def test_integers_too_long_for_int() -> None:
    names = ["-" + "9" * 5000, "-" + "1" * 5000, "0", "1" + "0" * 4999, "1" + "0" * 4998 + "1"]
    assert canonical_order(reversed(names)) == names


def test_very_long_names_lose_their_end() -> None:
    assert shortened("n" * MAX_LENGTH) == "n" * MAX_LENGTH
    assert shortened("n" * (MAX_LENGTH + 1)) == "n" * (MAX_LENGTH - 1) + "…"

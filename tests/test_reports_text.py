"""Hidden and endless text becomes visible and short."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noiseaudit.classes import MAX_LENGTH
from noiseaudit_reports.text import count, rounded, sentence, share, unbroken, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("cat", "cat"),
        ("two\nlines\r", "two↵lines⟨U+000D⟩"),
        ("\x00\x7f", "⟨U+0000⟩⟨U+007F⟩"),
        ("\u202etxt.exe", "⟨U+202E⟩txt.exe"),
        ("zero\u200bwidth", "zero⟨U+200B⟩width"),
        ("cat\u200d\u200c", "cat⟨U+200D⟩⟨U+200C⟩"),
        ("so\u00adft\u2062", "so⟨U+00AD⟩ft⟨U+2062⟩"),
        ("cat\U000e0041", "cat⟨U+E0041⟩"),
        ("   ", "␣␣␣"),
        ("عربي 😀", "عربي 😀"),
        ("x" * 1000, "x" * (MAX_LENGTH - 1) + "…"),
    ],
)
def test_visible(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(st.text(min_size=1))
def test_no_control_or_direction_mark_is_left(text: str) -> None:
    assert visible(text).strip()
    shown = visible(text) + sentence(text)
    assert not {unicodedata.category(c) for c in shown} & {"Cc", "Cf", "Zl", "Zp"}
    assert not {unicodedata.bidirectional(c) for c in shown} & {
        "RLO",
        "LRO",
        "RLE",
        "LRE",
        "RLI",
        "LRI",
        "PDF",
    }


@given(st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=MAX_LENGTH))
def test_ordinary_text_stays(text: str) -> None:
    assert visible(text) == text


def test_a_sentence_is_shown_whole() -> None:
    text = f"{'many words ' * 50}and the last"
    assert sentence(text) == text
    assert sentence(f"the file {'x' * 500} is left out") == f"the file {'x' * (MAX_LENGTH - 1)}… is left out"
    assert sentence("two\nlines") == "two↵lines"


def test_counts_and_shares() -> None:
    assert count(1, "row") == "1 row"
    assert count(1797, "row") == "1,797 rows"
    assert count(2, "class", "classes") == "2 classes"
    assert share(1, 7) == "14 %"
    assert share(0, 8) == "0 %"
    assert share(8, 8) == "100 %"
    assert share(9999, 10_000) == "> 99.9 %"
    assert share(0, 0) == "–"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[-0.6931471805599453, 0.25]", "[-0.693, 0.25]"),
        ("0.00012345", "0.000123"),
        ("1.23456e-07", "1.23e-07"),
        ("12345.67891", "12346"),
        ("p_mislabeled 0.4866", "p_mislabeled 0.4866"),
        ("2.10.0+cu126, 1.2.34567, x0.12345, 40", "2.10.0+cu126, 1.2.34567, x0.12345, 40"),
    ],
)
def test_rounded(text: str, shown: str) -> None:
    assert rounded(text) == shown


def test_percentages_stay_on_one_line() -> None:
    shown = unbroken("Looks like 6 (> 99.9 %) rather than 7 (4 %), a < b")
    assert shown.replace("\N{NO-BREAK SPACE}", "_") == "Looks like 6 (>_99.9_%) rather than 7 (4_%), a < b"

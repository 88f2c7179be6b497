"""Text for terminals and pipes."""

from __future__ import annotations

import io
import json
import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from noiseaudit_cli.console import fitted, print_json, print_rows, print_table, visible


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _on_terminal(
    monkeypatch: pytest.MonkeyPatch, rows: list[dict[str, object]], names: list[str], width: int = 80
) -> str:
    monkeypatch.setenv("COLUMNS", str(width))
    terminal = Terminal()
    with monkeypatch.context() as patch:  # for the call alone: pytest has a stdout of its own
        patch.setattr(sys, "stdout", terminal)
        if names:
            print_table(rows, list(rows[0]), names)
        else:
            print_rows(rows, list(rows[0]))
    return re.sub(r"\x1b\[\d*m", "", terminal.getvalue())  # the header is bold


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("cat", "cat"),
        ("naïve 🐈‍⬛ 猫", "naïve 🐈‍⬛ 猫"),
        ("a\tb\nc\r", r"a\tb\nc\r"),
        ("\x1b[31m", r"\x1b[31m"),
        ("\x9b", r"\x9b"),
        ("\u202e\u2066\u2028", r"\u202e\u2066\u2028"),
        ("\ud800", r"\ud800"),
    ],
)
def test_visible(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(st.text())
def test_visible_text_is_one_line_that_can_be_written(text: str) -> None:
    shown = visible(text)
    shown.encode("utf-8")
    assert len(shown.splitlines()) <= 1
    assert "\x1b" not in shown


def test_a_table_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    text = _on_terminal(monkeypatch, [{"name": "[red]x[/red]\x1b", "p": 0.123456, "ok": True}], [])
    assert "[red]x[/red]\\x1b" in text
    assert "0.1235" in text
    assert "yes" in text
    assert "\t" not in text


def test_missing_values_are_empty_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    text = _on_terminal(monkeypatch, [{"a": None, "b": False}], [])
    assert "a" in text
    assert "None" not in text
    assert "False" not in text


PATH = f"train/{'猫' * 30}/{'x' * 40}/7.png"
LONG: list[dict[str, object]] = [
    {"rank": "1*", "row": 1234567, "sample_id": PATH, "label": "y" * 60, "p": "> 99.9 %"},
    {"rank": "2 ", "row": 8, "sample_id": "8.png", "label": "cat", "p": "51 %"},
]


@pytest.mark.parametrize("width", [30, 48, 80, 120, 400])
def test_only_names_are_cut_and_every_row_is_one_line(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = _on_terminal(monkeypatch, LONG, ["sample_id", "label"], width).splitlines()
    assert len(lines) == 4  # header, rule, two rows
    assert lines[2].split()[:2] == ["1*", "1234567"]
    assert lines[2].endswith("> 99.9 %")
    assert lines[3].split() == ["2", "8", "8.png", "cat", "51", "%"]
    widths = [cell_len(line.rstrip()) for line in lines]
    assert max(widths) <= max(width, 48)
    assert ("…" in lines[2]) == (width < 400)
    assert lines[2].split()[2].startswith("tra")
    assert lines[2].split()[2].endswith("png")


def test_numbers_are_aligned_at_the_right_and_names_at_the_left(monkeypatch: pytest.MonkeyPatch) -> None:
    rows: list[dict[str, object]] = [
        {"name": "7", "row": 12, "p": "> 99.9 %"},
        {"name": "10", "row": 3, "p": "4 %"},
    ]
    lines = _on_terminal(monkeypatch, rows, ["name"]).splitlines()
    assert [line.rstrip() for line in lines[2:]] == ["7      12  > 99.9 %", "10      3       4 %"]


def test_tsv_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows([{"a": None, "b": False, "c": 0.1 + 0.2}], ["a", "b", "c"])
    assert capsys.readouterr().out == "a\tb\tc\n\tfalse\t0.30000000000000004\n"


def test_json_is_ascii_and_exact(capsys: pytest.CaptureFixture[str]) -> None:
    value = {"label": "猫\x1b", "p": 0.1 + 0.2, "none": None}
    print_json(value)
    output = capsys.readouterr().out
    assert output.isascii()
    assert "\x1b" not in output
    assert json.loads(output) == value


def test_json_has_no_nan() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        print_json({"p": float("nan")})


def test_lines_are_broken_between_words_on_narrow_terminals_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "56")
    text = "  cut-off   p_mislabeled 0.4901: chosen without any truth, at photographs/of/some/length/of-words.png"
    assert fitted(text, Terminal(), 12).splitlines() == [
        "  cut-off   p_mislabeled 0.4901: chosen without any",
        "            truth, at",
        "            photographs/of/some/length/of-words.png",
    ]
    assert fitted(text, io.StringIO(), 12) == text
    monkeypatch.setenv("COLUMNS", "5")
    assert fitted(text, Terminal(), 12).splitlines()[1] == "            truth, at"

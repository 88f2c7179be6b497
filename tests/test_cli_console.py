"""Text for terminals and pipes."""

from __future__ import annotations

import io
import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noiseaudit_cli.console import print_json, print_rows, visible


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _on_terminal(monkeypatch: pytest.MonkeyPatch, row: dict[str, object]) -> str:
    monkeypatch.setenv("COLUMNS", "80")
    terminal = Terminal()
    with monkeypatch.context() as patch:  # for the call alone: pytest has a stdout of its own
        patch.setattr(sys, "stdout", terminal)
        print_rows([row], list(row))
    return terminal.getvalue()


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
    text = _on_terminal(monkeypatch, {"name": "[red]x[/red]\x1b", "p": 0.123456, "ok": True})
    assert "[red]x[/red]\\x1b" in text
    assert "0.1235" in text
    assert "yes" in text
    assert "\t" not in text


def test_missing_values_are_empty_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    text = _on_terminal(monkeypatch, {"a": None, "b": False})
    assert "a" in text
    assert "None" not in text
    assert "False" not in text


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

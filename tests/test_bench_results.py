"""Result files survive a crash and refuse what is no result."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from noiseaudit.bench.results import Line, append_line, read_lines, results_file
from noiseaudit.errors import DataError, OutputError


def test_what_is_appended_is_read(tmp_path: Path) -> None:
    file = results_file(tmp_path / "new", "table1", "mnist")
    assert file.name == "table1_mnist.jsonl"
    assert read_lines(file) == []
    lines: list[Line] = [{"key": "a", "value": None}, {"key": "b", "curve": [0.1, 0.2]}]
    for line in lines:
        append_line(file, line)
    assert read_lines(file) == lines
    assert file.read_text().count("\n") == 2


@pytest.mark.parametrize("kept", [0, 1, 10])
def test_a_cut_line_is_left_out_and_replaced(tmp_path: Path, kept: int) -> None:
    file = tmp_path / "x.jsonl"
    whole = [json.dumps({"key": str(i)}) + "\n" for i in range(kept)]
    file.write_text("".join(whole) + '{"key": "cut", "va')
    assert [line["key"] for line in read_lines(file)] == [str(i) for i in range(kept)]
    append_line(file, {"key": "next"})
    assert [line["key"] for line in read_lines(file)] == [*(str(i) for i in range(kept)), "next"]
    assert "cut" not in file.read_text()


@pytest.mark.parametrize(
    ("text", "words"), [("{]\n", "line 2: not JSON"), ("[1]\n", "line 2: no result"), ("{}\n", "line 2")]
)
def test_a_line_that_is_no_result_is_named(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "x.jsonl"
    file.write_text('{"key": "a"}\n' + text + '{"key": "b"}\n')
    with pytest.raises(DataError, match=words):
        read_lines(file)


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="--out"):
        append_line(tmp_path / "file" / "x.jsonl", {"key": "a"})


def test_nothing_that_json_has_not_is_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        append_line(tmp_path / "x.jsonl", {"key": "a", "value": float("nan")})
    assert not (tmp_path / "x.jsonl").exists()

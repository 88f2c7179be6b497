"""Result files survive a crash and refuse what is no result."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from noiseaudit.bench.results import Line, append_line, check_writable, read_lines, results_file
from noiseaudit.errors import DataError, OutputError
from tests.test_bench_tables import line


def test_what_is_appended_is_read(tmp_path: Path) -> None:
    file = results_file(tmp_path / "new", "table1", "mnist")
    assert file.name == "table1_mnist.jsonl"
    assert read_lines(file) == []
    lines: list[Line] = [line() | {"value": None}, line(seed=1) | {"curve": [0.1, 0.2]}]
    for each in lines:
        append_line(file, each)
    assert read_lines(file) == lines
    assert file.read_text().count("\n") == 2


@pytest.mark.parametrize("kept", [0, 1, 10])
def test_a_cut_line_is_left_out_and_replaced(tmp_path: Path, kept: int) -> None:
    file = tmp_path / "x.jsonl"
    whole = [json.dumps(line(seed=i)) + "\n" for i in range(kept)]
    file.write_text("".join(whole) + '{"key": "cut", "va')
    assert [each["seed"] for each in read_lines(file)] == [*range(kept)]
    append_line(file, line(seed=99))
    assert [each["seed"] for each in read_lines(file)] == [*range(kept), 99]
    assert "cut" not in file.read_text()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{]\n", "line 2: not JSON"),
        ("[1]\n", "line 2: no result"),
        ('{"key": "x"}\n', "line 2: no result of a run .no `backbone`."),
        (
            json.dumps({k: v for k, v in line().items() if k != "test_error"}) + "\n",
            "line 2: no result of a run",
        ),
    ],
)
def test_a_line_that_is_no_result_is_named(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "x.jsonl"
    file.write_text(json.dumps(line()) + "\n" + text + json.dumps(line(seed=1)) + "\n")
    with pytest.raises(DataError, match=words):
        read_lines(file)


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="--out"):
        append_line(tmp_path / "file" / "x.jsonl", {"key": "a"})
    with pytest.raises(OutputError, match="--out"):
        check_writable(tmp_path / "file" / "x.jsonl")
    check_writable(tmp_path / "new" / "x.jsonl")
    assert not (tmp_path / "new" / "x.jsonl").exists()


def test_nothing_that_json_has_not_is_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        append_line(tmp_path / "x.jsonl", {"key": "a", "value": float("nan")})
    assert not (tmp_path / "x.jsonl").exists()

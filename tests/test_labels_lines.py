"""The line on which a row begins."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from noiseaudit.labels.lines import line_of
from noiseaudit_cli.main import app


@pytest.mark.parametrize(
    ("name", "content", "lines"),
    [
        ("a.csv", b"image,label\na,x\nb,y\n", [2, 3, None]),
        ("a.csv", b'image,label\r\na,"x\r\ny"\r\n\r\nb,y', [2, 5, None]),  # a cell of two lines, a blank line
        ("a.csv", b"sep=;\nimage;label\na;x\n", [3, None]),
        ("a.tsv", "\ufeffimage\tlabel\na\tx\n".encode(), [2, None]),
        ("a.csv", "image,label\nä,x\nb,y\n".encode("latin-1"), [2, 3]),
        ("a.csv", "image,label\na,x\n".encode("utf-16"), [None]),
        ("a.jsonl", b'{"a": 1}\n\n{"a": 2}\n', [1, 3, None]),
        ("a.csv", b"", [None]),
        ("a.parquet", b"image,label\na,x\n", [None]),
    ],
)
def test_the_line_of_each_row(tmp_path: Path, name: str, content: bytes, lines: list[int | None]) -> None:
    (tmp_path / name).write_bytes(content)
    assert [line_of(tmp_path / name, row) for row in range(len(lines))] == lines


def test_no_file(tmp_path: Path) -> None:
    assert line_of(tmp_path / "absent.csv", 0) is None


def test_an_error_about_a_row_says_its_line(tmp_path: Path) -> None:
    file = tmp_path / "labels.csv"
    file.write_text('image,label\n"a\n.png",x\nb.png,y\nc.png,x|y\n')
    done = CliRunner().invoke(
        app,
        ["corrupt", str(file), "--kind", "symmetric", "--rate", "0.5", "--out", str(tmp_path / "out.csv")],
    )
    assert done.exit_code == 2
    assert done.stderr.startswith(f"error: {file}, row 2, column 'label': label 'x|y'")
    assert done.stderr.endswith(" (rows count from 0: row 2 is line 5)\n")

"""Files that name the samples whose labels are trusted; tests/test_trusted_audit.py has them in a scan."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from noiseaudit.errors import DataError
from noiseaudit.labels.read import read_labels
from noiseaudit.labels.table import LabelTable
from noiseaudit.trusted_file import marks_in_file


@pytest.fixture
def table(tmp_path: Path) -> LabelTable:
    """Rows 0 to 5, of which 5 is unlabelled."""
    rows = "".join(f"{row}.png,{'ab'[row % 2]}\n" for row in range(5))
    (tmp_path / "labels.csv").write_text(f"image,label\n{rows}5.png,\n")
    return read_labels(tmp_path / "labels.csv")


def marked(path: Path, table: LabelTable) -> list[int]:
    return [int(row) for row in np.flatnonzero(marks_in_file(path, table))]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "image,trusted\n0.png,true\n1.png,false\n2.png, Yes\n5.png,no\n"),
        ("a.csv", "image;Trusted\n2.png;1\n1.png;0\n0.png;1\n"),
        ("a.tsv", "trusted\timage\nTRUE\t0.png\nFALSE\t1.png\ntrue\t2.png\n"),
        (
            "a.jsonl",
            '{"image": "0.png", "trusted": true}\n{"image": "1.png", "trusted": false}\n'
            '{"image": "2.png", "trusted": 1}\n',
        ),
    ],
)
def test_only_rows_that_are_said_to_be_trusted_are(
    table: LabelTable, tmp_path: Path, name: str, text: str
) -> None:
    (tmp_path / name).write_text(text)
    assert marked(tmp_path / name, table) == [0, 2]


def test_a_parquet_file_says_so_too(table: LabelTable, tmp_path: Path) -> None:
    cells = {"image": ["0.png", "1.png", "2.png"], "trusted": [True, False, True]}
    pq.write_table(pa.table(cells), tmp_path / "a.parquet")
    assert marked(tmp_path / "a.parquet", table) == [0, 2]


def test_without_such_a_column_every_row_named_is_trusted(table: LabelTable, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("image,checked\n0.png,false\n1.png,true\n")
    assert marked(tmp_path / "a.csv", table) == [0, 1]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_blanks_behind_a_name_do_not_count(table: LabelTable, tmp_path: Path, end: str) -> None:
    (tmp_path / "ids.txt").write_bytes(end.join(["0.png ", "2.png\t", " ", "3.png"]).encode())
    assert marked(tmp_path / "ids.txt", table) == [0, 2, 3]


def test_only_ends_of_lines_part_names(tmp_path: Path) -> None:
    name = "odd\u2028name.png"
    records = [json.dumps({"image": image, "label": label}) for image, label in [(name, "a"), ("1.png", "b")]]
    (tmp_path / "labels.jsonl").write_text("\n".join(records))
    (tmp_path / "ids.txt").write_text(f"{name}\n", "utf-8")
    assert marked(tmp_path / "ids.txt", read_labels(tmp_path / "labels.jsonl")) == [0]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("ids.txt", "0.png\nx.png\n", "ids.txt, line 2: 'x.png' is not in the label file. Use its sample ids, "),
        ("ids.txt", "0.png\n0.png\n", "ids.txt, line 2: '0.png' stands twice. Remove one."),
        ("ids.txt", "0.png\n\n5.png\n", "ids.txt, line 3: '5.png' is unlabelled (row 5 of the label file). "),
        ("a.csv", "image\n0.png\nx.png\n", "a.csv, line 3, column 'image': 'x.png' is not in the label file. "),
        ("a.csv", "image,trusted\n0.png,\n", "a.csv, line 2, column 'trusted': cannot read ''. Write true or "),
        ("a.csv", "image,Trusted\n0.png,1\n1.png,0.5\n", "a.csv, line 3, column 'Trusted': cannot read '0.5'. "),
        ("a.csv", "image,trusted\n0.png,no\n0.png,yes\n", "a.csv, line 3, column 'image': '0.png' stands twice"),
        ("a.csv", "image,trusted\n5.png,yes\n", "a.csv, line 2, column 'image': '5.png' is unlabelled (row 5"),
        ("a.jsonl", '{"image": "0.png", "trusted": true}\n{"image": "1.png"}\n', "a.jsonl, line 2, column 'trusted'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_by_its_place(
    table: LabelTable, tmp_path: Path, name: str, text: str, message: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError) as error:
        marks_in_file(tmp_path / name, table)
    assert f"/{message}" in str(error.value)
    assert "column ''" not in str(error.value)

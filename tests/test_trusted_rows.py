"""Trusted rows are named by a file, a column or an array, and keep their marks; other arrays are refused."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from noiseaudit.demo import write_digits
from noiseaudit.errors import DataError
from noiseaudit.labels.columns import ColumnNames
from noiseaudit.labels.read import read_labels
from noiseaudit.labels.table import LabelTable
from noiseaudit.learn import usable_data
from noiseaudit.samples import Samples
from noiseaudit.trusted import with_trusted

N, UNLABELLED = 60, 30


TRUSTED = list(range(20))  # two of each digit: the demo goes 0, 1, 2, ... round


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 digits, of which the 30th is unlabelled, and a column that trusts the first 20."""
    folder = tmp_path_factory.mktemp("digits")
    write_digits(folder, limit=N)
    with (folder / "labels.csv").open(newline="") as file:
        rows = list(csv.reader(file))[1:]
    lines = ["image,label,checked,key"]
    for i, (image, label) in enumerate(rows):
        checked = ["no", "Yes"][i in TRUSTED]
        lines.append(f"{image},{'' if i == UNLABELLED else label},{checked},k{i}")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture
def table(digits: Path) -> LabelTable:
    return read_labels(digits / "labels.csv")


def marked(table: LabelTable, trusted: Any) -> list[int]:
    found = with_trusted(table, trusted).trusted
    assert found is not None
    assert found.dtype == np.bool_
    return [int(row) for row in np.flatnonzero(found)]


def names(rows: list[int]) -> list[str]:
    return [f"{row:04d}.png" for row in rows]


def text(folder: Path) -> Path:
    file = folder / "ids.txt"
    file.write_text("\ufeff" + "\r\n".join(names(TRUSTED)) + "\r\n\r\n", "utf-8")
    return file


def csv_of_images(folder: Path) -> Path:
    file = folder / "ids.csv"
    file.write_text("Image;why\n" + "".join(f"{name};x\n" for name in names(TRUSTED)))
    return file


def jsonl_of_ids(folder: Path) -> Path:
    file = folder / "ids.jsonl"
    file.write_text("".join(json.dumps({"sample_id": name}) + "\n" for name in names(TRUSTED)))
    return file


def parquet_of_ids(folder: Path) -> Path:
    pq.write_table(pa.table({"sample_id": names(TRUSTED)}), folder / "ids.parquet")
    return folder / "ids.parquet"


@pytest.mark.parametrize("write", [text, csv_of_images, jsonl_of_ids, parquet_of_ids])
def test_a_file_names_the_trusted_rows(table: LabelTable, tmp_path: Path, write: Callable[..., Path]) -> None:
    assert marked(table, write(tmp_path)) == TRUSTED
    assert marked(table, str(write(tmp_path))) == TRUSTED


def test_ids_of_a_named_column_and_image_paths_both_do(digits: Path, tmp_path: Path) -> None:
    table = read_labels(digits / "labels.csv", columns=ColumnNames(id="key"))
    (tmp_path / "a.csv").write_text("key\n" + "".join(f"k{row}\n" for row in TRUSTED))
    assert marked(table, tmp_path / "a.csv") == TRUSTED
    assert marked(table, text(tmp_path)) == TRUSTED  # image paths


def test_a_column_names_the_trusted_rows(table: LabelTable) -> None:
    assert marked(table, "checked") == TRUSTED


def test_a_file_goes_before_a_column_of_its_name(
    table: LabelTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "checked").mkdir()  # a folder is no file
    assert marked(table, "checked") == TRUSTED
    (tmp_path / "checked").rmdir()
    (tmp_path / "checked").write_text("\n".join(names(list(range(10)))))
    assert marked(table, "checked") == list(range(10))


@pytest.mark.parametrize("cells", [[True, False], [1, 0], [1.0, 0.0], ["TRUE", "false"], [" yes", "No"]])
def test_columns_of_several_types(tmp_path: Path, cells: list[Any]) -> None:
    yes, no = cells
    frame = {"id": list("abcd"), "label": list("xyxy"), "ok": [yes, yes, no, no]}
    pq.write_table(pa.table(frame), tmp_path / "labels.parquet")
    table = read_labels(tmp_path / "labels.parquet", images_required=False)
    assert marked(table, "ok") == [0, 1]


def test_an_array_names_the_trusted_rows(table: LabelTable) -> None:
    assert marked(table, np.arange(N) < 20) == TRUSTED
    assert marked(table, [row < 20 for row in range(N)]) == TRUSTED


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.zeros(N - 1, np.bool_), r"bool with shape \(59,\)\. Give a bool for each of the 60 rows"),
        (np.ones(N), r"float64 with shape \(60,\)"),
        (np.ones(N, np.bool_), "row 30: trusted, but unlabelled"),
        (np.zeros(N, np.bool_), "10 of 10 classes have no trusted label"),
    ],
)
def test_arrays_that_will_not_do(table: LabelTable, value: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        with_trusted(table, value)


def test_a_folder_tree_has_no_columns(tmp_path: Path) -> None:
    for name in ("a/1.png", "b/2.png"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    with pytest.raises(DataError, match=r"no such file, and no column of .*Give a file of sample ids"):
        with_trusted(read_labels(tmp_path), "checked")


def test_marks_stay_with_their_rows_where_images_are_missing(table: LabelTable) -> None:
    status = np.full(N, "ok", dtype=np.object_)
    status[[0, 3, 40]] = "missing"
    samples = Samples(torch.zeros(N, 1, 2, 2), status, np.full(N, None, dtype=np.object_), "sha256:0")
    data = usable_data(with_trusted(table, "checked"), samples)
    assert data.trusted is not None
    assert data.usable[data.trusted].tolist() == [row for row in TRUSTED if row not in (0, 3)]
    assert usable_data(table, samples).trusted is None

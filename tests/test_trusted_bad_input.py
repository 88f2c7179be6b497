"""What cannot be trusted, and options that are missing or do nothing, stop a scan in one line."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from noiseaudit.errors import DataError
from noiseaudit.labels.read import read_labels
from noiseaudit.trusted import with_trusted
from noiseaudit_cli.main import app
from tests.test_trusted_rows import UNLABELLED, N, digits, names

__all__ = ["digits"]  # fixtures


@pytest.fixture
def data(digits: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(digits, tmp_path / "data"))


def write_text(data: Path, lines: list[str], name: str = "ids.txt") -> list[str]:
    (data / name).write_text("\n".join(lines) + "\n")
    return [str(data / name)]


def absent_file(data: Path) -> list[str]:
    return [str(data / "idz.txt")]


def near_column(data: Path) -> list[str]:
    return ["cheked"]


def odd_column(data: Path) -> list[str]:
    return ["label"]


def empty_cell(data: Path) -> list[str]:
    lines = (data / "labels.csv").read_text().replace(",no,k25", ",,k25")
    (data / "labels.csv").write_text(lines)
    return ["checked"]


def unlabelled_in_column(data: Path) -> list[str]:
    lines = (data / "labels.csv").read_text().replace(",no,k30", ",yes,k30")
    (data / "labels.csv").write_text(lines)
    return ["checked"]


def unlabelled_in_file(data: Path) -> list[str]:
    return write_text(data, names([0, 1, UNLABELLED]))


def unknown_id(data: Path) -> list[str]:
    return write_text(data, [*names([0, 1]), "", "0400.png"])


def no_id_known(data: Path) -> list[str]:
    return write_text(data, ["0", "1"])


def twice(data: Path) -> list[str]:
    return write_text(data, ["image", *names([0, 1, 0])], "ids.csv")


def empty_name(data: Path) -> list[str]:
    return write_text(data, ["image,x", "0000.png,1", ",1"], "ids.csv")


def no_key_column(data: Path) -> list[str]:
    return write_text(data, ["name", *names([0, 1])], "ids.csv")


def empty_file(data: Path) -> list[str]:
    return write_text(data, [""])


def header_only(data: Path) -> list[str]:
    return write_text(data, ["image"], "ids.csv")


def not_utf_8(data: Path) -> list[str]:
    (data / "ids.txt").write_bytes("é".encode("utf-16"))
    return [str(data / "ids.txt")]


def class_without(data: Path) -> list[str]:
    return write_text(data, names([*range(3), 13]))


def all_of_them(data: Path) -> list[str]:
    return write_text(data, names([row for row in range(N) if row != UNLABELLED]))


def damaged_parquet(data: Path) -> list[str]:
    return write_text(data, ["PAR1"], "ids.parquet")


def class_unreadable(data: Path) -> list[str]:
    """Row 0 and 10 are the trusted zeros."""
    for row in (0, 10):
        (data / "images" / f"{row:04d}.png").write_bytes(b"")
    return ["checked"]


CASES: list[tuple[Callable[[Path], list[str]], tuple[str, ...]]] = [
    (absent_file, ("--trusted", "idz.txt", "no such file", "labels.csv", "'checked'")),
    (near_column, ("--trusted", "'cheked'", "Did you mean 'checked'")),
    (odd_column, ("--trusted", "row 2", "column 'label'", "'2'", "true or false")),
    (empty_cell, ("--trusted", "row 25", "column 'checked'", "''")),
    (unlabelled_in_column, ("row 30", "column 'checked'", "unlabelled")),
    (unlabelled_in_file, ("ids.txt", "line 3", "'0030.png'", "unlabelled", "row 30")),
    (unknown_id, ("ids.txt", "line 4", "'0400.png'", "not in the label file", "'0000.png'")),
    (no_id_known, ("ids.txt", "line 1", "'0'", "not in the label file")),
    (twice, ("ids.csv", "line 4", "column 'image'", "'0000.png' stands twice")),
    (empty_name, ("ids.csv", "line 3", "column 'image'", "empty")),
    (no_key_column, ("ids.csv", "no column names the rows", "sample_id", "image", "'name'")),
    (empty_file, ("ids.txt", "no rows")),
    (header_only, ("ids.csv", "no rows")),
    (not_utf_8, ("ids.txt", "UTF-8")),
    (class_without, ("--trusted", "6 of 10 classes", "'4', '5', '6', '7', '8' and 1 more")),
    (all_of_them, ("--trusted", "every label is trusted")),
    (damaged_parquet, ("ids.parquet", "Parquet")),
    (class_unreadable, ("--trusted", "1 of 10 classes", "'0'")),
]


def scan(data: Path, *options: str) -> Any:
    common = ["--images", str(data / "images"), "--out", str(data.parent / "run"), "--epochs", "2"]
    return CliRunner().invoke(app, ["scan", str(data / "labels.csv"), *common, "--device", "cpu", *options])


def stops(result: Any, *words: str) -> str:
    assert result.exit_code == 2, result.stderr
    (line,) = (line for line in result.stderr.splitlines() if not line.startswith("Read "))
    assert line.startswith("error: ")
    for word in words:
        assert word in line
    return str(line)


@pytest.mark.parametrize(("spoil", "words"), CASES, ids=[case[0].__name__ for case in CASES])
def test_what_cannot_be_trusted_stops_the_scan(
    data: Path, spoil: Callable[[Path], list[str]], words: tuple[str, ...]
) -> None:
    (value,) = spoil(data)
    stops(scan(data, "--method", "reweight", "--trusted", value), *words)
    assert [path.name for path in data.parent.iterdir()] == ["data"]


def test_an_image_of_two_rows_must_be_named_by_its_id(data: Path) -> None:
    with (data / "labels.csv").open("a") as file:
        file.write("0000.png,3,no,k60\n")
    (data / "ids.csv").write_text("image\n0000.png\n")
    table = read_labels(data / "labels.csv")
    with pytest.raises(DataError, match=r"line 2, column 'image': '0000\.png' is the image of 2 rows"):
        with_trusted(table, data / "ids.csv")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--method", "reweight"], ("--method reweight needs --trusted FILE|COLUMN",)),
        (["--method", "mislabeled_vae"], ("--method mislabeled_vae needs --noise-rate R",)),
        (["--trusted", "checked"], ("--method umn_plus does not use --trusted", "--method reweight")),
        (["--noise-rate", "0.2"], ("--method umn_plus does not use --noise-rate", "mislabeled_vae")),
        (
            ["--method", "reweight", "--trusted", "checked", "--noise-rate", "0.2"],
            ("--method reweight does not use --noise-rate",),
        ),
        (["--noise-rate", "0"], ("--noise-rate", "above 0 and below 1")),
        (["--noise-rate", "1"], ("--noise-rate", "above 0 and below 1")),
        (["--noise-rate", "nan"], ("--noise-rate", "above 0 and below 1")),
    ],
    ids=" ".join,
)
def test_options_that_are_missing_or_do_nothing_stop_the_scan(
    tmp_path: Path, options: list[str], words: tuple[str, ...]
) -> None:
    """Before anything is read: the label file is damaged."""
    (tmp_path / "data" / "images").mkdir(parents=True)
    (tmp_path / "data" / "labels.csv").write_bytes(b"\xff")
    stops(scan(tmp_path / "data", *options), *words)

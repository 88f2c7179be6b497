"""Data that stops a scan: exit 2, one line that names the place and the fix, and no output folder."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from noiseaudit_cli.main import app
from tests.test_scan_bad_options import _scan, _stops, data, digits

__all__ = ["data", "digits"]  # fixtures


Break = Callable[[Path], list[str]]  # spoils the data, returns options that go with it


HEADER = "image,label"


def _lines(data: Path) -> list[str]:
    return (data / "labels.csv").read_text().splitlines()


def _write(data: Path, lines: list[str]) -> None:
    (data / "labels.csv").write_text("\n".join(lines) + "\n")


def _set_row(data: Path, row: int, line: str) -> None:
    lines = _lines(data)
    lines[row + 1] = line
    _write(data, lines)


def no_label_file(data: Path) -> list[str]:
    (data / "labels.csv").unlink()
    return []


def no_images_folder(data: Path) -> list[str]:
    return ["--images", str(data / "imagse")]


def empty_file(data: Path) -> list[str]:
    (data / "labels.csv").write_text("")
    return []


def header_only(data: Path) -> list[str]:
    _write(data, [HEADER])
    return []


def no_image_column(data: Path) -> list[str]:
    _write(data, ["imaeg,label", *_lines(data)[1:]])
    return []


def no_label_column(data: Path) -> list[str]:
    _write(data, ["image,lable", *_lines(data)[1:]])
    return []


def named_column_absent(data: Path) -> list[str]:
    return ["--label-column", "labels"]


def all_unlabelled(data: Path) -> list[str]:
    _write(data, [HEADER, *(line.split(",")[0] + "," for line in _lines(data)[1:])])
    return []


def one_class(data: Path) -> list[str]:
    _write(data, [HEADER, *(line.split(",")[0] + ",7" for line in _lines(data)[1:])])
    return []


def one_readable_class(data: Path) -> list[str]:
    _write(data, [HEADER, *(f"{line.split(',')[0]},7" for line in _lines(data)[1:]), "absent.png,8"])
    return []


def duplicate_ids(data: Path) -> list[str]:
    _write(data, ["image,label,key", *(f"{line},{max(i, 3)}" for i, line in enumerate(_lines(data)[1:]))])
    return ["--id-column", "key"]


def most_images_bad(data: Path) -> list[str]:
    for image in sorted((data / "images").iterdir())[:21]:
        image.write_bytes(b"not an image")
    return []


def parent_path(data: Path) -> list[str]:
    shutil.copy(data / "images" / "0000.png", data / "out.png")
    _set_row(data, 3, "../out.png,1")
    return []


def column_of_the_user(data: Path) -> list[str]:
    parent_path(data)
    _write(data, ["filename,label", *_lines(data)[1:]])
    return []


def absolute_path(data: Path) -> list[str]:
    shutil.copy(data / "images" / "0000.png", data / "out.png")
    _set_row(data, 3, f"{data / 'out.png'},1")
    return []


def link_outside(data: Path) -> list[str]:
    (data / "images" / "0003.png").rename(data / "out.png")
    (data / "images" / "0003.png").symlink_to(data / "out.png")
    return []


def malformed_row(data: Path) -> list[str]:
    _set_row(data, 4, "0004.png,4,5")
    return []


def utf_16(data: Path) -> list[str]:
    (data / "labels.csv").write_bytes((data / "labels.csv").read_text().encode("utf-16"))
    return []


def latin_1(data: Path) -> list[str]:
    (data / "labels.csv").write_bytes((data / "labels.csv").read_bytes().replace(b",3", b",\xe9"))
    return []


def unknown_encoding(data: Path) -> list[str]:
    return ["--encoding", "utf-9"]


def list_cell(data: Path) -> list[str]:
    _set_row(data, 2, '0002.png,"[1, 2]"')
    return []


def multi_label(data: Path) -> list[str]:
    _set_row(data, 2, "0002.png,1|2")
    return []


def damaged_image_and_strict(data: Path) -> list[str]:
    (data / "images" / "0005.png").write_bytes(b"")
    return ["--strict"]


def other_length(data: Path) -> list[str]:
    np.save(data / "e.npy", np.zeros((39, 3), np.float32))
    return ["--embeddings", str(data / "e.npy")]


def other_ids(data: Path) -> list[str]:
    table = pa.table({"sample_id": [f"x{i}" for i in range(40)], "embedding": [[0.0, 1.0]] * 40})
    pq.write_table(table, data / "e.parquet")
    return ["--embeddings", str(data / "e.parquet")]


CASES: list[tuple[Break, tuple[str, ...]]] = [
    (no_label_file, ("labels.csv", "no such label file")),
    (no_images_folder, ("imagse", "--images")),
    (empty_file, ("labels.csv",)),
    (header_only, ("labels.csv", "no ")),
    (no_image_column, ("image column", "'imaeg'", "--image-column")),
    (no_label_column, ("label column", "'lable'", "--label-column")),
    (named_column_absent, ("'labels'", "Did you mean 'label'")),
    (all_unlabelled, ("labels.csv", "label")),
    (one_class, ("labels.csv", "'7'")),
    (one_readable_class, ("labels.csv", "only 1 class")),
    (duplicate_ids, ("'3'", "'key'")),
    (most_images_bad, ("21 of 40", "row 0", "--images")),
    (parent_path, ("row 3", "../out.png", "--allow-root")),
    (column_of_the_user, ("row 3", "column 'filename'", "../out.png")),
    (absolute_path, ("row 3", "out.png", "--allow-root")),
    (link_outside, ("row 3", "0003.png", "--allow-root")),
    (malformed_row, ("line 6",)),
    (utf_16, ("--encoding", "utf-16")),
    (latin_1, ("--encoding", "line 5")),
    (unknown_encoding, ("utf-9", "--encoding")),
    (list_cell, ("row 2", "'label'")),
    (multi_label, ("row 2", "'label'")),
    (damaged_image_and_strict, ("row 5", "0005.png")),
    (other_length, ("e.npy", "39", "40")),
    (other_ids, ("e.parquet", "sample_id")),
]


@pytest.mark.parametrize(("spoil", "words"), CASES, ids=[case[0].__name__ for case in CASES])
def test_bad_data_stops_the_scan(data: Path, spoil: Break, words: tuple[str, ...]) -> None:
    options = spoil(data)
    if "--embeddings" in options:
        result = CliRunner().invoke(
            app, ["scan", str(data / "labels.csv"), "--out", str(data.parent / "run"), *options]
        )
    else:
        result = _scan(data, *options)
    _stops(result, *words)
    assert [path.name for path in data.parent.iterdir()] == ["data"]

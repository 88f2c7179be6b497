"""What run.json tells later commands: how the label file is found again, and the command that cleans it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from noiseaudit.describe_run import RunInputs, describe_run
from noiseaudit.errors import ConfigError, DataError
from noiseaudit.labels.columns import ColumnNames
from noiseaudit.labels.table import Source
from noiseaudit.manifest import (
    clean_command,
    file_sha256,
    find_source,
    saved_run,
    scanned_columns,
    scanned_missing_label,
)
from noiseaudit.result import AuditResult
from noiseaudit.runjson import write_run_json
from tests.test_describe_run import CLEANED, LABELS, labels

__all__ = ["labels"]  # fixtures
MakeAudit = Callable[..., AuditResult]
ODD: list[dict[str, Any]] = [
    {"format": "xlsx"},
    {"path": None},
    {"label_column": 3},
    {"colour": "red"},
    {"encoding": []},
]
ODD_SOURCES = [{"path": "labels.csv", "format": "csv", "label_column": "label"} | odd for odd in ODD]


@pytest.mark.parametrize(
    ("run", "columns"),
    [
        ({"source": {"image_column": "Photo", "id_column": None}}, ColumnNames(image="Photo")),
        ({"source": {"image_column": None, "id_column": "key"}}, ColumnNames(id="key")),
        ({"source": {"image_column": 7}}, ColumnNames()),
        ({"source": "labels.csv"}, ColumnNames()),
        ({}, ColumnNames()),
    ],
)
def test_the_columns_of_a_run(run: dict[str, Any], columns: ColumnNames) -> None:
    assert scanned_columns(run) == columns
    assert scanned_missing_label(run) is None


def test_what_meant_unlabelled_in_a_run() -> None:
    assert scanned_missing_label({"source": {"missing_label": "?"}}) == "?"
    assert scanned_missing_label({"source": {"missing_label": 7}}) is None


def test_a_folder_has_no_hash(tmp_path: Path) -> None:
    assert file_sha256(tmp_path) is None


def test_the_source_comes_back_from_run_json(tmp_path: Path, make_audit: MakeAudit, labels: Path) -> None:
    source = Source(labels, "csv", "kind", "latin-1", "?", image_column="image", id_column="image")
    write_run_json(tmp_path, describe_run(make_audit(), RunInputs(source), [], CLEANED))
    assert find_source(tmp_path) == source
    assert find_source(tmp_path / "audit.parquet") == source


def test_a_moved_file_is_read_as_the_old_one_was(tmp_path: Path, make_audit: MakeAudit, labels: Path) -> None:
    source = Source(labels, "csv", "kind", missing_label="?", image_column="image")
    write_run_json(tmp_path, describe_run(make_audit(), RunInputs(source), [], CLEANED))
    moved = labels.rename(tmp_path / "moved.csv")
    with pytest.raises(DataError, match=r"gone\. Say where it is with --data"):
        find_source(tmp_path)
    assert find_source(tmp_path, moved) == dataclasses.replace(source, path=moved)


def test_without_run_json_the_file_must_be_named(tmp_path: Path) -> None:
    assert saved_run(tmp_path) == {}
    with pytest.raises(ConfigError, match="--data"):
        find_source(tmp_path)
    named = tmp_path / "labels.csv"
    named.write_text(LABELS.replace("kind", "label"))
    assert find_source(tmp_path, named) == Source(named, "csv", "label", image_column="image")


def test_options_go_before_run_json(tmp_path: Path, make_audit: MakeAudit, labels: Path) -> None:
    labels.write_text("image,kind,sort,key,picture\na.png,cat,x,1,p\nb.png,dog,y,2,q\n", "utf-16")
    columns = ColumnNames(image="picture", label="sort", id="key")
    expected = Source(labels, "csv", "sort", "utf-16", "?", image_column="picture", id_column="key")
    options: dict[str, Any] = {"columns": columns, "encoding": "utf-16", "missing_label": "?"}
    assert find_source(tmp_path, labels, **options) == expected
    write_run_json(
        tmp_path, describe_run(make_audit(), RunInputs(Source(labels, "csv", "kind")), [], CLEANED)
    )
    assert find_source(tmp_path, **options) == expected
    assert find_source(tmp_path).label_column == "kind"


def test_a_folder_that_moved(tmp_path: Path, make_audit: MakeAudit) -> None:
    for name in ("tree/cat/a.png", "tree/dog/b.png"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    source = Source(tmp_path / "tree", "folder", "label", image_column="image")
    write_run_json(tmp_path, describe_run(make_audit(), RunInputs(source), [], CLEANED))
    moved = (tmp_path / "tree").rename(tmp_path / "moved")
    assert find_source(tmp_path, moved) == dataclasses.replace(source, path=moved)


@pytest.mark.parametrize(
    "source",
    ["labels.csv", [], {}, {"path": "labels.csv"}, *ODD_SOURCES],
)
def test_an_odd_source_in_run_json_is_named(tmp_path: Path, source: object) -> None:
    write_run_json(tmp_path, {"status": "complete", "source": source})
    with pytest.raises(DataError, match=r"run\.json: its `source` .* --data"):
        find_source(tmp_path)


@pytest.mark.parametrize(
    ("data", "format", "out"),
    [
        ("/data/labels.jsonl", "jsonl", "labels.cleaned.jsonl"),
        ("/data/LABELS.TSV", "tsv", "labels.cleaned.TSV"),
        ("/data/photos.v2", "folder", "labels.cleaned.csv"),
        ("/data/photos.parquet", "folder", "labels.cleaned.csv"),
    ],
)
def test_the_clean_command_writes_the_format_that_was_scanned(data: str, format: str, out: str) -> None:
    command = clean_command({"paths": {"data": data}, "source": {"format": format}}, Path("my run"))
    assert command == f"noiseaudit clean 'my run' --policy relabel --out {out}"


def test_the_clean_command_of_a_run_that_says_little() -> None:
    assert clean_command({}, Path("run")).endswith(" --out labels.cleaned.csv")
    assert clean_command({"paths": {"data": "/data/labels.parquet"}}, Path("run")).endswith(
        "labels.cleaned.parquet"
    )
    assert clean_command({"paths": {"data": "/data/photos.v2"}}, Path("run")).endswith("labels.cleaned.csv")

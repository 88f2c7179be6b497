"""The image of each row: in a folder, or in the data set that was scanned, also where these moved."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from noiseaudit.data.opening import picture_bytes
from noiseaudit.errors import DataError
from noiseaudit.labels.read import read_labels
from noiseaudit.labels.table import LabelTable
from noiseaudit.manifest import file_sha256
from noiseaudit.result import AuditResult
from noiseaudit.row_pictures import row_pictures
from tests.containers import CLASSES, arrow_table, pictures, write_shards


def names_of(table: LabelTable) -> list[str]:
    assert table.image is not None
    return [str(name) for name in table.image]


def with_columns(audit: AuditResult, **columns: list[str]) -> AuditResult:
    table = audit.table
    for name, cells in columns.items():
        field = table.schema.field(name)
        table = table.set_column(table.schema.names.index(name), field, pa.array(cells, field.type))
    return AuditResult(table, audit.meta)


def test_images_of_a_data_set_that_moved(tmp_path: Path, make_audit: Callable[..., AuditResult]) -> None:
    images = pictures(8)
    table = read_labels(write_shards(tmp_path / "a", images))
    source = table.source
    assert source is not None
    audit = make_audit(n=8, n_unlabelled=0, n_unread=0, images=names_of(table))
    run = {"source": dataclasses.asdict(source) | {"path": str(source.path)}, "paths": {"images": None}}
    find = row_pictures(audit, run)
    assert find is not None
    found = [find(row) for row in range(8)]
    assert sorted(picture_bytes(one) for one in found if one is not None) == sorted(images)
    (tmp_path / "a").rename(tmp_path / "b")
    assert row_pictures(audit, run) is None
    moved = read_labels(tmp_path / "b").source
    again = row_pictures(audit, run, None, moved)
    assert again is not None
    place = again(3)
    assert place is not None
    assert picture_bytes(place) in images
    for names in (names_of(table)[:7], names_of(table)[::-1]):  # of other rows
        other = make_audit(n=len(names), n_unlabelled=0, n_unread=0, images=names)
        assert row_pictures(other, run, None, moved) is None


@pytest.mark.parametrize("told_apart_by", ["path", "id", "label", "hash"])
def test_no_picture_of_a_data_set_in_another_order(
    tmp_path: Path, make_audit: Callable[..., AuditResult], told_apart_by: str
) -> None:
    """Of the audit's rows: what has neither ids nor names is known by its labels, and by the file's hash."""
    file, table = tmp_path / "set.parquet", arrow_table(pictures(8))
    ids = [f"s{i}" for i in range(8)]
    if told_apart_by != "path":
        table = table.set_column(0, "img", table.column("img").combine_chunks().field("bytes"))
    if told_apart_by == "id":
        table = table.append_column("sample_id", pa.array(ids))
    pq.write_table(table, file)
    read = read_labels(file)
    source = read.source
    assert source is not None
    made = make_audit(n=8, classes=CLASSES, n_unlabelled=0, n_unread=0, images=names_of(read))
    rows = with_columns(made, sample_id=list(read.sample_id), given_label=list(read.given_label))
    run = {"source": dataclasses.asdict(source) | {"path": str(file)}, "data_sha256": file_sha256(file)}
    assert row_pictures(rows, run) is not None
    order = [1, 0, *range(2, 8)] if told_apart_by != "hash" else [2, 1, 0, *range(3, 8)]  # 0 and 2 are cats
    pq.write_table(table.take(order), file)
    known = run if told_apart_by == "hash" else {"source": run["source"]}
    assert row_pictures(rows, known) is None
    if told_apart_by in ("path", "id"):  # a label that was mended changes no picture
        relabelled = table.set_column(1, table.schema.field(1), pa.array([1] + [i % 2 for i in range(1, 8)]))
        pq.write_table(relabelled, file)
        assert row_pictures(rows, run) is not None


def test_images_of_a_folder(tmp_path: Path, make_audit: Callable[..., AuditResult]) -> None:
    names = ["a.png", "../a.png", "/etc/passwd", *(f"{i}.png" for i in range(5))]
    audit = make_audit(n=8, n_unlabelled=0, n_unread=0, images=names)
    assert row_pictures(audit, {}) is None
    find = row_pictures(audit, {"paths": {"images": str(tmp_path)}})
    assert find is not None
    assert [find(row) for row in range(4)] == [tmp_path / "a.png", None, None, tmp_path / "0.png"]
    with pytest.raises(DataError, match="no such folder"):
        row_pictures(audit, {}, tmp_path / "gone")

"""Rows of a truth file find their rows of the audit, also where ids are shared by chance."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from noiseaudit.errors import DataError
from noiseaudit.result import SCHEMA, AuditResult
from noiseaudit.truth_file import Record
from noiseaudit.truth_join import join_records

FILE = Path("t.csv")


@pytest.fixture
def audit(make_audit: Callable[..., AuditResult]) -> AuditResult:
    """Sample ids 0, 1, 2 ..., images a/0.png, a/1.png ..."""
    made = make_audit(images=[f"a/{row}.png" for row in range(60)])
    ids = pa.array([str(row) for row in range(60)], pa.string())
    place = SCHEMA.get_field_index("sample_id")
    return AuditResult(made.table.set_column(place, SCHEMA.field(place), ids), made.meta)


def _records(*rows: dict[str, str | None]) -> list[Record]:
    columns = {"sample_id": "id", "image": "path", "true_label": "true_label", "is_corrupted": "is_corrupted"}
    used = {role: column for role, column in columns.items() if role in rows[0]}
    return [Record(row, used, line=line) for line, row in enumerate(rows, start=2)]


def _places(records: list[Record | None]) -> dict[int, int | None]:
    return {row: record.line for row, record in enumerate(records) if record}


def test_ids_go_before_images(audit: AuditResult) -> None:
    joined = join_records(
        _records({"sample_id": "4", "image": "a/4.png"}, {"sample_id": "2", "image": None}), audit, FILE
    )
    assert (_places(joined.records), joined.notes) == ({4: 2, 2: 3}, ())


@pytest.mark.parametrize("image", ["/data/a/4.png", "a\\4.png", "4.png"])
def test_another_spelling_of_the_image_contradicts_nothing(image: str, audit: AuditResult) -> None:
    joined = join_records(_records({"sample_id": "4", "image": image}), audit, FILE)
    assert (_places(joined.records), joined.notes) == ({4: 2}, ())


def test_ids_that_are_shared_by_chance_give_way_to_the_images(audit: AuditResult) -> None:
    rows: list[dict[str, str | None]] = [
        {"sample_id": str(row + 1), "image": f"a/{row}.png"} for row in range(60)
    ]
    joined = join_records(_records(*rows), audit, FILE)
    assert _places(joined.records) == {row: row + 2 for row in range(60)}
    assert joined.notes == (
        "truth is joined on the column 'path': under 'id', 59 rows would have the image of another row.",
    )


def test_images_of_one_name_in_two_folders_are_told_apart(audit: AuditResult) -> None:
    table = audit.table
    images = table.column("image").to_pylist()
    images[5] = "b/4.png"
    place = SCHEMA.get_field_index("image")
    audit = AuditResult(table.set_column(place, SCHEMA.field(place), pa.array(images)), audit.meta)
    records = _records({"sample_id": "5", "image": "a/4.png"}, {"sample_id": "4", "image": "b/4.png"})
    assert _places(join_records(records, audit, FILE).records) == {4: 2, 5: 3}


def test_images_that_are_no_better_stop(audit: AuditResult) -> None:
    records = _records({"sample_id": "4", "image": "a/4.png"}, {"sample_id": "5", "image": "x.png"})
    with pytest.raises(DataError) as caught:
        join_records(records, audit, FILE)
    assert str(caught.value) == (
        "t.csv, line 3, column 'id': '5' has the image 'x.png' here, but 'a/5.png' in the audit. "
        "Mend the rows, or leave out the column that is wrong."
    )


def test_an_audit_without_images_is_not_contradicted(audit: AuditResult) -> None:
    place = SCHEMA.get_field_index("image")
    none = audit.table.set_column(place, SCHEMA.field(place), pa.nulls(60, pa.string()))
    records = _records({"sample_id": "4", "image": "x.png"})
    assert _places(join_records(records, AuditResult(none, audit.meta), FILE).records) == {4: 2}


def test_rows_that_say_the_same_count_once(audit: AuditResult) -> None:
    records = _records(
        {"sample_id": "4", "true_label": "cat", "is_corrupted": None},
        {"sample_id": "4", "true_label": None, "is_corrupted": "yes"},
        {"sample_id": "4", "true_label": "cat", "is_corrupted": "TRUE"},
    )
    (record,) = [record for record in join_records(records, audit, FILE).records if record]
    assert record.cells == {"sample_id": "4", "true_label": "cat", "is_corrupted": "yes"}
    assert record.line == 2


@pytest.mark.parametrize(("role", "other"), [("true_label", "dog"), ("is_corrupted", "no")])
def test_rows_that_contradict_one_another_stop(role: str, other: str, audit: AuditResult) -> None:
    first: dict[str, str | None] = {"sample_id": "4", "true_label": "cat", "is_corrupted": "yes"}
    with pytest.raises(DataError, match=r"t\.csv, line 3, column 'id': '4' stands twice"):
        join_records(_records(first, {**first, role: other}), audit, FILE)


def test_rows_of_the_audit_without_truth_are_none(audit: AuditResult) -> None:
    joined = join_records(_records({"image": "a/7.png", "true_label": "cat"}), audit, FILE)
    assert np.flatnonzero([record is not None for record in joined.records]).tolist() == [7]

"""Truth files of every format are read and joined to the audit, under the usual names and spellings."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from noiseaudit.evaluation import evaluate
from noiseaudit.result import AuditResult
from noiseaudit.truth import read_truth, truth_from_audit

MakeAudit = Callable[..., AuditResult]


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Rows as CSV, TSV, JSONL or Parquet by the suffix; None is an empty cell or null."""
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    else:
        mark = "\t" if path.suffix == ".tsv" else ","
        cells = [list(rows[0]), *(["" if v is None else str(v) for v in row.values()] for row in rows)]
        path.write_text("".join(mark.join(line) + "\n" for line in cells), "utf-8")
    return path


def truth_rows(audit: AuditResult, *columns: str) -> list[dict[str, Any]]:
    """The audit's own truth as rows of a truth file, unlabelled rows left out as `corrupt` does."""
    table = audit.table.filter(audit.table.column("is_labelled")).to_pylist()
    full = [row | {"is_corrupted": str(row["true_label"] != row["given_label"]).lower()} for row in table]
    return [{name: row[name] for name in columns} for row in full]


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet"])
@pytest.mark.parametrize("column", ["true_label", "is_corrupted"])
@pytest.mark.parametrize("key", ["sample_id", "image"])
def test_a_file_says_the_same_as_the_audit(
    suffix: str, column: str, key: str, make_audit: MakeAudit, tmp_path: Path
) -> None:
    audit = make_audit()
    truth = read_truth(write(tmp_path / f"truth{suffix}", truth_rows(audit, key, column)), audit)
    own = truth_from_audit(audit)
    assert truth.is_known.tolist() == own.is_known.tolist()
    assert truth.is_corrupted.tolist() == own.is_corrupted.tolist()
    assert truth.is_known.sum() == 56
    assert (truth.true_label is None) == (column == "is_corrupted")


def test_truth_is_joined_by_name_not_by_order(make_audit: MakeAudit, tmp_path: Path) -> None:
    audit = make_audit()
    rows = truth_rows(audit, "sample_id", "true_label")[::-1]
    assert read_truth(write(tmp_path / "t.csv", rows), audit).is_corrupted.tolist() == (
        truth_from_audit(audit).is_corrupted.tolist()
    )


def test_partial_truth(make_audit: MakeAudit, tmp_path: Path) -> None:
    audit = make_audit()
    rows = truth_rows(audit, "sample_id", "true_label")[:10]
    rows[3]["true_label"] = None
    truth = read_truth(write(tmp_path / "t.csv", [*rows, {"sample_id": "other", "true_label": "cat"}]), audit)
    assert np.flatnonzero(truth.is_known).tolist() == [0, 1, 2, 4, 5, 6, 7, 8, 9]
    evaluation = evaluate(audit, truth)
    assert (evaluation.n_rows, evaluation.n_with_truth, evaluation.n_without_truth) == (60, 9, 44)


@pytest.mark.parametrize(("yes", "no"), [("TRUE", "False"), ("1", "0"), ("Yes", "no")])
def test_spellings_of_is_corrupted(yes: str, no: str, make_audit: MakeAudit, tmp_path: Path) -> None:
    audit = make_audit()
    ids = audit.column("sample_id")
    rows = [{"sample_id": ids[0], "is_corrupted": yes}, {"sample_id": ids[1], "is_corrupted": no}]
    truth = read_truth(write(tmp_path / "t.csv", rows), audit)
    assert truth.is_corrupted[:2].tolist() == [True, False]
    assert truth.is_known.sum() == 2


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_typed_cells_read_as_labels_do(suffix: str, make_audit: MakeAudit, tmp_path: Path) -> None:
    audit = make_audit(classes=["1", "2", "true"])
    given = audit.column("given_label")
    typed = {"1": 1, "2": 2.0, "true": True}
    at = {name: given.tolist().index(name) for name in typed}
    for name, row in at.items():  # one file a type: a Parquet column has one
        cells = [
            {"sample_id": audit.column("sample_id")[row], "true_label": typed[name], "is_corrupted": False}
        ]
        truth = read_truth(write(tmp_path / f"{name}{suffix}", cells), audit)
        assert np.flatnonzero(truth.is_known & ~truth.is_corrupted).tolist() == [row]


def test_an_empty_true_label_is_no_truth_in_any_format(
    make_audit: Callable[..., AuditResult], tmp_path: Path
) -> None:
    audit = make_audit(has_truth=False)
    ids, given = audit.column("sample_id")[:3].tolist(), audit.column("given_label")[:3].tolist()
    rows = [
        {"sample_id": name, "true_label": label}
        for name, label in zip(ids, ["", given[1], None], strict=True)
    ]
    jsonl, parquet = tmp_path / "t.jsonl", tmp_path / "t.parquet"
    jsonl.write_text("\n".join(map(json.dumps, rows)))
    pq.write_table(pa.Table.from_pylist(rows), parquet)
    for file in (jsonl, parquet):
        truth = read_truth(file, audit)
        assert np.flatnonzero(truth.is_known).tolist() == [1]
        assert not truth.is_corrupted.any()


def test_a_long_cell_in_another_column_does_no_harm(
    make_audit: Callable[..., AuditResult], tmp_path: Path
) -> None:
    audit = make_audit()
    (tmp_path / "t.csv").write_text(
        f"sample_id,is_corrupted,note\n{audit.column('sample_id')[0]},true,{'n' * 200_000}\n"
    )
    assert read_truth(tmp_path / "t.csv", audit).is_corrupted.sum() == 1


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
@pytest.mark.parametrize(("key", "label"), [("FileName", "Gold_Label"), ("ID", "clean_label")])
def test_the_usual_names_of_label_files_are_known(
    key: str, label: str, suffix: str, make_audit: MakeAudit, tmp_path: Path
) -> None:
    audit = make_audit()
    rows = [{key: row["image"], label: row["true_label"]} for row in truth_rows(audit, "image", "true_label")]
    truth = read_truth(write(tmp_path / f"t{suffix}", rows), audit)
    assert truth.is_known.sum() == 56
    assert truth.is_corrupted.tolist() == truth_from_audit(audit).is_corrupted.tolist()


def test_ids_that_are_not_the_audits_give_way_to_the_images(make_audit: MakeAudit, tmp_path: Path) -> None:
    audit = make_audit()
    rows = [
        {"id": i, "path": row["image"], "true_label": row["true_label"]}
        for i, row in enumerate(truth_rows(audit, "image", "true_label"))
    ]
    assert read_truth(write(tmp_path / "t.csv", rows), audit).is_known.sum() == 56


@pytest.mark.parametrize(
    "header", ["image;is_corrupted", "sep=;\r\nimage;is_corrupted", "image;is_corrupted;a, b"]
)
def test_truth_separated_by_semicolons(header: str, make_audit: MakeAudit, tmp_path: Path) -> None:
    audit = make_audit()
    (tmp_path / "t.csv").write_text(
        f"{header}\r\n{audit.column('image')[2]};yes{';' * (header.count(';') - 1 - header.count('sep'))}\r\n"
    )
    assert np.flatnonzero(read_truth(tmp_path / "t.csv", audit).is_corrupted).tolist() == [2]


def test_a_class_that_no_row_was_given_is_legal_and_said(make_audit: MakeAudit, tmp_path: Path) -> None:
    audit = make_audit()
    rows = truth_rows(audit, "sample_id", "true_label")
    rows[0]["true_label"] = rows[1]["true_label"] = "wolf"
    truth = read_truth(write(tmp_path / "t.csv", rows), audit)
    assert truth.is_corrupted[:2].all()
    fields = json.loads(json.dumps(evaluate(audit, truth).to_dict()))
    assert fields["n_unused_classes"] == 2
    assert fields["notes"] == [
        "2 true labels are no classes of the audit, such as 'wolf': those rows count as corrupted."
    ]
    own = evaluate(audit, truth_from_audit(audit)).to_dict()
    assert (own["n_unused_classes"], own["notes"]) == (0, [])


def test_what_meant_unlabelled_in_the_scan_is_no_truth(make_audit: MakeAudit, tmp_path: Path) -> None:
    audit = make_audit()
    rows = truth_rows(audit, "sample_id", "true_label")
    rows[0]["true_label"] = "?"
    path = write(tmp_path / "t.csv", rows)
    assert not read_truth(path, audit, missing_label="?").is_known[0]
    assert read_truth(path, audit, missing_label="?").is_known[1]
    assert read_truth(path, audit).is_corrupted[0]

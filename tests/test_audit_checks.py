"""An audit file that was edited is refused, naming the column and the row; one that a scan wrote is not."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from noiseaudit.audit_checks import check_table
from noiseaudit.errors import DataError
from noiseaudit.result import METADATA_KEY, SCHEMA, STATUSES, AuditResult, read_audit

MakeAudit = Callable[..., AuditResult]
N = 60  # rows of an audit that make_audit builds: 53 scored, 53-56 unlabelled, 57-59 missing


def with_cells(table: pa.Table, name: str, cells: list[Any]) -> pa.Table:
    at = SCHEMA.get_field_index(name)
    return table.set_column(at, SCHEMA.field(name), pa.array(cells, SCHEMA.field(name).type))


def edited(audit: AuditResult, name: str, row: int, value: Any) -> AuditResult:
    cells = audit.table.column(name).to_pylist()
    cells[row] = value
    return AuditResult(with_cells(audit.table, name, cells), audit.meta)


EDITS = [
    ("row", 7, 8, "8, but rows are numbered"),
    ("sample_id", 7, "images/00003.png", "'images/00003.png' stands twice"),
    ("status", 7, "fine", "'fine' is not one of ok, unlabelled, missing"),
    ("status", 7, "unlabelled", "'unlabelled', but is_labelled says otherwise"),
    ("status", 54, "ok", "'ok', but is_labelled says otherwise"),
    ("is_labelled", 7, False, "False, but given_label says otherwise"),
    ("given_label", 7, "zebra", "'zebra' is not among the audit's classes"),
    ("suggested_label", 54, "zebra", "'zebra' is not among the audit's classes"),
    ("suggested_label", 7, None, "None does not fit the row's status"),
    ("epsilon", 7, 1.5, "1.5 is not a probability"),
    ("epsilon", 7, float("nan"), "nan is not a probability"),
    ("epsilon", 7, None, "None does not fit the row's status"),
    ("epsilon", 58, 0.5, "0.5 does not fit the row's status"),
    ("p_given", 7, -0.25, "-0.25 is not a probability"),
    ("p_suggested", 54, 2.0, "2.0 is not a probability"),
    ("p_mislabeled", 7, 7.0, "7.0 is not a probability"),
    ("p_mislabeled", 7, float("nan"), "nan is not a probability"),
    ("p_mislabeled", 7, float("inf"), "inf is not a probability"),
    ("p_mislabeled", 7, None, "None does not fit the row's status"),
    ("is_label_issue", 54, True, "True does not fit the row's status"),
    ("rank", 7, None, "None does not fit the row's status"),
    ("rank", 7, 0, "0 is not its place by p_mislabeled"),
    ("rank", 7, 54, "54 is not its place by p_mislabeled"),
    ("top_labels", 7, ["cat", "zebra", "dog"], "is not among the audit's classes"),
    ("top_labels", 7, ["cat", None, "dog"], "is not among the audit's classes"),
    ("top_probs", 7, [0.5, 1.5, 0.1], "is not a probability"),
    ("top_probs", 7, [0.5, 0.5], "not as many as top_labels"),
    ("top_probs", 58, [0.5, 0.5], "does not fit the row's status"),
]  # fmt: skip


@pytest.mark.parametrize(("column", "row", "value", "message"), EDITS)
def test_an_edited_cell_is_named(
    column: str, row: int, value: Any, message: str, make_audit: MakeAudit, tmp_path: Path
) -> None:
    path = tmp_path / "audit.parquet"
    edited(make_audit(), column, row, value).write(path)
    with pytest.raises(DataError) as caught:
        read_audit(path)
    assert f"audit.parquet, row {row}, column {column!r}: " in str(caught.value)
    assert message in str(caught.value)
    assert "scan again" in str(caught.value)


def test_two_ranks_that_changed_places(make_audit: MakeAudit, tmp_path: Path) -> None:
    audit = make_audit()
    ranks = audit.table.column("rank").to_pylist()
    ranks[7], ranks[9] = ranks[9], ranks[7]
    AuditResult(with_cells(audit.table, "rank", ranks), audit.meta).write(tmp_path / "audit.parquet")
    with pytest.raises(DataError, match=f"row 7, column 'rank': {ranks[7]} is not its place"):
        read_audit(tmp_path)


def test_rows_out_of_order(make_audit: MakeAudit, tmp_path: Path) -> None:
    audit = make_audit()
    AuditResult(audit.table.take(list(range(N))[::-1]), audit.meta).write(tmp_path / "audit.parquet")
    with pytest.raises(DataError, match="row 0, column 'row': 59, but rows are numbered"):
        read_audit(tmp_path)


def test_a_sample_id_may_not_be_null(make_audit: MakeAudit, tmp_path: Path) -> None:
    audit = make_audit()
    field = pa.field("sample_id", pa.string())
    ids = pa.array([None, *audit.column("sample_id")[1:]], pa.string())
    table = audit.table.set_column(1, field, ids).replace_schema_metadata(
        {METADATA_KEY: audit.meta.to_json()}
    )
    pq.write_table(table, tmp_path / "audit.parquet")
    with pytest.raises(DataError, match="columns differ from the audit schema"):
        read_audit(tmp_path)


def test_text_that_is_not_utf8(make_audit: MakeAudit, tmp_path: Path) -> None:
    audit = make_audit()
    texts = pa.array([b"\xff"] * N, pa.binary()).view(pa.string())
    AuditResult(
        audit.table.set_column(SCHEMA.get_field_index("annotator"), SCHEMA.field("annotator"), texts),
        audit.meta,
    ).write(tmp_path / "audit.parquet")
    with pytest.raises(DataError, match="not a readable Parquet file"):
        read_audit(tmp_path)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"has_epsilon": False, "has_truth": False},
        {"n_unlabelled": 0, "n_unread": 0},
        {"classes": [str(i) for i in range(12)]},
        {"n_unlabelled": 30, "n_unread": 30},
        {"n": 1, "n_unlabelled": 0, "n_unread": 0},
    ],
)
def test_a_whole_audit_passes(options: dict[str, Any], make_audit: MakeAudit, tmp_path: Path) -> None:
    audit = make_audit(**options)
    audit.write(tmp_path / "audit.parquet")
    assert read_audit(tmp_path).table.equals(audit.table)


def test_an_audit_without_rows_passes(make_audit: MakeAudit, tmp_path: Path) -> None:
    audit = make_audit()
    AuditResult(audit.table.slice(0, 0), audit.meta).write(tmp_path / "audit.parquet")
    assert len(read_audit(tmp_path)) == 0


def test_equal_scores_rank_by_row_and_rounding_is_forgiven(make_audit: MakeAudit, tmp_path: Path) -> None:
    audit = make_audit(n_unlabelled=0, n_unread=0)
    table = with_cells(audit.table, "p_mislabeled", [1 + 1e-9] * N)
    table = with_cells(table, "rank", list(range(1, N + 1)))
    AuditResult(table, audit.meta).write(tmp_path / "audit.parquet")
    assert read_audit(tmp_path).column("rank").tolist() == list(range(1, N + 1))


def test_a_table_in_several_pieces(make_audit: MakeAudit) -> None:
    audit = make_audit()
    pieces = pa.concat_tables([audit.table.slice(i, 7) for i in range(0, N, 7)])
    check_table(pieces, audit.meta.classes, STATUSES, Path("x"))
    wrong = edited(audit, "sample_id", 50, "images/00003.png").table
    pieces = pa.concat_tables([wrong.slice(i, 7) for i in range(0, N, 7)])
    with pytest.raises(DataError, match="row 50, column 'sample_id'"):
        check_table(pieces, audit.meta.classes, STATUSES, Path("x"))


def test_a_quarter_of_a_million_rows_take_a_second(make_audit: MakeAudit) -> None:
    n = 250_000
    audit = make_audit(1000, n_unlabelled=0, n_unread=0)
    table = pa.concat_tables([audit.table] * (n // 1000))
    score = np.random.default_rng(0).random(n)
    ranks = np.argsort(np.argsort(-score)) + 1
    table = with_cells(table, "row", list(range(n)))
    table = with_cells(table, "sample_id", [str(i) for i in range(n)])
    table = with_cells(table, "p_mislabeled", score.tolist())
    table = with_cells(table, "rank", ranks.tolist())
    start = time.process_time()
    check_table(table, audit.meta.classes, STATUSES, Path("x"))
    assert time.process_time() - start < 2

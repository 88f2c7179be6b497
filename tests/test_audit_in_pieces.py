"""Audits that stay in their files: what is handed out, what is read for it, and what is checked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from noiseaudit import audit_file
from noiseaudit.audit_file import open_audit
from noiseaudit.errors import DataError
from noiseaudit.result import METADATA_KEY, SCHEMA, AuditResult
from noiseaudit.rows import RowReader
from noiseaudit_cli.main import app
from tests.test_audit_checks import edited

MakeAudit = Callable[..., AuditResult]
LISTS = {"top_labels", "top_probs", "evidence"}
GROUP = 7  # rows


def written(audit: AuditResult, folder: Path, rows: int = GROUP) -> Path:
    """The audit in row groups of so many rows."""
    table = audit.table.cast(SCHEMA).replace_schema_metadata({METADATA_KEY: audit.meta.to_json()})
    pq.write_table(table, folder / "audit.parquet", row_group_size=rows)
    return folder / "audit.parquet"


@pytest.fixture
def _large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every audit is too large to be checked whole."""
    monkeypatch.setattr(audit_file, "WHOLE", 0)


@pytest.mark.usefixtures("_large")
def test_columns_come_a_row_group_at_a_time(make_audit: MakeAudit, tmp_path: Path) -> None:
    audit = make_audit()
    opened = open_audit(written(audit, tmp_path))
    columns = ["sample_id", "given_label", "p_mislabeled"]
    found = list(opened.tables(columns))
    assert [first for first, _ in found] == list(range(0, 60, GROUP))
    assert [row for _, table in found for row in table.to_pylist()] == audit.table.select(columns).to_pylist()
    assert (len(opened), opened.meta, opened.classes) == (60, audit.meta, audit.classes)


@pytest.mark.usefixtures("_large")
def test_some_rows_come_alone(make_audit: MakeAudit, tmp_path: Path) -> None:
    audit, rows = make_audit(), np.array([3, 6, 7, 59])
    found = list(open_audit(written(audit, tmp_path)).tables(["image"], rows))
    assert [first for first, _ in found] == [0, 7, 56]  # other row groups are not read
    cells = [row["image"] for _, table in found for row in table.to_pylist()]
    assert cells == audit.column("image")[rows].tolist()
    ((_, own),) = audit.tables(["image"], rows)
    assert own.column("image").to_pylist() == cells


@pytest.mark.usefixtures("_large")
def test_columns_as_numpy_are_those_of_the_whole(make_audit: MakeAudit, tmp_path: Path) -> None:
    audit = make_audit()
    names = ["given_label", "suggested_label", "epsilon", "is_label_issue", "split"]
    read = open_audit(written(audit, tmp_path)).read(names)
    assert read.table.column_names == names
    for name in names:
        assert all(
            a == b or (a != a and b != b) for a, b in zip(read.column(name), audit.column(name), strict=True)
        )
    assert np.array_equal(read.suspects(), audit.suspects())


@pytest.mark.parametrize("portions", [[60], [1] * 60, [5, 20, 35], [50, 50, 3]])
def test_rows_come_in_any_portions(portions: list[int], make_audit: MakeAudit, tmp_path: Path) -> None:
    audit = make_audit()
    reader = RowReader(open_audit(written(audit, tmp_path)), ["row"])
    taken = [reader.next(n) for n in portions]
    assert [row for _, table in taken for row in table.column("row").to_pylist()] == list(range(60))
    assert [first for first, _ in taken] == [min(60, sum(portions[:i])) for i in range(len(portions))]


def test_an_audit_of_one_row_group_is_checked_whole(make_audit: MakeAudit, tmp_path: Path) -> None:
    audit = edited(make_audit(), "top_probs", 7, [0.5, 1.5, 0.1])
    audit.write(tmp_path / "audit.parquet")
    with pytest.raises(DataError, match="row 7, column 'top_probs'"):
        open_audit(tmp_path)


CHECKED = [
    ("p_mislabeled", 40, 7.0, ["p_mislabeled"]),
    ("given_label", 40, "zebra", ["given_label"]),
    ("suggested_label", 40, None, ["status", "suggested_label"]),
    ("is_labelled", 40, False, ["is_labelled", "given_label"]),
    ("epsilon", 58, 0.5, ["status", "epsilon"]),
    ("evidence", 40, [], ["is_label_issue", "evidence"]),
]


@pytest.mark.usefixtures("_large")
@pytest.mark.parametrize(("column", "row", "value", "read"), CHECKED)
def test_what_is_read_of_a_large_audit_is_checked(
    column: str, row: int, value: Any, read: list[str], make_audit: MakeAudit, tmp_path: Path
) -> None:
    audit = make_audit(cutoff=1.0)  # no suspect: an edited row of evidence contradicts
    opened = open_audit(written(edited(audit, column, row, value), tmp_path))
    with pytest.raises(DataError) as caught:
        list(opened.tables(read))
    assert f"row {row}, column {column!r}" in str(caught.value)
    with pytest.raises(DataError, match=f"row {row}, column"):
        list(opened.tables(read, np.array([3, row])))
    assert list(opened.tables(read, np.array([3])))  # a row group that nobody asked for
    assert list(opened.tables(["rank"]))  # a column that nobody asked for


@pytest.mark.usefixtures("_large")
def test_row_numbers_are_checked_by_statistics(make_audit: MakeAudit, tmp_path: Path) -> None:
    path = written(edited(make_audit(), "row", 20, 99), tmp_path)
    with pytest.raises(DataError, match="row 14, column 'row': 14 to 99, but rows are numbered"):
        open_audit(path)


@pytest.mark.usefixtures("_large")
@pytest.mark.parametrize("command", ["rank", "evaluate", "clean", "export"])
def test_no_command_reads_the_lists(
    command: str, make_audit: MakeAudit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    audit = make_audit()
    written(audit, tmp_path)
    lines = [
        f"{image},{label or ''}"
        for image, label in zip(audit.column("image"), audit.column("given_label"), strict=True)
    ]
    (tmp_path / "labels.csv").write_text("\n".join(["image,label", *lines]) + "\n")
    (tmp_path / "truth.csv").write_text("\n".join(["image,true_label", *lines]) + "\n")
    options = {
        "rank": ["--class", "dog", "--top", "1000"],
        "evaluate": ["--truth", str(tmp_path / "truth.csv")],
        "clean": [
            "--policy",
            "flag",
            "--data",
            str(tmp_path / "labels.csv"),
            "--out",
            str(tmp_path / "o.csv"),
        ],
        "export": ["--format", "cleanlab", "--out", str(tmp_path / "o.parquet")],
    }
    asked: list[Sequence[str] | None] = []
    read = pq.ParquetFile.read_row_group

    def spy(self: Any, group: int, columns: Sequence[str] | None = None, **more: Any) -> pa.Table:
        asked.append(columns)
        return read(self, group, columns=columns, **more)

    monkeypatch.setattr(pq.ParquetFile, "read_row_group", spy)
    monkeypatch.setattr(pq.ParquetFile, "read", None)  # nothing reads a file as a whole
    result = CliRunner().invoke(app, [command, str(tmp_path), *options[command]])
    assert result.exit_code == 0, result.stderr
    assert len(asked) >= 60 // GROUP
    assert all(columns is not None and not LISTS & {*columns} for columns in asked)


@pytest.mark.usefixtures("_large")
@pytest.mark.parametrize("command", [["rank"], ["evaluate"]])
def test_a_large_audit_cut_off_in_the_middle_stops_in_one_line(
    command: list[str], make_audit: MakeAudit, tmp_path: Path
) -> None:
    path = written(make_audit(), tmp_path)
    content = bytearray(path.read_bytes())
    content[4:-6000] = bytes(len(content) - 6004)
    path.write_bytes(content)
    result = CliRunner().invoke(app, [*command, str(tmp_path)])
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert "not a readable Parquet file" in result.stderr


def test_no_rows(make_audit: MakeAudit, tmp_path: Path) -> None:
    audit = make_audit()
    AuditResult(audit.table.slice(0, 0), audit.meta).write(tmp_path / "audit.parquet")
    opened = open_audit(tmp_path)
    assert len(opened) == 0
    assert opened.read(["row", "given_label"]).column("given_label").tolist() == []

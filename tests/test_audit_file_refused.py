"""Audit files that contradict themselves, read in pieces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from noiseaudit import audit_file
from noiseaudit.audit_file import open_audit
from noiseaudit.errors import DataError
from noiseaudit.evaluation import COLUMNS
from noiseaudit.result import SCHEMA, read_audit
from noiseaudit.runjson import write_run_json
from noiseaudit_cli.main import app
from tests.conftest import build_audit
from tests.ranked import ranked_rows
from tests.test_audit_file import small, with_cell, write

__all__ = ["small"]  # fixture, for every test


@pytest.mark.parametrize(
    ("column", "row", "value", "problem"),
    [
        ("p_mislabeled", 40, 1.5, "1.5 is not a probability"),
        ("given_label", 50, "wolf", "'wolf' is not among the audit's classes"),
        ("status", 17, "lost", "'lost' is not one of"),
    ],
)
def test_a_cell_that_no_scan_writes_is_named_by_its_row_in_the_file(
    column: str, row: int, value: object, problem: str, tmp_path: Path
) -> None:
    file = open_audit(write(with_cell(build_audit(), column, row, value), tmp_path / "audit.parquet"))
    with pytest.raises(DataError, match=rf"row {row}, column '{column}': {problem}"):
        file.read(COLUMNS)


def test_ranks_that_contradict_the_scores_are_refused(tmp_path: Path) -> None:
    audit = build_audit()
    rank = audit.table.column("rank").to_pylist()
    row = rank.index(7)
    file = open_audit(write(with_cell(audit, "rank", row, 8), tmp_path / "audit.parquet"))
    with pytest.raises(DataError, match=rf"row {row}, column 'rank': 8 is not its place by p_mislabeled"):
        ranked_rows(file, ["row", "rank"], top=10)
    assert len(ranked_rows(file, ["row", "rank"], top=6)) == 6  # what is not shown is not compared


def test_rows_that_are_numbered_otherwise_are_refused_when_opened(tmp_path: Path) -> None:
    path = write(with_cell(build_audit(), "row", 47, 99), tmp_path / "audit.parquet")
    with pytest.raises(DataError, match=r"row 32, column 'row': 32 to 99, but rows are numbered"):
        open_audit(path)


def test_damage_in_a_later_row_group_is_one_line(tmp_path: Path) -> None:
    write_run_json(tmp_path, {"status": "complete"})
    path = write(build_audit(), tmp_path / "audit.parquet", compression="zstd", use_dictionary=False)
    place = SCHEMA.names.index("p_mislabeled")
    chunk = pq.ParquetFile(path).metadata.row_group(2).column(place)
    content = bytearray(path.read_bytes())
    content[chunk.data_page_offset : chunk.data_page_offset + chunk.total_compressed_size] = bytes(
        chunk.total_compressed_size
    )
    path.write_bytes(content)
    done = CliRunner().invoke(app, ["rank", str(tmp_path)])
    assert done.exit_code == 2
    assert "audit.parquet: not a readable Parquet file" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""


def test_a_small_audit_is_checked_whole_when_it_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(with_cell(build_audit(), "sample_id", 1, "images/00000.png"), tmp_path / "audit.parquet")
    assert len(open_audit(path)) == 60
    monkeypatch.setattr(audit_file, "WHOLE", 60)
    with pytest.raises(DataError, match=r"row 1, column 'sample_id': 'images/00000\.png' stands twice"):
        open_audit(path)


def test_what_is_read_whole_is_what_read_audit_reads(tmp_path: Path) -> None:
    path = write(build_audit(), tmp_path / "audit.parquet")
    whole = read_audit(path)
    part = open_audit(path).read(COLUMNS)
    for name in COLUMNS:
        np.testing.assert_array_equal(part.column(name), whole.column(name))
    assert part.meta == whole.meta

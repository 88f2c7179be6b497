"""The made-up audit of benchmarks/rows.py is one that a scan could have written."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from noiseaudit.labels import read_labels
from noiseaudit.result import read_audit

N = 2_000


@pytest.fixture
def rows_data(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(Path(__file__).parent.parent / "benchmarks"))
    module = importlib.import_module("rows_data")
    monkeypatch.setattr(module, "PIECE", 700)
    return module


def test_it_holds_the_rules_of_an_audit_and_its_label_files_are_its_own(
    rows_data: Any, tmp_path: Path
) -> None:
    rows_data.write_case(tmp_path, N, seed=1)
    audit = read_audit(tmp_path)
    assert len(audit) == N
    assert set(audit.column("status")) == {"ok", "unlabelled", "missing"}
    facts = [cell for cell in audit.table.column("evidence").to_pylist() if cell is not None]
    assert len(facts) == audit.suspects().sum() > 100
    assert {len(cell) for cell in facts} == {3}
    for name in rows_data.LABELS:
        table = read_labels(tmp_path / name)
        assert table.given_label.tolist() == audit.column("given_label").tolist()
        assert table.sample_id.tolist() == audit.column("sample_id").tolist()
    content = (tmp_path / "audit.parquet").read_bytes()
    rows_data.write_case(tmp_path, N, seed=1)
    assert (tmp_path / "audit.parquet").read_bytes() == content
    assert pq.ParquetFile(tmp_path / "audit.parquet").num_row_groups == 3

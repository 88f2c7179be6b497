"""clean, evaluate, report and corrupt from the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from noiseaudit.labels.table import Source
from noiseaudit.manifest import RunInputs, describe_run
from noiseaudit.result import SCHEMA, AuditResult
from noiseaudit.runfolder import write_run_json
from noiseaudit_cli.main import app


@pytest.fixture
def audit(tmp_path: Path, make_audit: Callable[..., AuditResult]) -> AuditResult:
    """A run folder `run` beside the label file it is of; every third row belongs to the test split."""
    made = make_audit(n=60, n_unlabelled=4, n_unread=3)
    splits = pa.array(["test" if i % 3 == 0 else "train" for i in range(60)])
    table = made.table.set_column(SCHEMA.names.index("split"), SCHEMA.field("split"), splits)
    audit = AuditResult(table, made.meta)
    run = tmp_path / "run"
    run.mkdir()
    audit.write(run / "audit.parquet")
    rows = zip(*(table.column(name).to_pylist() for name in ("image", "given_label", "split")), strict=True)
    lines = [f'"{image}", {label or ""},{split}\r\n' for image, label, split in rows]
    (tmp_path / "labels.csv").write_bytes(
        ("image,label,split\r\n" + "".join(lines)).replace(", ", ",").encode()
    )
    source = Source(tmp_path / "labels.csv", "csv", "label")
    write_run_json(run, {"status": "complete"} | describe_run(audit, RunInputs(source), []))
    return audit


def _clean(folder: Path, policy: str, *options: str) -> Any:
    words = ["clean", str(folder / "run"), "--policy", policy, "--out", str(folder / "out.csv"), *options]
    return CliRunner().invoke(app, words)


def _flagged(audit: AuditResult) -> list[int]:
    return [row for row, flag in enumerate(audit.table.column("is_label_issue").to_pylist()) if flag]


def test_drop_finds_the_file_by_run_json(audit: AuditResult, tmp_path: Path) -> None:
    result = _clean(tmp_path, "drop", "--include-test")
    assert (result.exit_code, result.stdout) == (0, "")
    flagged = _flagged(audit)
    assert f"60 rows, 0 changed, {len(flagged)} dropped" in result.stderr
    before = (tmp_path / "labels.csv").read_bytes().splitlines(keepends=True)
    kept = [line for i, line in enumerate(before[1:]) if i not in flagged]
    assert (tmp_path / "out.csv").read_bytes().splitlines(keepends=True) == [before[0], *kept]


def test_rows_of_the_test_split_are_spared_and_counted(audit: AuditResult, tmp_path: Path) -> None:
    result = _clean(tmp_path, "blank", "--json")
    spared = [row for row in _flagged(audit) if row % 3 == 0]
    summary = json.loads(result.stdout)
    assert summary["n_protected"] == len(spared) > 0
    assert summary["n_changed"] == len(_flagged(audit)) - len(spared)
    assert summary["out"] == str(tmp_path / "out.csv")
    said = _clean(tmp_path, "blank", "--force").stderr
    assert f"{len(spared)} suspects in test or validation splits" in said


def test_provenance_adds_columns(audit: AuditResult, tmp_path: Path) -> None:
    assert _clean(tmp_path, "relabel", "--provenance").exit_code == 0
    header = (tmp_path / "out.csv").read_text().splitlines()[0]
    assert header == "image,label,split,noiseaudit_given_label,noiseaudit_action,noiseaudit_p_mislabeled"


def test_an_existing_output_needs_force(audit: AuditResult, tmp_path: Path) -> None:
    (tmp_path / "out.csv").write_text("mine")
    result = _clean(tmp_path, "drop")
    assert (result.exit_code, "--force" in result.stderr) == (2, True)
    assert (tmp_path / "out.csv").read_text() == "mine"
    assert _clean(tmp_path, "drop", "--force").exit_code == 0
    assert (tmp_path / "out.csv").read_text() != "mine"


def test_the_input_is_never_overwritten(audit: AuditResult, tmp_path: Path) -> None:
    before = (tmp_path / "labels.csv").read_bytes()
    result = _clean(tmp_path, "drop", "--out", str(tmp_path / "labels.csv"), "--force")
    assert (result.exit_code, "never overwritten" in result.stderr) == (2, True)
    assert (tmp_path / "labels.csv").read_bytes() == before


def test_a_moved_file_is_named_by_data(audit: AuditResult, tmp_path: Path) -> None:
    (tmp_path / "labels.csv").rename(tmp_path / "moved.csv")
    result = _clean(tmp_path, "drop")
    assert (result.exit_code, "--data" in result.stderr) == (2, True)
    assert _clean(tmp_path, "drop", "--data", str(tmp_path / "moved.csv")).exit_code == 0


def test_another_file_is_refused(audit: AuditResult, tmp_path: Path) -> None:
    lines = (tmp_path / "labels.csv").read_text().splitlines()
    (tmp_path / "labels.csv").write_text("\n".join(lines[:-1]) + "\n")
    result = _clean(tmp_path, "drop")
    assert (result.exit_code, "59 rows" in result.stderr) == (2, True)
    assert not (tmp_path / "out.csv").exists()


def test_another_format_is_refused(audit: AuditResult, tmp_path: Path) -> None:
    result = _clean(tmp_path, "drop", "--out", str(tmp_path / "out.parquet"))
    assert (result.exit_code, ".csv" in result.stderr) == (2, True)
    assert not (tmp_path / "out.parquet").exists()

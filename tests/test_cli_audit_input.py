"""Bad audits stop every command that reads one: exit 2 and one line that names the file and the fix."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from noiseaudit.result import METADATA_KEY, AuditResult
from noiseaudit_cli.main import app

MakeAudit = Callable[..., AuditResult]
COMMANDS = {
    "rank": [],
    "evaluate": [],
    "clean": ["--policy", "drop", "--out", "OUT"],
    "report": [],
}


@pytest.fixture
def audit_file(tmp_path: Path, make_audit: MakeAudit) -> Path:
    (tmp_path / "run").mkdir()
    make_audit().write(tmp_path / "run" / "audit.parquet")
    return tmp_path / "run" / "audit.parquet"


def _run(command: str, audit: Path) -> Any:
    options = [str(audit.parent / "out.csv") if word == "OUT" else word for word in COMMANDS[command]]
    return CliRunner().invoke(app, [command, str(audit), *options])


def _stops(result: Any, *words: str) -> None:
    assert result.exit_code == 2, result.stderr
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""
    for word in words:
        assert word in result.stderr


def _rewrite(file: Path, **changes: Any) -> None:
    table = pq.read_table(file)
    meta = json.loads(table.schema.metadata[METADATA_KEY]) | changes
    pq.write_table(table.replace_schema_metadata({METADATA_KEY: json.dumps(meta)}), file)


@pytest.mark.parametrize("command", COMMANDS)
def test_absent(command: str, tmp_path: Path) -> None:
    _stops(_run(command, tmp_path / "absent"), "absent", "no such audit")


@pytest.mark.parametrize("command", COMMANDS)
def test_not_an_audit(command: str, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    _stops(_run(command, tmp_path / "notes.txt"), "notes.txt", "Parquet")
    pq.write_table(pa.table({"a": [1]}), tmp_path / "other.parquet")
    _stops(_run(command, tmp_path / "other.parquet"), "other.parquet", "not a noiseaudit audit")


@pytest.mark.parametrize("command", COMMANDS)
def test_truncated(command: str, audit_file: Path) -> None:
    audit_file.write_bytes(audit_file.read_bytes()[:-200])
    _stops(_run(command, audit_file), "audit.parquet", "truncated", "scan")


@pytest.mark.parametrize("command", COMMANDS)
def test_another_schema_version(command: str, audit_file: Path) -> None:
    _rewrite(audit_file, schema_version=99)
    _stops(_run(command, audit_file), "schema version 99")


@pytest.mark.parametrize("command", COMMANDS)
def test_another_class_order(command: str, audit_file: Path) -> None:
    _rewrite(audit_file, classes=["frog", "dog", "cat"])
    _stops(_run(command, audit_file), "canonical order")


@pytest.mark.parametrize("command", COMMANDS)
def test_an_incomplete_run(command: str, audit_file: Path) -> None:
    (audit_file.parent / "run.json").write_text('{"status": "incomplete"}')
    _stops(_run(command, audit_file.parent), "incomplete", "--force")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_damaged_run_json(command: str, audit_file: Path) -> None:
    (audit_file.parent / "run.json").write_text("{")
    _stops(_run(command, audit_file.parent), "run.json")


def test_truth_that_shares_no_id(audit_file: Path, tmp_path: Path) -> None:
    truth = tmp_path / "truth.csv"
    truth.write_text("sample_id,true_label\nx,cat\n")
    for command in ("evaluate", "report"):
        result = CliRunner().invoke(app, [command, str(audit_file), "--truth", str(truth)])
        _stops(result, "truth.csv", "shares no sample_id", "images/00000.png")


def test_no_truth_at_all(tmp_path: Path, make_audit: MakeAudit) -> None:
    audit = make_audit(has_truth=False)
    audit.write(tmp_path / "audit.parquet")
    _stops(CliRunner().invoke(app, ["evaluate", str(tmp_path)]), "--truth")

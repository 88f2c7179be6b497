"""evaluate: what it says of the truth that it was given."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from noiseaudit.result import AuditResult
from noiseaudit.runjson import write_run_json
from noiseaudit_cli.main import app


@pytest.fixture
def run(tmp_path: Path, make_audit: Callable[..., AuditResult]) -> Path:
    """A run whose label file wrote `?` for unlabelled, and a truth file with a `?` and a `wolf`."""
    audit = make_audit()
    audit.write(tmp_path / "audit.parquet")
    write_run_json(tmp_path, {"status": "complete", "source": {"missing_label": "?"}})
    labels = ["?", "wolf", *audit.column("true_label")[2:53]]
    lines = [f"{name},{label}" for name, label in zip(audit.column("image"), labels, strict=False)]
    (tmp_path / "truth.csv").write_text("\n".join(["image,true_label", *lines]))
    return tmp_path


def _evaluate(run: Path, *options: str) -> Any:
    return CliRunner().invoke(app, ["evaluate", str(run), "--truth", str(run / "truth.csv"), *options])


def test_a_class_that_no_row_was_given_is_said_in_one_line(run: Path) -> None:
    result = _evaluate(run)
    assert result.exit_code == 0
    counts, expected, relabelling, note = result.stderr.splitlines()
    assert expected.startswith("Without the truth, the audit expected precision ")
    assert relabelling.startswith("Relabelling all suspects would mend ")
    assert counts.startswith("52 rows with truth, ")
    assert counts.endswith("; 1 rows without truth left out.")
    assert note == "1 true label is no class of the audit, such as 'wolf': those rows count as corrupted."


def test_json_has_the_same(run: Path) -> None:
    found = json.loads(_evaluate(run, "--json").stdout)
    assert (found["n_with_truth"], found["n_unused_classes"], len(found["notes"])) == (52, 1, 1)


def test_the_report_says_it_too(run: Path) -> None:
    assert CliRunner().invoke(app, ["report", str(run), "--truth", str(run / "truth.csv")]).exit_code == 0
    for name in ("report.html", "report.md"):
        assert "1 true label is no class of the audit" in (run / name).read_text("utf-8")


def test_decisions_are_refused_as_truth_in_one_line(run: Path) -> None:
    (run / "checks.csv").write_text("sample_id,decision,new_label,reviewer\na,keep,,\n")
    for command in ("evaluate", "report"):
        done = CliRunner().invoke(app, [command, str(run), "--truth", str(run / "checks.csv")])
        assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)
        assert "this is a file of decisions" in done.stderr

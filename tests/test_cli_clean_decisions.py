"""noiseaudit clean --decisions: what people decided, on the command line."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from noiseaudit.decisions import Decision, run_id, write_decisions
from noiseaudit.result import AuditResult
from noiseaudit_cli.main import app
from tests.test_cli_clean import audit as run_folder

__all__ = ["run_folder"]  # fixtures


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_on_the_command_line(run_folder: AuditResult, tmp_path: Path, suffix: str) -> None:
    names, given = (run_folder.column(name).tolist() for name in ("sample_id", "given_label"))
    flagged = [row for row, flag in enumerate(run_folder.suspects().tolist()) if flag]
    first, second = flagged[:2]
    checks = tmp_path / f"checks{suffix}"
    answers = [
        Decision(names[first], "keep", run_id=run_id(run_folder)),
        Decision(names[second], "relabel", "a new\nclass", run_id="of another"),
    ]
    write_decisions(checks, answers)
    words = ["clean", tmp_path / "run", "--decisions", checks, "--out", tmp_path / "out.csv"]
    refused = CliRunner().invoke(app, [str(word) for word in words])
    assert (refused.exit_code, "column 'new_label': 'a new\\nclass' is no class" in refused.stderr) == (
        2,
        True,
    )
    assert not (tmp_path / "out.csv").exists()
    result = CliRunner().invoke(app, [*map(str, words), "--new-class", "a new\nclass"])
    assert result.exit_code == 0, result.stderr
    assert "1 changed, 0 dropped" in result.stderr
    assert "2 rows were decided by people, 1 of them given a label" in result.stderr
    assert "note: 1 decision was made about another audit" in result.stderr
    with (tmp_path / "out.csv").open(newline="") as file:
        labels = [row["label"] or None for row in csv.DictReader(file)]
    assert labels[second] == "a new\nclass"
    assert [label for row, label in enumerate(labels) if row != second] == [
        label for row, label in enumerate(given) if row != second
    ]


@pytest.mark.parametrize(
    ("policy", "fate"),
    [
        ("none", "label kept"),
        ("relabel", "relabelled as suggested"),
        ("blank", "label taken away"),
        ("drop", "dropped"),
    ],
)
def test_what_nobody_judged_is_told(run_folder: AuditResult, tmp_path: Path, policy: str, fate: str) -> None:
    """Those that somebody found ambiguous were judged, suspects or not, whatever the policy makes of them."""
    names = run_folder.column("sample_id").tolist()
    first, second, third, *others = np.flatnonzero(run_folder.suspects()).tolist()
    calm = int(np.flatnonzero(~run_folder.suspects() & (run_folder.column("status") == "ok"))[0])
    answers = [
        Decision(names[first], "keep"), Decision(names[second], "skip"),
        Decision(names[third], "skip", reviewer="Ann"), Decision(names[third], "ambiguous", reviewer="Bob"),
        Decision(names[calm], "ambiguous", reviewer="Bob"),
    ]  # fmt: skip
    write_decisions(tmp_path / "checks.csv", answers)
    words = [
        "clean",
        tmp_path / "run",
        "--decisions",
        tmp_path / "checks.csv",
        "--policy",
        policy,
        "--include-test",
    ]
    result = CliRunner().invoke(app, [str(word) for word in [*words, "--out", tmp_path / "out.csv"]])
    told = f"{len(others) + 1} suspects that nobody judged: {fate}; 1 skipped row counts as not judged.\n"
    assert (result.exit_code, told in result.stderr) == (0, True), result.stderr


def test_neither_policy_nor_decisions(run_folder: AuditResult, tmp_path: Path) -> None:
    words = ["clean", str(tmp_path / "run"), "--out", str(tmp_path / "out.csv")]
    result = CliRunner().invoke(app, words)
    assert (result.exit_code, "neither --policy nor --decisions" in result.stderr) == (2, True)


def test_decisions_are_not_overwritten(run_folder: AuditResult, tmp_path: Path) -> None:
    checks = tmp_path / "checks.csv"
    write_decisions(checks, [Decision(str(run_folder.column("sample_id")[0]), "ambiguous")])
    before = checks.read_bytes()
    words = ["clean", str(tmp_path / "run"), "--decisions", str(checks), "--out", str(checks), "--force"]
    assert CliRunner().invoke(app, words).exit_code == 2
    assert checks.read_bytes() == before

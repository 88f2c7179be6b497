"""report and gate with --checked: the figures of `estimate`, and what it refuses they refuse in the same words."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from noiseaudit.decisions import Decision
from noiseaudit_cli.main import app
from tests.checks import all_wrong, as_expected, write_checks
from tests.conftest import build_audit, written

AUDIT = build_audit(n=407)
GATE = ("--fail-if", "checked_noise_rate_low > 50%")


def invoke(*words: object) -> Any:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return written(AUDIT, tmp_path / "run")


def test_the_reports_have_what_estimate_prints(run: Path, tmp_path: Path) -> None:
    """From two files of answers."""
    answers = as_expected(AUDIT)
    files = [
        write_checks(tmp_path / "checks.csv", answers[:70]),
        write_checks(tmp_path / "more.parquet", answers[70:]),
    ]
    given = [word for file in files for word in ("--checked", file)]
    printed = json.loads(invoke("estimate", run, *files, "--json").stdout)
    done = invoke("report", run, *given)
    assert done.exit_code == 0, done.stderr
    found = json.loads((run / "report.json").read_text())["checked"]
    assert printed["n_answers"] == 120
    assert {name: found[name] for name in printed if name != "expected"} == {
        name: value for name, value in printed.items() if name != "expected"
    }
    for name in ("report.html", "report.md"):
        assert "Checked by people: 120 rows. " in (run / name).read_text("utf-8")
    assert invoke("report", run, "--force").exit_code == 0
    assert "hecked by people" not in (run / "report.html").read_text("utf-8")


def test_the_gate_goes_by_the_answers(run: Path, tmp_path: Path) -> None:
    right = write_checks(tmp_path / "right.csv", as_expected(AUDIT))
    wrong = write_checks(tmp_path / "wrong.csv", all_wrong(AUDIT))
    assert invoke("gate", run, "--checked", right, *GATE).exit_code == 0
    failed = invoke("gate", run, "--checked", wrong, *GATE, "--fail-if", "n_answers < 120", "--json")
    assert failed.exit_code == 3
    measured = [check["measured"] for check in json.loads(failed.stdout)["checks"]]
    low = json.loads(invoke("estimate", run, wrong, "--json").stdout)["noise_rate"]["low"]
    assert measured == [{"checked_noise_rate_low": low}, {"n_answers": 120}]
    without = invoke("gate", run, *GATE)
    assert (without.exit_code, "Give --checked FILE." in without.stderr) == (2, True)


def other_audit(answers: list[Decision]) -> list[Decision]:
    return [dataclasses.replace(answers[0], run_id="0" * 12), *answers[1:]]


def not_drawn(answers: list[Decision]) -> list[Decision]:
    return [dataclasses.replace(each, sampling_weight=None) for each in answers]


def open_rows(answers: list[Decision]) -> list[Decision]:
    return [dataclasses.replace(each, decision=None, new_label=None) for each in answers]


def two_reviewers(answers: list[Decision]) -> list[Decision]:
    other = "ambiguous" if answers[0].decision == "keep" else "keep"
    return [*answers, dataclasses.replace(answers[0], decision=other, new_label=None, reviewer="Bob")]


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (other_audit, "is about another audit"),
        (not_drawn, "is about a row that `noiseaudit sample` drew"),
        (open_rows, "checks.csv: has no answers yet"),
        (two_reviewers, "Agree on one answer, and remove the other."),
        (lambda answers: answers[:1], "and 3 of them have no keep or relabel yet"),
    ],
)
def test_what_estimate_refuses_is_refused(
    spoil: Callable[[list[Decision]], list[Decision]], why: str, run: Path, tmp_path: Path
) -> None:
    file = write_checks(tmp_path / "checks.csv", spoil(as_expected(AUDIT)))
    said = invoke("estimate", run, file).stderr
    assert why in said
    for words in (("report", run, "--checked", file), ("gate", run, "--checked", file, *GATE)):
        done = invoke(*words)
        assert (done.exit_code, done.stderr, done.stdout) == (2, said, "")
    assert [path.name for path in run.iterdir()] == ["audit.parquet"]


def test_the_answers_are_never_written_over(run: Path, tmp_path: Path) -> None:
    file = write_checks(tmp_path / "checks.csv", as_expected(AUDIT))
    link = tmp_path / "checks.md"
    link.symlink_to(file)
    before = file.read_bytes()
    done = invoke("report", run, "--checked", file, "--out", link, "--force")
    assert (done.exit_code, "never overwritten" in done.stderr) == (2, True)
    assert file.read_bytes() == before

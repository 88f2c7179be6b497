"""What the gate leaves: words, JUnit, annotations, exit codes."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from noiseaudit.evaluation import evaluate
from noiseaudit.gate import Check, Result, parse_check, run_checks
from noiseaudit.gate_measures import (
    BY_CHECKS,
    CHECKED_MEASURES,
    MEASURES,
    TRUTH_MEASURES,
)
from noiseaudit.result import AuditResult
from noiseaudit.runjson import write_run_json
from noiseaudit.truth import truth_from_audit
from noiseaudit_cli.main import app
from noiseaudit_reports.gate import github_lines, junit_xml, sentence
from tests.conftest import build_audit


def result(text: str, failed: bool, **values: float | None) -> Result:
    return Result(Check(text, ()), failed, values)


RESULTS = [
    result("noise_rate > 5%,\nor <b>", True, noise_rate=0.08123),
    result("n_missing > 0", False, n_missing=0),
    result("x > 1", False, x=None),
]


def test_junit_says_what_failed() -> None:
    root = ET.fromstring(junit_xml(RESULTS, "abc"))
    (suite,) = root
    assert (root.tag, suite.tag) == ("testsuites", "testsuite")
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("3", "1", "0")
    cases = suite.findall("testcase")
    assert [case.get("name") for case in cases] == ["noise_rate > 5%,\\nor <b>", "n_missing > 0", "x > 1"]
    assert {case.get("classname") for case in cases} == {"noiseaudit.abc"}
    failures = [case.find("failure") for case in cases]
    assert failures[0] is not None
    assert failures[0].get("message") == "noise_rate > 5%,\\nor <b> holds: noise_rate = 0.08123"
    assert failures[1:] == [None, None]
    assert cases[2].findtext("system-out") == "x > 1 does not hold: x = undefined"


@pytest.mark.parametrize(
    ("text", "value", "failed", "said"),
    [
        ("noise_rate > 20%", 0.137, False, "noise_rate 13.7 % is not > 20 %"),
        ("noise_rate>0.05", 0.08123, True, "noise_rate 0.08123 is > 0.05"),
        ("noise_rate <= 2.5 % ", 0.01, True, "noise_rate 1 % is <= 2.5 %"),
        ("noise_rate > 5%", 0.0500001, True, "noise_rate 5.00001 % is > 5 %"),
        ("noise_rate > 7%", 0.07, False, "noise_rate 7 % is not > 7 %"),
        ("noise_rate == 0.2", 0.2, True, "noise_rate 0.2 is == 0.2"),
        ("noise_rate == 0.2", 0.20000001, False, "noise_rate 0.20000001 is not == 0.2"),
        ("n_rows < 1000000", 1_234_567, False, "n_rows 1234567 is not < 1000000"),
        ("precision < 0.8", None, False, "precision is undefined, and so not < 0.8"),
    ],
)
def test_one_comparison_in_words(text: str, value: float | None, failed: bool, said: str) -> None:
    check = parse_check(text)
    (found,) = run_checks([check], {check.names[0]: value})
    assert (found.failed, sentence(found)) == (failed, said)


def test_github_is_told_in_one_line_each() -> None:
    assert github_lines(RESULTS, "a,b:c%\n.csv") == [
        "::error file=a%2Cb%3Ac%25%0A.csv,title=noiseaudit gate::"
        "noise_rate > 5%25,%0Aor <b> holds: noise_rate = 0.08123",
        "::notice title=noiseaudit gate::2 of 3 checks passed",
    ]
    assert github_lines(RESULTS[:1], None)[0].startswith("::error title=noiseaudit gate::")


@pytest.fixture
def run(tmp_path: Path) -> AuditResult:
    audit = build_audit(60)
    audit.write(tmp_path / "audit.parquet")
    write_run_json(tmp_path, {"status": "complete", "paths": {"data": str(tmp_path / "labels.csv")}})
    rows = zip(*(audit.column(name).tolist() for name in ("sample_id", "true_label")), strict=True)
    lines = ["sample_id,true_label", *(",".join(row) for row in rows)]
    (tmp_path / "truth.csv").write_text("\n".join(lines) + "\n")
    return audit


def gate(folder: Path, *words: str, **variables: str) -> Any:
    return CliRunner().invoke(app, ["gate", str(folder), *words], env=variables)


def test_exit_codes(run: AuditResult, tmp_path: Path) -> None:
    passed = gate(tmp_path, "--fail-if", "n_missing > 3", "--fail-if", "noise_rate > 90%")
    assert (passed.exit_code, passed.stderr) == (0, "gate passed: none of 2 conditions to fail is met\n")
    noise = 100 * run.column("p_mislabeled")[~np.isnan(run.column("p_mislabeled"))].mean()
    assert passed.stdout.splitlines() == [
        "result\tcheck",
        "ok\tn_missing 3 is not > 3",
        f"ok\tnoise_rate {noise:.4g} % is not > 90 %",
    ]
    failed = gate(tmp_path, "--fail-if", "n_missing > 3", "--fail-if", "n_missing > 2")
    assert failed.exit_code == 3
    assert failed.stdout.splitlines()[2] == "FAILED\tn_missing 3 is > 2"
    assert failed.stderr == "gate failed: 1 of 2 conditions to fail is met\n"
    assert gate(tmp_path, "--fail-if", "n_missing >").exit_code == 2
    assert gate(tmp_path, "--fail-if", "nothing > 1").exit_code == 2
    assert gate(tmp_path).exit_code == 2


def test_checks_from_the_environment(run: AuditResult, tmp_path: Path) -> None:
    one = gate(tmp_path, NOISEAUDIT_GATE_FAIL_IF="n_missing > 2")
    assert (one.exit_code, one.stdout.splitlines()[1]) == (3, "FAILED\tn_missing 3 is > 2")
    two = gate(tmp_path, NOISEAUDIT_GATE_FAIL_IF="\n  n_missing > 3 and n_rows > 1\r\n\nnoise_rate > 90%\n")
    first, second = two.stdout.splitlines()[1:]
    assert first == "ok\tn_missing > 3 and n_rows > 1 does not hold: n_missing = 3, n_rows = 60"
    assert (two.exit_code, second.endswith(" % is not > 90 %")) == (0, True)
    given = gate(tmp_path, "--fail-if", "n_missing > 3", NOISEAUDIT_GATE_FAIL_IF="n_missing > 2")
    assert given.exit_code == 0
    wrong = gate(tmp_path, NOISEAUDIT_GATE_FAIL_IF="n_missing >")
    assert (wrong.exit_code, wrong.stderr.count("\n")) == (2, 1)
    assert gate(tmp_path, NOISEAUDIT_GATE_FAIL_IF=" \n ").exit_code == 2


def test_json_truth_and_junit(run: AuditResult, tmp_path: Path) -> None:
    words = ["--truth", str(tmp_path / "truth.csv"), "--fail-if", "precision < 1.1", "--json"]
    done = gate(tmp_path, *words, "--junit", str(tmp_path / "gate.xml"))
    assert done.exit_code == 3
    found = json.loads(done.stdout)
    precision = evaluate(run, truth_from_audit(run)).rules[-1].precision.value
    (check,) = found["checks"]
    assert (found["failed"], check["failed"]) == (True, True)
    assert check["measured"] == {"precision": pytest.approx(precision)}
    suite = ET.parse(tmp_path / "gate.xml").getroot()[0]
    assert (suite.get("failures"), suite[0].get("name")) == ("1", "precision < 1.1")


def test_a_report_replaces_a_report_and_nothing_else(run: AuditResult, tmp_path: Path) -> None:
    words = ["--fail-if", "n_missing > 3", "--junit"]
    for name, content in {"labels.csv": "image,label\n", "cvat.xml": "<annotations/>\n"}.items():
        (tmp_path / name).write_text(content)
        refused = gate(tmp_path, *words, str(tmp_path / name))
        assert (refused.exit_code, "is no JUnit file" in refused.stderr) == (2, True)
        assert (tmp_path / name).read_text() == content
    refused = gate(tmp_path, *words, str(tmp_path))
    assert (refused.exit_code, "is a folder. Give --junit a file name" in refused.stderr) == (2, True)
    assert [gate(tmp_path, *words, str(tmp_path / "gate.xml")).exit_code for _ in range(2)] == [0, 0]


def test_github_annotates_the_label_file(run: AuditResult, tmp_path: Path) -> None:
    done = gate(tmp_path, "--fail-if", "n_rows > 1", "--github", GITHUB_WORKSPACE=str(tmp_path))
    assert done.exit_code == 3
    assert "::error file=labels.csv,title=noiseaudit gate::n_rows 60 is > 1\n" in done.stdout
    both = gate(tmp_path, "--fail-if", "n_rows > 1", "--github", "--json")
    assert (both.exit_code, "both print on standard output" in both.stderr) == (2, True)


def test_the_help_names_every_measure() -> None:
    text = " ".join(CliRunner().invoke(app, ["gate", "--help"], env={"COLUMNS": "300"}).stdout.split())
    assert [
        name for name in (*MEASURES, *TRUTH_MEASURES, *BY_CHECKS[:1], *CHECKED_MEASURES) if name not in text
    ] == []

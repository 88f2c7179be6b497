"""The gate: its small language, its measures, and what it leaves for a pipeline."""

from __future__ import annotations

import contextlib
import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from noiseaudit.errors import ConfigError
from noiseaudit.estimate import estimate
from noiseaudit.evaluation import evaluate
from noiseaudit.expected import expect
from noiseaudit.gate import Check, Comparison, Result, check_names, class_measure, parse_check, run_checks
from noiseaudit.gate_measures import (
    BY_CHECKS,
    BY_TRUTH,
    CHECKED_MEASURES,
    LACKING,
    MEASURES,
    TRUTH_MEASURES,
    WITH_INTERVALS,
    measures,
)
from noiseaudit.result import AuditResult
from noiseaudit.runjson import write_run_json
from noiseaudit.truth import truth_from_audit
from noiseaudit_cli.main import app
from noiseaudit_reports.gate import github_lines, junit_xml, sentence
from tests.checks import as_expected
from tests.conftest import build_audit

VALUES = {"a": 0.5, "b": 3, "c": None}


def holds(text: str) -> bool:
    (result,) = run_checks([parse_check(text)], VALUES)
    return result.failed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a > 0.4", True),
        ("a>0.5", False),
        ("a >= 0.5", True),
        ("a < .6", True),
        ("a <= 5e-1", True),
        ("a == 50%", True),
        ("a == 50 %", True),
        ("a != 0.5", False),
        ("b > -1", True),
        ("b == +3", True),
        ("a > 1 or b > 2", True),
        ("a > 1 and b > 2", False),
        ("a > 1 and b > 2 or a > 0", True),
        ("a > 0 or b > 9 and a > 9", True),
        ("c > 0", False),
        ("c <= 0", False),
        ("c != 0 or a > 0", True),
    ],
)
def test_what_holds(text: str, expected: bool) -> None:
    assert holds(text) is expected


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "`the end` where the name of a measure is due"),
        ("a", "`the end` where one of < <= > >= == != is due"),
        ("a >", "`the end` where a number is due"),
        ("a > b", "`b` where a number is due"),
        ("0.5 < a", "`0.5` where the name of a measure is due"),
        ("a > 1 a", "`a` where `and`, `or` or the end is due"),
        ("a > 1 and", "`the end` where the name of a measure is due"),
        ("and > 1", "`and` where the name of a measure is due"),
        ("a > 0 < 1", "`<` where `and`, `or` or the end is due"),
        ("a = 1", "cannot read '= 1'"),
        ("(a > 1)", "cannot read '(a > 1)'"),
        ("__import__('os').system('x') > 1", "cannot read \"('os').system"),
        ("a > 1; b", "cannot read '; b'"),
        ('x["a > 1', "cannot read '[\"a > 1'"),
        (r'x["\q"] > 1', 'cannot read the class "\\q"'),
        ("a > ١", "cannot read '١'"),
    ],
)
def test_what_is_no_check(text: str, problem: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse_check(text)
    assert problem in str(error.value)
    assert "As in 'noise_rate > 0.05'" in str(error.value)


@given(st.text(max_size=20))
def test_nothing_but_a_check_or_an_error_comes_of_any_text(text: str) -> None:
    with contextlib.suppress(ConfigError):
        assert isinstance(parse_check(text), Check)


@given(st.text(min_size=1), st.floats(allow_nan=False, allow_infinity=False))
def test_every_class_can_be_named(label: str, number: float) -> None:
    name = class_measure(label)
    assert parse_check(f"{name} > {number!r}").any_of == ((Comparison(name, ">", number),),)


def test_single_quotes_name_a_class_as_it_stands() -> None:
    assert parse_check("class_noise_rate['a\\b \"c\"'] > 1").names == [class_measure('a\\b "c"')]


def test_a_wrong_name_is_corrected() -> None:
    known = [*measures(build_audit())]
    with pytest.raises(
        ConfigError, match=r"no measure noise_rat\. Did you mean noise_rate\? There are max_class"
    ):
        check_names([parse_check("noise_rat > 1")], known, LACKING)
    with pytest.raises(ConfigError, match=r'Did you mean class_noise_rate\["frog"\]\?'):
        check_names([parse_check('class_noise_rate["forg"] > 1')], known, LACKING)
    with pytest.raises(ConfigError, match=r"precision_low needs known labels\. Give --truth FILE"):
        check_names([parse_check("precision_low < 1")], known, LACKING)
    with pytest.raises(
        ConfigError, match=r"checked_recall needs rows that people checked\. Give --checked FILE"
    ):
        check_names([parse_check("checked_recall < 1")], known, LACKING)
    with pytest.raises(ConfigError, match=r"no measure precision_low\."):
        check_names([parse_check("precision_low < 1")], known)


def test_the_measures_are_the_audits() -> None:
    audit = build_audit(60, n_unlabelled=4, n_unread=3)
    found, expected = measures(audit), expect(audit)
    p = audit.column("p_mislabeled")
    scored = p[~np.isnan(p)]
    assert found["noise_rate"] == pytest.approx(scored.mean())
    assert found["n_mislabeled"] == pytest.approx(scored.sum())
    assert (found["noise_rate_low"], found["noise_rate_high"]) == (
        expected.noise_rate.low, expected.noise_rate.high,
    )  # fmt: skip
    assert found["expected_precision"] == pytest.approx(p[audit.suspects()].mean())
    n = int(audit.suspects().sum())
    assert found["n_suspects"] == n
    assert found["suspects_share"] == n / 53
    names = ("n_rows", "n_labelled", "n_unlabelled", "n_missing", "n_unreadable", "n_classes")
    assert [found[name] for name in names] == [60, 56, 4, 3, 0, 3]
    given_labels = audit.column("given_label")
    rates = {label: p[(given_labels == label) & ~np.isnan(p)].mean() for label in audit.classes}
    for label, rate in rates.items():
        assert found[class_measure(label)] == pytest.approx(rate)
    assert found["max_class_noise_rate"] == pytest.approx(max(rates.values()))
    limits = {f"{name}_{end}" for name in WITH_INTERVALS for end in ("low", "high")}
    assert found.keys() == {*MEASURES} | limits | {class_measure(label) for label in audit.classes}


def test_measures_by_truth() -> None:
    audit = build_audit()
    evaluation = evaluate(audit, truth_from_audit(audit))
    found = measures(audit, evaluation)
    rule = evaluation.rules[-1]
    for name in TRUTH_MEASURES:
        limits = getattr(rule, name)
        assert (found[name], found[f"{name}_low"], found[f"{name}_high"]) == (
            limits.value, limits.low, limits.high,
        )  # fmt: skip
    assert {*BY_TRUTH} <= found.keys()


def test_measures_by_people() -> None:
    audit = build_audit(407)
    by_people = estimate(audit, as_expected(audit))
    found = measures(audit, checked=by_people)
    for name in CHECKED_MEASURES:
        limits = getattr(by_people, name.removeprefix("checked_"))
        assert (found[name], found[f"{name}_low"], found[f"{name}_high"]) == (
            limits.value, limits.low, limits.high,
        )  # fmt: skip
    assert found["n_answers"] == 120
    assert {*BY_CHECKS} == found.keys() - measures(audit).keys()
    none = build_audit(207, cutoff=1.1)
    undefined = measures(none, checked=estimate(none, as_expected(none, 50)))
    assert undefined["checked_precision"] is undefined["checked_precision_high"] is None


def test_nothing_judged_is_undefined() -> None:
    found = measures(build_audit(6, n_unlabelled=4, n_unread=2))
    assert found["noise_rate"] is found["noise_rate_high"] is found["suspects_share"] is None
    assert found["max_class_noise_rate"] is None


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
    assert (passed.exit_code, passed.stderr) == (0, "gate passed: none of 2 checks holds\n")
    noise = 100 * run.column("p_mislabeled")[~np.isnan(run.column("p_mislabeled"))].mean()
    assert passed.stdout.splitlines() == [
        "result\tcheck",
        "ok\tn_missing 3 is not > 3",
        f"ok\tnoise_rate {noise:.4g} % is not > 90 %",
    ]
    failed = gate(tmp_path, "--fail-if", "n_missing > 3", "--fail-if", "n_missing > 2")
    assert failed.exit_code == 3
    assert failed.stdout.splitlines()[2] == "FAILED\tn_missing 3 is > 2"
    assert failed.stderr == "gate failed: 1 of 2 checks hold\n"
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

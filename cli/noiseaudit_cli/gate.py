"""noiseaudit gate: an exit code for pipelines, by what an audit found."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from noiseaudit_cli.environment import one_a_line
from noiseaudit_cli.options import Audit, Checked, Json, Truth, option

if TYPE_CHECKING:
    from noiseaudit.gate import Result

EXAMPLES = """
noiseaudit gate run --fail-if "noise_rate > 0.05"
noiseaudit gate run --fail-if "noise_rate_low > 5%" --fail-if "n_missing > 0 or n_unreadable > 10"
noiseaudit gate run --fail-if 'class_noise_rate["cat"] > 0.1' --junit gate.xml
noiseaudit gate run --truth truth.csv --fail-if "precision_low < 0.8" --github
noiseaudit gate run --checked checks.csv --fail-if "checked_noise_rate_low > 5%"
"""
FAILED = 3


def gate(
    audit: Audit,
    fail_if: Annotated[
        list[str],
        option(
            "--fail-if",
            envvar="NOISEAUDIT_GATE_FAIL_IF",
            callback=one_a_line,
            metavar="CHECK",
            help="A condition on which the gate fails (repeatable; in NOISEAUDIT_GATE_FAIL_IF one a line).",
        ),
    ],
    truth: Truth = None,
    checked: Checked = None,
    junit: Annotated[
        Path | None, option(metavar="FILE", help="Also write JUnit XML.", show_default=False)
    ] = None,
    github: Annotated[
        bool, option("--github", help="Also print GitHub's workflow commands, which annotate the label file.")
    ] = False,
    json: Json = False,
) -> None:
    """Stop a pipeline where an audit is not good enough: exit code 3 if a check holds, else 0.

    A check compares measures with numbers: <, <=, >, >=, ==, != and a number, which may end in %; `and` binds closer
    than `or`. What is undefined holds no check.

    Measures that the audit expects of itself: noise_rate, n_mislabeled, expected_precision and expected_recall, each
    also with _low and _high for its 95 % interval; class_noise_rate["NAME"] and max_class_noise_rate. Counts:
    n_suspects, suspects_share (of the labels that were judged), n_rows, n_labelled, n_unlabelled, n_missing,
    n_unreadable, n_classes. With --truth also precision, recall, f1, average_precision and auroc of the audit's
    cut-off, with _low and _high. With --checked, which takes what `noiseaudit estimate` takes, also checked_noise_rate,
    checked_precision, checked_recall and checked_f1, with _low and _high, and n_answers, the rows that people judged.
    """
    from noiseaudit.atomic import write_text
    from noiseaudit.checked import agreed_text, estimate_from, unjudged_text
    from noiseaudit.decisions import run_id
    from noiseaudit.errors import ConfigError, OutputError
    from noiseaudit.evaluation import evaluate
    from noiseaudit.gate import check_names, parse_check, run_checks
    from noiseaudit.gate_measures import LACKING, measures
    from noiseaudit.manifest import saved_run
    from noiseaudit.outputs import check_file
    from noiseaudit.result import read_audit
    from noiseaudit_cli.console import print_json, print_rows, say
    from noiseaudit_cli.reporting import given_truth
    from noiseaudit_reports.gate import github_lines, junit_xml

    if json and github:
        raise ConfigError("--json and --github both print on standard output", fix="Give one.")
    if junit is not None and junit.exists():
        check_file(junit, force=True, option="--junit")
        if not _is_junit(junit):
            raise OutputError(
                "exists and is no JUnit file, so --junit does not replace it",
                file=junit,
                fix="Give another name.",
            )
    checks = [parse_check(text) for text in fail_if]
    run, result = saved_run(audit), read_audit(audit)
    evaluation = evaluate(result, given_truth(result, truth, run)) if truth is not None else None
    by_people = estimate_from(result, checked) if checked else None
    values = measures(result, evaluation, by_people)
    check_names(checks, values, LACKING)
    results = run_checks(checks, values)
    failed = any(each.failed for each in results)
    if junit is not None:
        write_text(junit, junit_xml(results, run_id(result)))
    if json:
        print_json({"failed": failed, "run_id": run_id(result), "checks": [_told(each) for each in results]})
    else:
        print_rows([_shown(each) for each in results], ("result", "check"))
    if by_people is not None:
        for text in filter(None, (unjudged_text(by_people), agreed_text(by_people))):
            say(text)
    for line in github_lines(results, _label_file(run)) if github else ():
        typer.echo(line)
    if failed:
        n = sum(each.failed for each in results)
        say(f"gate failed: {n} of {len(results)} conditions to fail {'is' if n == 1 else 'are'} met")
        raise typer.Exit(FAILED)
    say(
        f"gate passed: {f'none of {len(results)} conditions' if len(results) > 1 else 'the condition'} to fail is "
        f"{'met' if len(results) > 1 else 'not met'}"
    )


def _is_junit(path: Path) -> bool:
    """Whether a file holds what --junit writes, as far as its beginning tells: only that may be replaced."""
    with path.open("rb") as file:
        return b"<testsuite" in file.read(1024)


def _told(result: Result) -> dict[str, Any]:
    """For programs."""
    return {"check": result.check.text, "failed": result.failed, "measured": dict(result.values)}


def _shown(result: Result) -> dict[str, str]:
    """For people, a row of the table."""
    from noiseaudit_reports.gate import sentence

    return {"result": "FAILED" if result.failed else "ok", "check": sentence(result)}


def _label_file(run: Mapping[str, Any]) -> str | None:
    """As GitHub wants it: relative to the checkout, where it lies in there."""
    data = run.get("paths", {}).get("data")
    if not isinstance(data, str):
        return None
    relative = os.path.relpath(data, os.environ.get("GITHUB_WORKSPACE", os.getcwd()))
    return data if relative.startswith("..") else relative

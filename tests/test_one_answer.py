"""Rows of a sample that several people judged: where they agree the row counts once, else it is refused."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from noiseaudit.decisions import Decision
from noiseaudit.errors import DataError
from noiseaudit.estimate import estimate
from noiseaudit_cli.main import app
from tests.checks import as_expected, write_checks
from tests.conftest import build_audit, written

AUDIT = build_audit(n=407)
ANSWERS = [dataclasses.replace(each, reviewer="Ann") for each in as_expected(AUDIT)]
GIVEN = dict(zip(AUDIT.column("sample_id"), AUDIT.column("given_label"), strict=True))


def by_bob(answer: Decision, decision: str, new_label: str | None = None) -> Decision:
    return dataclasses.replace(answer, decision=decision, new_label=new_label, reviewer="Bob")


def first(decision: str) -> Decision:
    return next(each for each in ANSWERS if each.decision == decision)


def invoke(*words: object) -> Any:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return written(AUDIT, tmp_path / "run")


def test_a_row_that_all_agree_about_counts_once() -> None:
    """A wrong label stays wrong, whatever it is to be in its place; who typed the given label in kept it."""
    alone = estimate(AUDIT, ANSWERS)
    kept, wrong = first("keep"), first("relabel")
    several = [
        by_bob(wrong, "relabel", "another"),
        by_bob(kept, "relabel", f" {GIVEN[kept.sample_id]} "),
        dataclasses.replace(by_bob(kept, "keep"), reviewer="Cy"),
    ]
    found = estimate(AUDIT, [*several, *ANSWERS])
    assert (alone.n_agreed, found.n_agreed, found.n_answers) == (0, 2, 120)
    assert dataclasses.replace(found, n_agreed=0) == alone


@pytest.mark.parametrize("agrees", [True, False])
@pytest.mark.parametrize("is_first", [True, False])
def test_answers_about_another_audit_are_refused_whoever_agrees(agrees: bool, is_first: bool) -> None:
    """Whatever the order of files, and before anybody is said to contradict them."""
    elsewhere = [
        dataclasses.replace(each, run_id="rdeadbeef000", decision=each.decision if agrees else "ambiguous")
        for each in ANSWERS
    ]
    answers = [*elsewhere, *ANSWERS] if is_first else [*ANSWERS, *elsewhere]
    with pytest.raises(DataError, match=r"is about another audit \(rdeadbeef000"):
        estimate(AUDIT, answers)


def test_two_who_find_a_row_ambiguous_agree() -> None:
    kept = first("keep")
    unclear = [by_bob(kept, "ambiguous"), dataclasses.replace(by_bob(kept, "ambiguous"), reviewer="Cy")]
    found = estimate(AUDIT, [*(each for each in ANSWERS if each is not kept), *unclear])
    assert (found.n_answers, found.n_ambiguous, found.n_agreed) == (119, 1, 1)


def test_who_relabels_to_the_given_label_finds_it_right() -> None:
    wrong = first("relabel")
    typed = dataclasses.replace(wrong, new_label=GIVEN[wrong.sample_id])
    kept = dataclasses.replace(wrong, decision="keep", new_label=None)
    others = [each for each in ANSWERS if each is not wrong]
    assert estimate(AUDIT, [typed, *others]) == estimate(AUDIT, [kept, *others])


@pytest.mark.parametrize(
    ("decision", "other", "label", "said"),
    [
        ("keep", "relabel", "bird", "kept by Ann, and relabelled 'bird' by Bob"),
        ("relabel", "keep", None, "relabelled 'bird' by Ann, and kept by Bob"),
        ("keep", "ambiguous", None, "kept by Ann, and ambiguous by Bob"),
    ],
)
def test_who_contradict_each_other_are_named(decision: str, other: str, label: str | None, said: str) -> None:
    row = first(decision)
    with pytest.raises(DataError) as refused:
        estimate(AUDIT, [*ANSWERS, by_bob(row, other, label)])
    assert str(refused.value) == f"'{row.sample_id}' is {said}. Agree on one answer, and remove the other."


def test_files_are_named_and_contradictions_counted(run: Path, tmp_path: Path) -> None:
    anns = write_checks(tmp_path / "ann.csv", ANSWERS)
    bobs = write_checks(tmp_path / "bob.csv", [by_bob(each, "ambiguous") for each in ANSWERS[:3]])
    done = invoke("estimate", run, anns, bobs)
    assert done.exit_code == 2
    start = f"error: 3 rows are contradicted, first '{ANSWERS[0].sample_id}' is "
    assert done.stderr.startswith(start)
    assert f" by Ann in {anns}, and ambiguous by Bob in {bobs}. Agree on one" in done.stderr


def test_what_was_done_is_said(run: Path, tmp_path: Path) -> None:
    """By all three commands that take answers."""
    both = [*ANSWERS, *(dataclasses.replace(each, reviewer="Bob") for each in ANSWERS[:2])]
    file = write_checks(tmp_path / "checks.csv", both)
    said = "2 rows have several answers, which agree, and count once."
    assert f"\n{said}\n" in invoke("estimate", run, file).stderr
    assert json.loads(invoke("estimate", run, file, "--json").stdout)["n_agreed"] == 2
    gate = invoke("gate", run, "--checked", file, "--fail-if", "n_answers > 120")
    assert (gate.exit_code, f"{said}\n" in gate.stderr) == (0, True)
    assert invoke("report", run, "--checked", file).exit_code == 0
    assert said in (run / "report.md").read_text("utf-8")
    assert json.loads((run / "report.json").read_text("utf-8"))["checked"]["n_agreed"] == 2


def test_one_file_twice_is_one_sample(run: Path, tmp_path: Path) -> None:
    file = write_checks(tmp_path / "checks.csv", ANSWERS)
    once, twice = (json.loads(invoke("estimate", run, *[file] * n, "--json").stdout) for n in (1, 2))
    assert twice == once | {"n_agreed": 120}

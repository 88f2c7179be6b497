"""noiseaudit sample and estimate: from the draw of rows to what their answers say about the audit."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from noiseaudit.decisions import Decision, read_decisions, write_decisions
from noiseaudit.percent import percent
from noiseaudit.result import AuditResult
from noiseaudit_cli.main import app


def run(*words: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [str(word) for word in words])
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def audit(make_audit: Callable[..., AuditResult], tmp_path: Path) -> Path:
    path = tmp_path / "audit.parquet"
    make_audit(n=1_007).write(path)
    return path


def fill_in(path: Path, audit: Path) -> None:
    """As a person would who knows the truth."""
    table = pq.read_table(audit, columns=["sample_id", "given_label", "true_label"]).to_pylist()
    truth = {row["sample_id"]: row for row in table}
    answered = []
    for each in read_decisions(path):
        row = truth[each.sample_id]
        is_wrong = row["given_label"] != row["true_label"]
        answered.append(
            Decision(
                each.sample_id,
                "relabel" if is_wrong else "keep",
                row["true_label"] if is_wrong else None,
                run_id=each.run_id,
                sampling_weight=each.sampling_weight,
            )
        )
    write_decisions(path, answered)


def test_from_the_draw_to_the_figures(audit: Path, tmp_path: Path) -> None:
    checks, more = tmp_path / "checks.csv", tmp_path / "more.parquet"
    code, _, said = run("sample", audit, "--n", 120, "--out", checks)
    assert (code, "120 rows to check" in said) == (0, True)
    assert f"Answer them on a page: noiseaudit review {audit} --rows {checks}\n" in said
    header, first = checks.read_text().splitlines()[:2]
    assert header.split(",")[-2:] == ["image", "given_label"]
    assert first.split(",")[1] == ""
    fill_in(checks, audit)
    code, out, _ = run("estimate", audit, checks, "--json")
    found = json.loads(out)
    assert (code, found["n_answers"], found["is_enough"]) == (0, 120, False)
    assert set(found["expected"]) >= {"precision", "recall", "noise_rate"}
    assert found["recall"]["low"] <= found["recall"]["value"] <= found["recall"]["high"]
    assert run("sample", audit, "--n", 60, "--without", checks, "--out", more)[0] == 0
    fill_in(more, audit)
    code, out, said = run("estimate", audit, checks)
    n = found["more_answers"]
    assert f"check about {n:,} more rows:\n" in said
    assert f"\n  noiseaudit sample {audit} --n {n} --without {checks} --out more.csv\n" in said
    measured = [found[name]["value"] for name in ("precision", "recall")]
    expected = [found["expected"][name]["value"] for name in ("precision", "recall")]
    told = [f"{percent(a)} against {percent(b)}" for a, b in zip(measured, expected, strict=True)]
    assert f"Measured against expected: precision {told[0]}, recall {told[1]}.\n" in said
    code, out, said = run("estimate", audit, checks, more)
    assert code == 0
    assert out.splitlines()[0] == "measure\testimate\tlow\thigh"
    assert [line.split("\t")[0] for line in out.splitlines()[1:]] == [
        "precision", "recall", "f1", "noise rate", "wrong labels",
    ]  # fmt: skip
    assert "180 answers about 1,000 labels" in said
    assert "Without the answers, the audit expected precision " in said
    assert said.endswith(
        f"With these figures in the report:\n  noiseaudit report {audit} --checked {checks} --checked {more}\n"
    )
    write_decisions(
        checks,
        [dataclasses.replace(each, decision="relabel", new_label="bird") for each in read_decisions(checks)],
    )
    assert (
        "The answers contradict it about precision, recall and noise rate"
        in run("estimate", audit, checks)[2]
    )


def test_a_file_without_answers_says_where_they_go(audit: Path, tmp_path: Path) -> None:
    checks = tmp_path / "checks.csv"
    assert run("sample", audit, "--n", 50, "--out", checks)[0] == 0
    code, out, said = run("estimate", audit, checks)
    assert (code, out) == (2, "")
    assert said == (
        f"error: {checks}: has no answers yet. Write keep, relabel, ambiguous or skip in its column decision.\n"
    )


def test_too_few_answers_are_told_with_their_file(audit: Path, tmp_path: Path) -> None:
    checks = tmp_path / "checks.csv"
    run("sample", audit, "--n", 50, "--out", checks)
    fill_in(checks, audit)
    first, *others = read_decisions(checks)
    write_decisions(
        checks, [first, *(dataclasses.replace(each, decision=None, new_label=None) for each in others)]
    )
    code, _, said = run("estimate", audit, checks)
    assert (code, said) == (
        2,
        f"error: {checks}: 1 answer is too few: rows are drawn from 4 groups, suspects and other labels, each cut in "
        "two by p_mislabeled, and 3 of them have no keep or relabel yet. Answer the 49 open rows, with ambiguous where "
        "nobody can tell.\n",
    )


@pytest.mark.parametrize(("width", "code"), [("20%", 0), ("0.2", 0), ("0", 2), ("101%", 2), ("wide", 2)])
def test_the_width_is_a_share(audit: Path, tmp_path: Path, width: str, code: int) -> None:
    checks = tmp_path / "checks.csv"
    run("sample", audit, "--n", 50, "--out", checks)
    fill_in(checks, audit)
    found, out, said = run("estimate", audit, checks, "--width", width, "--json")
    assert found == code
    assert (json.loads(out)["wanted_width"] == 0.2) if not code else ("--width" in said), said


def test_bad_input_leaves_nothing(audit: Path, tmp_path: Path) -> None:
    checks = tmp_path / "checks.csv"
    assert run("sample", audit, "--n", 5_000, "--out", checks)[0] == 2
    assert run("sample", audit, "--n", 3, "--out", checks)[0] == 2
    assert run("sample", audit, "--n", 50, "--out", tmp_path / "checks.json")[0] == 2
    assert not checks.exists()
    assert run("sample", audit, "--n", 50, "--out", checks)[0] == 0
    before = checks.read_bytes()
    code, _, said = run("sample", audit, "--n", 50, "--out", checks)
    assert (code, "--force" in said, checks.read_bytes() == before) == (2, True, True)
    assert run("sample", audit, "--n", 50, "--without", checks, "--out", checks, "--force")[0] == 2
    assert run("estimate", audit, tmp_path / "absent.csv")[0] == 2


@pytest.mark.parametrize("n_open", [0, 7])
def test_where_all_were_drawn_no_more_are_asked_for(
    n_open: int, make_audit: Callable[..., AuditResult], tmp_path: Path
) -> None:
    audit, checks = tmp_path / "audit.parquet", tmp_path / "checks.csv"
    make_audit(n=60, n_unlabelled=0, n_unread=0).write(audit)
    assert run("sample", audit, "--n", 60, "--out", checks)[0] == 0
    fill_in(checks, audit)
    rows = read_decisions(checks)
    unclear = None if n_open else "ambiguous"
    write_decisions(
        checks,
        [
            dataclasses.replace(row, decision=unclear, new_label=None) if i < 7 else row
            for i, row in enumerate(rows)
        ],
    )
    code, _, said = run("estimate", audit, checks, "--width", "0.01")
    wanted = "For intervals no wider than 0.01, answer the 7 open rows: all others were drawn.\n"
    if not n_open:
        wanted = "All labels were drawn; 7 ambiguous ones leave no intervals no wider than 0.01.\n"
    assert (code, wanted in said, "noiseaudit sample" in said) == (0, True, False), said

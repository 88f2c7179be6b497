"""The decisions file: what is written is read again, and what cannot be meant is refused by name."""

from __future__ import annotations

import dataclasses
import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from noiseaudit.decisions import SCHEMA, Decision, read_decisions, run_id, write_decisions
from noiseaudit.errors import ConfigError, DataError
from noiseaudit.percent import percent
from noiseaudit.result import AuditResult
from noiseaudit_cli.main import app

ROWS = [
    Decision("a.png", "keep", None, "ann", "2026-11-22T10:00:00Z", "abc", 12.5),
    Decision('b, "c".png', "relabel", "dog\ncat", None, None, "abc", 1.0),
    Decision("d.png"),
]


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_what_is_written_is_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"decisions{suffix}"
    write_decisions(path, ROWS, {"image": ["x", None, "z"]})
    assert read_decisions(path) == ROWS
    if suffix == ".parquet":
        assert pq.read_schema(path).names == [*SCHEMA.names, "image"]
    else:
        assert path.read_text().splitlines()[0] == ",".join([*SCHEMA.names, "image"])


def test_two_columns_are_enough(tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_text("decision,sample_id\n Keep ,a\n,b\n")
    assert read_decisions(path) == [Decision("a", "keep"), Decision("b")]


def test_a_new_label_is_read_as_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_text("sample_id,decision,new_label\na,relabel, 3 \n")
    assert read_decisions(path) == [Decision("a", "relabel", " 3 ")]


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize("label", [" ", "\u00a0", "\t"])
def test_a_class_of_blanks_is_a_label(tmp_path: Path, suffix: str, label: str) -> None:
    path = tmp_path / f"d{suffix}"
    write_decisions(path, [Decision("a", "relabel", label)])
    assert read_decisions(path) == [Decision("a", "relabel", label)]


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@settings(max_examples=40)
@given(st.lists(st.tuples(TEXT, TEXT, TEXT), max_size=5, unique_by=lambda row: row[0]))
def test_any_text_comes_back(suffix: str, rows: list[tuple[str, str, str]]) -> None:
    decisions = [Decision(name, "relabel", label, who, None, "abc", 1.5) for name, label, who in rows]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"d{suffix}")
        write_decisions(path, decisions)
        assert read_decisions(path) == decisions


def test_no_cell_of_a_csv_is_run_by_a_spreadsheet(tmp_path: Path) -> None:
    path, hostile = tmp_path / "d.csv", "=HYPERLINK(1)"
    rows = [Decision(hostile, "relabel", "+1+1", "@ann"), Decision(f"'{hostile}", "keep"), Decision("-1.5")]
    write_decisions(path, rows, {"given_label": ["=1", "'quoted'", None]})
    assert path.read_text().splitlines()[1:] == [
        "'=HYPERLINK(1),relabel,'+1+1,'@ann,,,,'=1",
        "''=HYPERLINK(1),keep,,,,,,'quoted'",
        "-1.5,,,,,,,",
    ]
    assert read_decisions(path) == rows


def test_two_reviewers_may_name_a_sample(tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    rows = [Decision("a", "keep", reviewer="ann"), Decision("a", "ambiguous", reviewer="bob"), Decision("a")]
    write_decisions(path, rows)
    assert read_decisions(path) == rows
    write_decisions(path, [*rows, Decision("a", "skip", reviewer="bob")])
    with pytest.raises(DataError, match="line 5, column 'sample_id': 'a' stands twice"):
        read_decisions(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sample_id,verdict\na,keep\n", "has no column decision"),
        ("sample_id,decision\na,kep\n", "line 2, column 'decision': no such decision 'kep'"),
        ("sample_id,decision\na,relabel\n", "line 2, column 'decision': relabel without a new_label"),
        ("sample_id,decision,new_label\na,relabel,\n", "relabel without a new_label"),
        (
            "sample_id,decision,new_label\na,,7\n",
            "line 2, column 'decision': a new_label, '7', without a decision",
        ),
        ("sample_id,decision\na,keep\n,keep\n", "line 3, column 'sample_id': empty"),
        ("sample_id,decision\na,keep\na,keep\n", "line 3, column 'sample_id': 'a' stands twice"),
        ("sample_id,decision,sampling_weight\na,keep,0.5\n", "column 'sampling_weight': '0.5' is no weight"),
        ("sample_id,decision,sampling_weight\na,keep,x\n", "'x' is no weight"),
    ],
)
def test_what_cannot_be_meant(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "d.csv"
    path.write_text(text)
    with pytest.raises(DataError) as error:
        read_decisions(path)
    assert message in str(error.value)
    assert str(error.value).startswith(str(path))


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"Use \.csv or \.parquet"):
        write_decisions(tmp_path / "d.json", ROWS)
    assert list(tmp_path.iterdir()) == []


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
        [dataclasses.replace(each, decision="relabel", new_label="dog") for each in read_decisions(checks)],
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
        "two by p_mislabeled, and 3 of them have no answer yet. Answer more of the rows that were drawn.\n",
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


def test_the_run_id_is_the_audits(make_audit: Callable[..., AuditResult]) -> None:
    assert run_id(make_audit()) == run_id(make_audit(n=90))  # of what the audit depended on, not of its rows
    assert run_id(make_audit()) != run_id(make_audit(seed=1))


def test_the_run_id_is_no_number_to_a_spreadsheet(make_audit: Callable[..., AuditResult]) -> None:
    assert {run_id(make_audit(seed=seed))[0] for seed in range(9)} == {"r"}
    assert len(run_id(make_audit())) == 12


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

"""What people decided goes before what the model would do."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from noiseaudit.clean import clean_labels
from noiseaudit.decided import Decided, decided, read_decided
from noiseaudit.decisions import Decision, run_id, write_decisions
from noiseaudit.errors import DataError
from noiseaudit.labels import Source
from noiseaudit.result import AuditResult
from noiseaudit_cli.main import app
from tests.test_clean import CSV, ISSUES, LABELS, SPLITS, audit, audit_of, source
from tests.test_cli_clean import audit as run_folder

__all__ = ["audit", "run_folder", "source"]  # fixtures
HERE = Path("checks.csv")


def judged(audit: AuditResult, *answers: tuple[str, str, str | None]) -> Decided:
    return decided(audit, [(HERE, Decision(name, kind, label)) for name, kind, label in answers])


def test_only_what_was_decided_changes_without_a_policy(
    audit: AuditResult, source: Source, tmp_path: Path
) -> None:
    """0 is a suspect and right, 1 is none and wrong, 3 is of the test split: people change what they want."""
    said = judged(
        audit, ("0", "keep", None), ("1", "relabel", "cat"), ("3", "relabel", "cat"), ("2", "skip", None)
    )
    out = tmp_path / "out.csv"
    summary = clean_labels(audit, source, out, policy="none", decided=said)
    assert out.read_bytes() == CSV.replace(b'b.png,"dog"', b'b.png,"cat"').replace(b"d.png,dog", b"d.png,cat")
    assert (summary.n_changed, summary.n_decided, summary.n_protected) == (2, 3, 0)


def test_the_policy_is_for_what_nobody_decided(audit: AuditResult, source: Source, tmp_path: Path) -> None:
    said = judged(audit, ("0", "keep", None), ("2", "relabel", "frog"))
    out = tmp_path / "out.csv"
    summary = clean_labels(audit, source, out, policy="relabel", decided=said)
    assert out.read_bytes() == CSV.replace(b"c.png,,", b"c.png,frog,").replace(b'e.png,"dog"', b'e.png,"cat"')
    assert (summary.n_issues, summary.n_changed, summary.n_protected) == (2, 2, 1)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            ["0,relabel,Cta"],
            "line 2, column 'new_label': 'Cta' is no class of the audit (did you mean 'cat'?).",
        ),
        (
            ["0,keep,", "1,relabel,frog", "2,relabel,Cta"],
            "line 3, column 'new_label': 'frog' is no class of the audit, nor is 1 further new label.",
        ),
    ],
)
def test_a_label_that_is_no_class_is_an_error_unless_it_is_named(
    audit: AuditResult, tmp_path: Path, rows: list[str], said: str
) -> None:
    file = tmp_path / "x.csv"
    file.write_text("\n".join(["sample_id,decision,new_label", *rows]))
    with pytest.raises(DataError) as error:
        read_decided(audit, [file])
    assert str(error.value).startswith(f"{file}, {said} Correct it, or allow a new class: --new-class ")
    with pytest.raises(DataError, match="Cta"):
        read_decided(audit, [file], new_classes=["frog"])
    assert "Cta" in read_decided(audit, [file], new_classes=["frog", "Cta"]).labels.values()


def test_what_is_unclear_is_dropped_or_blanked_and_else_stays(
    audit: AuditResult, source: Source, tmp_path: Path
) -> None:
    said = judged(audit, ("0", "ambiguous", None), ("1", "ambiguous", None), ("3", "ambiguous", None))
    out = tmp_path / "out.csv"
    clean_labels(audit, source, out, policy="drop", decided=said)
    gone = CSV.replace(b"a.png,cat,train\r\n", b"").replace(b'b.png,"dog",train\r\n', b"")
    assert out.read_bytes() == gone.replace(b'e.png,"dog",\r\n', b"")  # d.png is of the test split
    clean_labels(audit, source, out, policy="relabel", decided=said)
    assert out.read_bytes() == CSV.replace(b'e.png,"dog"', b'e.png,"cat"')
    clean_labels(audit, source, out, policy="none", decided=said)
    assert out.read_bytes() == CSV


def test_a_row_without_a_label_is_filled_by_a_decision_alone(
    audit: AuditResult, source: Source, tmp_path: Path
) -> None:
    """Row 2, for which cat is suggested: no policy fills it, and where nobody can tell there is no label to blank."""
    out, plain = tmp_path / "out.csv", tmp_path / "plain.csv"
    done = clean_labels(audit, source, out, policy="none", decided=judged(audit, ("2", "relabel", "cat")))
    assert out.read_bytes() == CSV.replace(b"c.png,,", b"c.png,cat,")
    assert (done.n_changed, done.n_issues, done.n_unlabelled_kept) == (1, 3, 0)
    for policy in ("relabel", "blank"):
        without = clean_labels(audit, source, plain, policy=policy)
        assert b"c.png,,train" in plain.read_bytes()
        done = clean_labels(
            audit, source, out, policy=policy, decided=judged(audit, ("2", "ambiguous", None))
        )
        assert out.read_bytes() == plain.read_bytes()
        assert done == dataclasses.replace(without, out=out, n_decided=1)
    clean_labels(audit, source, plain, policy="drop")
    clean_labels(audit, source, out, policy="drop", decided=judged(audit, ("2", "ambiguous", None)))
    assert out.read_bytes() == plain.read_bytes().replace(b"c.png,,train\r\n", b"")


def test_provenance_says_who_did_it(audit: AuditResult, source: Source, tmp_path: Path) -> None:
    answers = (("0", "keep", None), ("1", "relabel", "cat"), ("5", "ambiguous", None))
    out = tmp_path / "out.csv"
    clean_labels(audit, source, out, decided=judged(audit, *answers), provenance=True)
    with out.open(newline="") as file:
        rows = [*csv.DictReader(file)]
    actions = [row["noiseaudit_action"] for row in rows]
    assert actions == ["confirmed", "decided", "kept", "protected", "relabelled", "unclear"]
    clean_labels(audit, source, out, policy="blank", decided=judged(audit, *answers[2:]), provenance=True)
    assert out.read_text().splitlines()[-1].split(",")[-2] == "protected"  # of the validation split


def test_flags_leave_out_what_people_judged(audit: AuditResult, source: Source, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    clean_labels(audit, source, out, policy="flag", decided=judged(audit, ("0", "keep", None)))
    with out.open(newline="") as file:
        flags = [row["is_label_issue"] for row in csv.DictReader(file)]
    assert [flag.lower() for flag in flags] == ["false", "false", "", "true", "true", ""]


def test_to_relabel_to_the_same_is_to_keep(audit: AuditResult) -> None:
    said = judged(audit, ("0", "relabel", "cat"))
    assert said == Decided(confirmed=frozenset({0}))
    twice = [(HERE, Decision("0", "keep")), (Path("other.csv"), Decision("0", "relabel", "cat"))]
    assert decided(audit, twice) == said


@pytest.mark.parametrize(("typed", "label"), [(" dog ", "dog"), ("'dog", "dog"), (" new one ", "new one")])
def test_blanks_and_apostrophes_around_a_label_are_none_of_it(
    audit: AuditResult, typed: str, label: str
) -> None:
    assert judged(audit, ("0", "relabel", typed)) == Decided({0: label})


def test_unless_a_class_has_them() -> None:
    found = audit_of(["cat", " dog "], [True, False], [None, None])
    found = AuditResult(found.table, dataclasses.replace(found.meta, classes=(" dog ", "cat")))
    assert judged(found, ("0", "relabel", " dog ")) == Decided({0: " dog "})


@pytest.mark.parametrize("label", [" ", "\u00a0"])
def test_a_class_of_blanks_is_given(audit: AuditResult, label: str) -> None:
    found = AuditResult(audit.table, dataclasses.replace(audit.meta, classes=(*audit.meta.classes, label)))
    assert judged(found, ("0", "relabel", label)) == Decided({0: label})
    assert judged(audit, ("0", "relabel", label)) == Decided({0: label})  # never an empty label


class Unsearched(tuple[str, ...]):
    """Looked through for each decision, 20,000 classes took 25 seconds for 100,000."""

    def __contains__(self, name: object) -> bool:
        pytest.fail("classes are looked through one by one")


def test_many_classes_are_not_looked_through_for_each_decision(audit: AuditResult) -> None:
    meta = dataclasses.replace(audit.meta, classes=Unsearched(audit.meta.classes))
    assert judged(AuditResult(audit.table, meta), ("0", "relabel", "'dog")) == Decided({0: "dog"})


def test_people_who_disagree_are_named(audit: AuditResult) -> None:
    said = [
        (HERE, Decision("0", "keep", reviewer="ann")),
        (HERE, Decision("0", "relabel", "dog", reviewer="bob")),
    ]
    with pytest.raises(
        DataError, match=r"'0' is relabelled 'dog' by bob here, and kept by ann in checks\.csv"
    ):
        decided(audit, said)
    assert decided(audit, [said[0], (HERE, Decision("0", "keep", reviewer="bob"))]).confirmed == {0}


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ([("9", "keep", None)], "checks.csv: '9' is no sample of the audit"),
        ([("2", "keep", None)], "checks.csv: '2' has no label to keep"),
        (
            [("0", "relabel", "dog"), ("0", "keep", None)],
            "'0' is kept here, and relabelled 'dog' in checks.csv",
        ),
        (
            [("0", "relabel", "dog"), ("0", "relabel", "frog")],
            "'0' is relabelled 'frog' here, and relabelled 'dog'",
        ),
    ],
)
def test_what_cannot_be_done(
    audit: AuditResult, answers: list[tuple[str, str, str | None]], message: str
) -> None:
    with pytest.raises(DataError) as error:
        judged(audit, *answers)
    assert message in str(error.value)


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
    assert "2 rows were decided by people, 1 of them relabelled" in result.stderr
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
    names = run_folder.column("sample_id").tolist()
    """Those that somebody found ambiguous were judged, suspects or not, whatever the policy makes of them."""
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


def test_a_label_that_the_files_type_cannot_hold_is_refused(
    make_audit: Callable[..., AuditResult], tmp_path: Path
) -> None:
    found = audit_of(["1", "2"], [True, False], [None, None])
    path = tmp_path / "labels.parquet"
    pq.write_table(pa.table({"image": ["a.png", "b.png"], "label": [1, 2]}), path)
    said = judged(found, ("0", "relabel", "cat"))
    with pytest.raises(DataError, match="cat"):
        clean_labels(
            found, Source(path, "parquet", "label"), tmp_path / "out.parquet", policy="none", decided=said
        )
    assert not (tmp_path / "out.parquet").exists()


def test_the_fixtures_are_what_these_tests_think() -> None:
    assert (LABELS[:3], ISSUES[:2], SPLITS[3]) == (["cat", "dog", None], [True, False], " Test")

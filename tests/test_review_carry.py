"""Decisions about an earlier audit, taken over where they hold in the one that stands in its place."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from noiseaudit.decisions import Decision, read_decisions, run_id
from noiseaudit.result import SCHEMA, AuditResult
from noiseaudit.review import carry, database
from noiseaudit.review.carry import can_be_carried, carry_over, samples
from noiseaudit.review.log import Answer, Log
from noiseaudit_cli.earlier import after_scan, before_review
from tests.reviews import command, review_run

BY_NAME = "(images are compared by name, not by content)"


@pytest.fixture
def audit(tmp_path: Path) -> AuditResult:
    return review_run(tmp_path, 40, n_images=1)


def scanned_again(audit: AuditResult, folder: Path, **cells: dict[str, str | None]) -> AuditResult:
    """Another audit in the place of `audit`; `cells`: column -> sample -> what it has now."""
    table = audit.table
    names = table.column("sample_id").to_pylist()
    for column, changed in cells.items():
        old = zip(names, table.column(column).to_pylist(), strict=True)
        values = pa.array([changed.get(name, value) for name, value in old], SCHEMA.field(column).type)
        table = table.set_column(SCHEMA.names.index(column), SCHEMA.field(column), values)
    made = AuditResult(table, dataclasses.replace(audit.meta, data_fingerprint="sha256:another"))
    made.write(folder / "run" / "audit.parquet")
    assert run_id(made) != run_id(audit)
    return made


def decide(audit: AuditResult, db: Path, event: str, answers: Sequence[Answer], who: str = "Ann") -> None:
    log = Log(db, run_id(audit))
    log.decide(event, who, answers, samples(audit, {answer.sample_id for answer in answers}).values())
    log.close()


def held(audit: AuditResult, db: Path) -> list[Decision]:
    log = Log(db, run_id(audit))
    found = log.decisions()
    log.close()
    return found


def test_what_still_holds_is_taken_over_once(audit: AuditResult, tmp_path: Path) -> None:
    db = tmp_path / "run" / "decisions.sqlite"
    given = dict(zip(*(audit.table.column(c).to_pylist() for c in ("sample_id", "given_label")), strict=True))
    labelled = [name for name, label in given.items() if label is not None]
    kept, changed, moved, gone, undone, mine, strange = labelled[:7]
    other = next(label for label in audit.meta.classes if label != given[changed])
    decide(audit, db, "event-01", [Answer(kept, "relabel", "square", 2.5), Answer(changed, "keep")])
    decide(audit, db, "event-02", [Answer(moved, "keep"), Answer(gone, "keep"), Answer(mine, "keep")], "Bob")
    decide(audit, db, "event-03", [Answer(strange, "relabel", "hrose")])
    decide(audit, db, "event-04", [Answer(undone, "keep")])
    log = Log(db, run_id(audit))
    log.undo("event-05", "Ann")
    log.decide("event-06", "Cy", [Answer(kept, "ambiguous")])
    log.close()
    before = {(d.sample_id, d.reviewer): d.decided_at for d in held(audit, db)}
    new = scanned_again(
        audit,
        tmp_path,
        given_label={changed: other},
        image={moved: "elsewhere.png"},
        sample_id={gone: "renamed"},
    )
    decide(new, db, "event-07", [Answer(mine, "ambiguous")], "Bob")
    reasons = (carry.OTHER_LABEL, carry.OTHER_IMAGE, carry.NO_SAMPLE, carry.NO_CLASS)
    expected = dict.fromkeys(reasons, 1)  # that Cy's was about the same is known by Ann's
    assert can_be_carried(new, db).left == expected
    assert [d.sample_id for d in held(new, db)] == [mine]
    done = carry_over(new, db)
    assert (len(done.taken), dict(done.left)) == (2, expected)
    assert {(d.sample_id, d.reviewer, d.decision, d.new_label, d.decided_at) for d in held(new, db)} >= {
        (kept, "Ann", "relabel", "square", before[kept, "Ann"]),
        (kept, "Cy", "ambiguous", None, before[kept, "Cy"]),
    }
    assert [(d.decision, d.run_id) for d in held(new, db) if d.sample_id == mine] == [
        ("ambiguous", run_id(new))
    ]
    again = carry_over(new, db)
    assert (len(again.taken), dict(again.left), len(held(new, db))) == (0, expected, 3)
    assert len(held(audit, db)) == 7  # the earlier audit's stay


def test_without_a_record_of_the_label_nothing_is_taken_over(audit: AuditResult, tmp_path: Path) -> None:
    db = tmp_path / "run" / "decisions.sqlite"
    log = Log(db, run_id(audit))
    log.decide("event-01", "Ann", [Answer("s0", "keep")])
    log.close()
    done = carry_over(scanned_again(audit, tmp_path), db)
    assert (done.taken, dict(done.left)) == ([], {carry.UNKNOWN: 1})


def test_an_action_that_was_taken_over_is_undone_whole_and_stays_so(
    audit: AuditResult, tmp_path: Path
) -> None:
    db = tmp_path / "run" / "decisions.sqlite"
    decide(audit, db, "event-01", [Answer("s0", "keep")])
    decide(audit, db, "event-02", [Answer("s1", "keep"), Answer("s2", "skip")])
    new = scanned_again(audit, tmp_path)
    assert len(carry_over(new, db).taken) == 3
    log = Log(db, run_id(new))
    log.undo("event-03", "Ann")
    log.close()
    assert [d.sample_id for d in held(new, db)] == ["s0"]
    assert carry_over(new, db).taken == []
    assert [d.sample_id for d in held(new, db)] == ["s0"]


def test_a_third_audit_takes_over_the_last_word_alone(audit: AuditResult, tmp_path: Path) -> None:
    db = tmp_path / "run" / "decisions.sqlite"
    decide(audit, db, "event-01", [Answer("s0", "keep"), Answer("s1", "keep")])
    second = scanned_again(audit, tmp_path)
    carry_over(second, db)
    decide(second, db, "event-02", [Answer("s1", "ambiguous")])
    third = AuditResult(second.table, dataclasses.replace(second.meta, data_fingerprint="sha256:third"))
    assert carry_over(third, db).n == 2
    assert {(d.sample_id, d.decision) for d in held(third, db)} == {("s0", "keep"), ("s1", "ambiguous")}


@pytest.mark.parametrize("takes", [False, True])
def test_others_decide_while_the_audit_is_read(
    audit: AuditResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, takes: bool
) -> None:
    """Nobody waits for that; and what was said meanwhile stands."""
    db = tmp_path / "run" / "decisions.sqlite"
    decide(audit, db, "event-01", [Answer("s0", "keep"), Answer("s1", "keep"), Answer("s2", "keep")])
    new = scanned_again(audit, tmp_path)

    def slow(*what: Any) -> dict[str, Any]:
        monkeypatch.setattr(carry, "samples", samples)
        decide(new, db, "event-02", [Answer("s1", "ambiguous")])
        decide(audit, db, "event-03", [Answer("s2", "skip")])
        return samples(*what)

    monkeypatch.setattr(carry, "samples", slow)
    monkeypatch.setattr(database, "WAIT_SECONDS", 0.1)
    done = (carry_over if takes else can_be_carried)(new, db)
    assert [made.sample_id for made in done.taken] == (["s0"] if takes else ["s0", "s1", "s2"])
    made = {decision.sample_id: decision.decision for decision in held(new, db)}
    assert made == ({"s0": "keep"} if takes else {}) | {"s1": "ambiguous"}


def relabelled(audit: AuditResult, sample: str) -> dict[str, str | None]:
    row = audit.table.column("sample_id").to_pylist().index(sample)
    given, suggested = (audit.table.column(c)[row].as_py() for c in ("given_label", "suggested_label"))
    return {sample: next(label for label in audit.meta.classes if label not in (given, suggested))}


def test_the_command_takes_over_and_exports(audit: AuditResult, tmp_path: Path) -> None:
    run, out = tmp_path / "run", tmp_path / "out.csv"
    decide(audit, run / "decisions.sqlite", "event-01", [Answer("s0", "keep"), Answer("s1", "skip")])
    new = scanned_again(audit, tmp_path, given_label=relabelled(audit, "s1"))
    done = command("review", run, "--export", out, "--carry-over")
    assert done.exit_code == 0, done.stderr
    assert done.stderr.splitlines() == [
        f"1 answer about an earlier audit taken over {BY_NAME}; left: 1 about another given label.",
        f"1 decision in {out}",
    ]
    assert [(d.sample_id, d.run_id) for d in read_decisions(out)] == [("s0", run_id(new))]
    again = command(
        "review", run, "--export", out, "--carry-over", "--force", "--db", tmp_path / "other.sqlite"
    )
    assert again.stderr.startswith("No answer about an earlier audit is left to take over.\n")
    odd = command("review", run, "--export", tmp_path / "out.txt", "--carry-over")
    assert (odd.exit_code, "taken over" in odd.stderr) == (2, False)
    refused = command("review", run, "--rows", out, "--carry-over")
    assert (refused.exit_code, "--carry-over does not go with --rows" in refused.stderr) == (2, True)


def test_what_is_said_before_a_review_and_after_a_scan(audit: AuditResult, tmp_path: Path) -> None:
    run = tmp_path / "run"
    db = run / "decisions.sqlite"
    assert (after_scan(run), before_review(run, db), db.exists()) == ([], "", False)
    decide(audit, db, "event-01", [Answer("s0", "keep"), Answer("s1", "keep")])
    assert (after_scan(run), before_review(run, db)) == ([], "")  # about this very audit
    new = scanned_again(audit, tmp_path, given_label=relabelled(audit, "s1"))
    told = f"noiseaudit review {run} --carry-over takes over those that hold here."
    assert after_scan(run) == [f"2 answers about the audit before are kept; {told}"]
    offer = f"1 of which holds here: --carry-over takes it over {BY_NAME}."
    assert before_review(run, db) == f"{db} has 2 answers about an earlier audit, {offer}"
    carry_over(new, db)
    none = "none holds here: 1 about another given label."
    assert before_review(run, db) == f"{db} has 1 answer about an earlier audit; {none}"
    assert after_scan(run) == []  # nothing to take over
    db.write_text("no database")
    assert after_scan(run) == []

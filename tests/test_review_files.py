"""The files of a review: none of people, nor of the scan, is written over."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from noiseaudit.decisions import read_decisions, run_id
from noiseaudit.lock import RunLock
from noiseaudit.result import AuditResult
from noiseaudit.review.export import write_log
from noiseaudit.review.log import Answer, Log
from noiseaudit.swap import beside, settle, swap
from tests.reviews import command
from tests.runs import to_replace
from tests.test_review_path import audit, decided

__all__ = ["audit"]  # fixture


def exported(run: Path, run_id: str) -> Sequence[str]:
    """What the end of a review says of the file that was there."""
    log = Log(run / "decisions.sqlite", run_id)
    written = write_log(log, run / "decisions.csv")
    log.close()
    return [note.replace(f"{run}/", "") for note in written.notes]


CHANGED = "decisions.csv was not as this review had last written it; it is now decisions"


def test_a_file_that_people_changed_goes_aside(audit: AuditResult, tmp_path: Path) -> None:
    run, own = tmp_path / "run", tmp_path / "run" / "decisions.csv"
    own.write_text("a colleague's")
    decided(audit, run, [Answer("s0", "keep")])
    assert exported(run, run_id(audit)) == [f"{CHANGED}.1.csv"]
    assert (run / "decisions.1.csv").read_text() == "a colleague's"
    decided(audit, run, [Answer("s1", "keep")], "Bob")
    assert exported(run, run_id(audit)) == []  # its own
    assert len(read_decisions(own)) == 2
    edited = own.read_text() + "s2,keep,,me,,,\n"
    own.write_text(edited)
    assert exported(run, run_id(audit)) == [f"{CHANGED}.2.csv"]
    assert (run / "decisions.2.csv").read_text() == edited


def test_decisions_of_an_earlier_run_go_aside(audit: AuditResult, tmp_path: Path) -> None:
    run = tmp_path / "run"
    decided(audit, run, [Answer("s0", "keep")])
    exported(run, run_id(audit))
    log = Log(run / "decisions.sqlite", "another")
    log.decide("event-of-Cy", "Cy", [Answer("s2", "keep")])
    log.close()
    moved = "decisions.csv has 1 answer about another audit; it is now decisions.1.csv"
    assert exported(run, "another") == [moved]
    assert [d.sample_id for d in read_decisions(run / "decisions.1.csv")] == ["s0"]
    assert [d.sample_id for d in read_decisions(run / "decisions.csv")] == ["s2"]


@pytest.mark.parametrize("edited", [False, True])
def test_a_run_without_decisions_leaves_those_of_another(
    audit: AuditResult, tmp_path: Path, edited: bool
) -> None:
    run, own = tmp_path / "run", tmp_path / "run" / "decisions.csv"
    decided(audit, run, [Answer("s0", "keep"), Answer("s1", "skip")])
    exported(run, run_id(audit))
    own.write_text(own.read_text() + ("s2,keep,,me,,,\n" if edited else ""))
    before = own.read_text()
    what = "was not as this review had last written it" if edited else "has 2 answers about another audit"
    left = f"decisions.csv {what}; it is left as it is, as there are none about this audit"
    assert exported(run, "another") == [left]
    assert (own.read_text(), (run / "decisions.1.csv").exists()) == (before, False)


def test_no_rows_are_never_written_over_rows(audit: AuditResult, tmp_path: Path) -> None:
    run = tmp_path / "run"
    decided(audit, run, [Answer("s0", "keep")])
    exported(run, run_id(audit))
    log = Log(run / "decisions.sqlite", run_id(audit))
    log.undo("undone-1", "Ann")
    log.close()
    gone = "decisions.csv has 1 answer taken back since; it is now decisions.1.csv"
    assert exported(run, run_id(audit)) == [gone]
    assert len(read_decisions(run / "decisions.1.csv")) == 1


@pytest.mark.parametrize("name", ["decisions.csv", "decisions.CSV", "decisions.parquet", "linked.sqlite"])
def test_the_database_is_not_the_file_of_decisions(audit: AuditResult, tmp_path: Path, name: str) -> None:
    db = tmp_path / name
    log = Log(tmp_path / "made.sqlite", run_id(audit))
    log.decide("event-1", "Ann", [Answer("s0", "keep")])
    log.close()
    (tmp_path / "made.sqlite").rename(db)
    if db.stem == "linked":
        db.with_suffix(".csv").symlink_to(db)
    before = db.read_bytes()
    for words in ([], ["--export", tmp_path / "out.csv"]):
        done = command("review", tmp_path / "run", "--no-browser", "--db", db, *words)
        assert (done.exit_code, "ends in .sqlite" in done.stderr) == (2, True), done.stderr
        assert done.stderr.count("\n") == 1
    assert db.read_bytes() == before


@pytest.mark.parametrize(
    "name", ["run/audit.parquet", "run/cleaned.csv", "labels.csv", "run/dynamics.parquet/0.csv"]
)
def test_an_export_never_replaces_the_run_or_its_labels(
    audit: AuditResult, tmp_path: Path, name: str
) -> None:
    decided(audit, tmp_path / "run", [Answer("s0", "keep")])
    file = tmp_path / name
    if not file.exists():
        file.parent.mkdir(exist_ok=True)
        file.write_text("of the scan")
    before = file.read_bytes()
    done = command("review", tmp_path / "run", "--export", file, "--force")
    assert (done.exit_code, "never overwritten" in done.stderr) == (2, True), done.stderr
    assert file.read_bytes() == before


@pytest.mark.parametrize("name", ["labels.sqlite", "run/suspects.db"])
def test_the_decisions_are_not_written_over_the_labels_or_a_file_of_the_scan(
    audit: AuditResult, tmp_path: Path, name: str
) -> None:
    csv = (tmp_path / name).with_suffix(".csv")
    if not csv.exists():
        csv.write_text("of the scan")
    before = csv.read_bytes()
    done = command("review", tmp_path / "run", "--no-browser", "--db", tmp_path / name)
    assert (done.exit_code, str(csv) in done.stderr, done.stderr.count("\n")) == (2, True, 1), done.stderr
    assert (csv.read_bytes(), (tmp_path / name).exists()) == (before, False)


def test_a_swap_that_was_cut_off_is_ended_first(audit: AuditResult, tmp_path: Path) -> None:
    """Between its two renames, nothing stands where the run is."""
    run, out = tmp_path / "run", tmp_path / "out.csv"
    decided(audit, run, [Answer("s0", "keep")])
    run.rename(beside(run, "old"))
    done = command("review", run, "--export", out)
    assert (done.exit_code, [d.sample_id for d in read_decisions(out)]) == (0, ["s0"]), done.stderr
    assert not beside(run, "old").exists()


@pytest.mark.parametrize("cut_off", [False, True])
def test_a_new_run_keeps_what_people_decided(audit: AuditResult, tmp_path: Path, cut_off: bool) -> None:
    out, new = tmp_path / "run", beside(tmp_path / "run", "new")
    decided(audit, out, [Answer("s0", "keep")])
    (out / "decisions.csv").write_text("as exported")
    new.mkdir()
    for name in ("audit.parquet", "run.json"):
        (new / name).write_bytes((out / name).read_bytes())
    to_replace(new, out)
    if cut_off:  # between the two renames and the removal of the old run
        out.rename(beside(out, "old"))
        new.rename(out)
        settle(out)
    else:
        swap(new, out, RunLock(new))
    assert not beside(out, "old").exists()
    assert (out / "decisions.csv").read_text() == "as exported"
    log = Log(out / "decisions.sqlite", run_id(audit))
    assert [d.sample_id for d in log.decisions()] == ["s0"]
    log.close()

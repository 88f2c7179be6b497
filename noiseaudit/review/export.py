"""The decisions of a review as a file."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from noiseaudit.answers import put_aside
from noiseaudit.aside import move_aside
from noiseaudit.audit_file import open_audit
from noiseaudit.decisions import Decision, check_kind, run_id, write_decisions
from noiseaudit.errors import DataError
from noiseaudit.manifest import file_sha256
from noiseaudit.result import Audited
from noiseaudit.review.agreement import Agreement, agreements
from noiseaudit.review.board import Said
from noiseaudit.review.carry import samples
from noiseaudit.review.drawn import read_drawn, with_answers
from noiseaudit.review.log import LastWritten, Log


class Exported(NamedTuple):
    """What was written, and how far its reviewers agree."""

    n_decisions: int
    n_skipped: int  # beside them: rows that a reviewer left open
    agreement: Agreement  # about rows with a label
    unlabelled: Agreement  # about those without
    note: str = ""  # what became of answers that were in the file's place


def export_decisions(audit: Path, db: Path, out: Path, rows: Path | None = None) -> Exported:
    """Write the decisions about `audit` that `db` holds, each reviewer's in rows of their own.

    With `rows`, a file of `noiseaudit sample`: its rows and their weights, answered or not, and no others. `out` is a
    .csv or .parquet file; one that holds answers which the new one has not is put aside first. Raises DataError if
    there is no such database or audit, ConfigError for another kind of file, OutputError if it cannot be written.
    """
    check_kind(out)
    opened = open_audit(audit)
    own = run_id(opened)
    drawn = None if rows is None else read_drawn(rows, own)
    if not db.is_file():
        raise DataError(
            "no decisions were made yet", file=db, fix="Run `noiseaudit review` first, or give --db."
        )
    log = Log(db, own)
    try:
        decisions = _holding(log, drawn)
    finally:
        log.close()
    labelled, unlabelled = _agreements(opened, decisions)
    note = put_aside(out, decisions)
    write_decisions(out, decisions, None if drawn is None else _shown(opened, decisions))
    return Exported(_judged(decisions), _skipped(decisions), labelled, unlabelled, note)


class Written(NamedTuple):
    """What the end of a review wrote."""

    n: int  # decisions that hold now
    n_skipped: int  # beside them: rows that a reviewer left open
    notes: Sequence[str] = ()  # what became of a file that was there, a line each
    is_left: bool = False  # nothing was written


def write_log(
    log: Log, out: Path, drawn: Sequence[Decision] | None = None, audit: Audited | None = None
) -> Written:
    """Write the decisions that hold now, of `drawn` with all its rows, and their images and labels in the `audit`.

    A file that is not as the last export of this run left it goes aside, and so does one with decisions in it where
    there are none now. Where none were ever made about this run, such a file is left: it may be all there is. Until it
    is done nobody adds a decision, nor writes the file, from this process or another. Raises OutputError if it cannot
    be moved or written.
    """
    own = Log(log.path, log.run_id)  # a connection of its own: other threads use that of `log` meanwhile
    try:
        with own.writing():
            return _write(own, out, drawn, audit)
    finally:
        own.close()


def _write(log: Log, out: Path, drawn: Sequence[Decision] | None, audit: Audited | None) -> Written:
    decisions = _holding(log, drawn)
    n, notes = _count(decisions), list[str]()
    last = log.last_written(out.name)
    if os.path.lexists(out) and not _may_replace(log, last, out, n):
        what = _what_is_there(log, last, out)
        if n == 0 and (last is None or last.run_id != log.run_id):
            return Written(0, 0, [f"{what}; it is left as it is, as there are none about this audit"], True)
        notes.append(f"{what}; it is now {move_aside(out)}")
    write_decisions(out, decisions, None if drawn is None or audit is None else _shown(audit, decisions))
    log.wrote(out.name, file_sha256(out) or "", n)
    return Written(_judged(decisions), _skipped(decisions), notes)


def _shown(audit: Audited, decisions: Sequence[Decision]) -> dict[str, Sequence[str | None]]:
    """The columns that `noiseaudit sample` writes for people, which its rows keep."""
    asked = samples(audit, {decision.sample_id for decision in decisions})
    found = [asked.get(decision.sample_id) for decision in decisions]
    return {name: [each and getattr(each, name) for each in found] for name in ("image", "given_label")}


def _what_is_there(log: Log, last: LastWritten | None, out: Path) -> str:
    if last is not None and file_sha256(out) == last.sha256:
        n = f"{last.n:,} answer{'' if last.n == 1 else 's'}"
        return f"{out} has {n} {'taken back since' if last.run_id == log.run_id else 'about another audit'}"
    return f"{out} was not as this review had last written it"


def _holding(log: Log, drawn: Sequence[Decision] | None) -> list[Decision]:
    return log.decisions() if drawn is None else with_answers(drawn, log.decisions())


def _count(decisions: Sequence[Decision]) -> int:
    """Answers of all kinds."""
    return sum(decision.decision is not None for decision in decisions)


def _judged(decisions: Sequence[Decision]) -> int:
    """As `clean` counts: who skips a row decides nothing about it."""
    return _count(decisions) - _skipped(decisions)


def _skipped(decisions: Sequence[Decision]) -> int:
    return sum(decision.decision == "skip" for decision in decisions)


def _may_replace(log: Log, last: LastWritten | None, out: Path, n: int) -> bool:
    if last is None or file_sha256(out) != last.sha256:
        return False
    return last.n == 0 or (n > 0 and last.run_id == log.run_id)


def _agreements(audit: Audited, decisions: Sequence[Decision]) -> tuple[Agreement, Agreement]:
    answers: dict[str, dict[str, Said]] = defaultdict(dict)
    for made in decisions:
        if made.decision is not None and made.reviewer is not None:
            answers[made.sample_id][made.reviewer] = Said(made.decision, made.new_label)
    shared = {name: said for name, said in answers.items() if len(said) > 1}
    given = {name: asked.given_label for name, asked in samples(audit, shared).items()}
    return agreements({name: shared[name] for name in given}, given)

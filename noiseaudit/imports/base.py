"""Answers of people as an annotation tool has them, and how they become decisions about an audit's rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from noiseaudit.decisions import Decision, run_id
from noiseaudit.errors import DataError
from noiseaudit.result import AuditResult


@dataclass(frozen=True)
class Answer:
    """What one person said about one row."""

    row: int  # of the tool's file, from 0: for messages
    sample_id: str
    run_id: str | None  # of the audit that was exported
    label: str | None = None  # that was chosen; None: none was
    doubt: str | None = None  # "ambiguous" or "skip", which go before a label
    reviewer: str | None = None
    decided_at: str | None = None  # ISO 8601


@dataclass(frozen=True)
class Imported:
    """The decisions, in the order of the file."""

    decisions: list[Decision]
    n_superseded: int  # earlier answers of the same person about the same row


def to_decisions(audit: AuditResult, answers: Sequence[Answer], path: Path) -> Imported:
    """A decision for each person and row: the given label chosen is to keep it, another to relabel, none to skip.

    Who answered twice is taken by the last word: the latest decided_at, of equal ones the last in the file. Raises
    DataError, naming the file's row, for an answer that another audit asked for, or about a sample that it has not,
    and for what is no text.
    """
    own = run_id(audit)
    given = dict(zip(audit.column("sample_id").tolist(), audit.column("given_label").tolist(), strict=True))
    last: dict[tuple[str, str | None], Answer] = {}
    for answer in answers:
        _check(answer, own, given, path)
        key = answer.sample_id, answer.reviewer
        if key not in last or (answer.decided_at or "") >= (last[key].decided_at or ""):
            last[key] = answer
    decisions = [_decision(answer, given[answer.sample_id], own) for answer in last.values()]
    return Imported(decisions, len(answers) - len(decisions))


def _check(answer: Answer, own: str, given: dict[str, str | None], path: Path) -> None:
    for name, text in vars(answer).items():
        if isinstance(text, str) and not _is_text(text):
            raise DataError(
                f"holds {text[:60]!r}, which is no text",
                file=path,
                row=answer.row,
                column=name,
                fix="Correct it in the tool and export again.",
            )
    if answer.sample_id not in given:
        raise DataError(
            f"{answer.sample_id!r} is no sample of the audit",
            file=path,
            row=answer.row,
            fix="Give --audit the run that was exported.",
        )
    if answer.run_id != own:
        other = f"of the audit {answer.run_id}" if answer.run_id else "of no audit (it names no run_id)"
        raise DataError(
            f"{answer.sample_id!r} is {other}, but --audit is {own}",
            file=path,
            row=answer.row,
            fix="Give --audit the run that was exported.",
        )


def _is_text(text: str) -> bool:
    """Whether a file can hold it: half a surrogate pair is nothing in UTF-8, and empty is none."""
    try:
        return bool(text.encode())
    except UnicodeEncodeError:
        return False


def _decision(answer: Answer, given: str | None, own: str) -> Decision:
    if answer.doubt is not None or answer.label is None:
        kind, label = answer.doubt or "skip", None
    elif answer.label == given:
        kind, label = "keep", None
    else:
        kind, label = "relabel", answer.label
    return Decision(answer.sample_id, kind, label, answer.reviewer, answer.decided_at, own)

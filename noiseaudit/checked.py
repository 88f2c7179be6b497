"""Files of answers to the rows that `noiseaudit sample` drew, and where they contradict what an audit expects."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from noiseaudit.decisions import read_decisions
from noiseaudit.errors import DataError
from noiseaudit.estimate import Estimate, estimate
from noiseaudit.expected import Expected, contradicted
from noiseaudit.result import AuditResult

SHARES = ("precision", "recall", "noise_rate")  # that an audit has expectations of


def estimate_from(audit: AuditResult, files: Sequence[Path], *, width: float = 0.1) -> Estimate:
    """The estimate of all answers in `files`. Raises DataError as `read_decisions` and `estimate` do, or if nothing
    is answered yet.
    """
    read = [(file, decision) for file in files for decision in read_decisions(file)]
    answers = [decision for _, decision in read]
    if answers and not any(answer.decision for answer in answers):
        raise DataError(
            "has no answers yet",
            file=files[0],
            fix="Write keep, relabel, ambiguous or skip in its column decision.",
        )
    return estimate(audit, answers, width=width, files=[file for file, _ in read])


def agreed_text(found: Estimate) -> str:
    """What was done about rows that several people judged; "" where there are none."""
    if not found.n_agreed:
        return ""
    rows, count = ("row has", "counts") if found.n_agreed == 1 else ("rows have", "count")
    return f"{found.n_agreed:,} {rows} several answers, which agree, and {count} once."


def unjudged_text(found: Estimate) -> str:
    """What was done about groups of which nobody could judge any row; "" where there are none."""
    if not found.n_unjudged:
        return ""
    no_precision = (
        " No suspect could be judged: precision is not known." if found.has_unjudged_suspects else ""
    )
    return (
        f"Of some groups every row is ambiguous ({found.n_unjudged:,} in all): the figures take half of them for "
        f"wrong, the intervals allow for none to all.{no_precision}"
    )


def contradictions(expected: Expected, found: Estimate) -> list[str]:
    """Those of SHARES whose interval by the answers does not meet the one that the audit expected."""
    return contradicted(expected, {name: getattr(found, name) for name in SHARES})


def in_words(names: Sequence[str]) -> str:
    """`precision, recall and noise rate`, of one name or more."""
    *first, last = (name.replace("_", " ") for name in names)
    return f"{', '.join(first)} and {last}" if first else last

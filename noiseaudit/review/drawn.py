"""Rows that were drawn for people to check, whom nothing is told of what the audit thinks of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from noiseaudit.decisions import Decision, read_decisions
from noiseaudit.errors import DataError
from noiseaudit.result import AuditResult
from noiseaudit.review.queue import Rows


@dataclass(frozen=True)
class Drawn:
    """The rows of a file of `noiseaudit sample`."""

    decisions: Sequence[Decision]  # as the file has them
    rows: Rows  # (n,) of the audit, in the file's order, each once


def read_drawn(file: Path, run: str) -> list[Decision]:
    """The rows of a decisions file about the audit `run`. Raises DataError where it has none, or another audit's."""
    found = read_decisions(file)
    if not found:
        raise DataError("has no rows", file=file, fix="Draw some with `noiseaudit sample`.")
    for decision in found:
        if decision.run_id not in (None, run):
            raise DataError(
                f"{decision.sample_id!r} was drawn from another audit ({decision.run_id}, this is {run})",
                file=file,
                fix="Give the audit that the rows were drawn from.",
            )
    return found


def find_drawn(file: Path, audit: AuditResult, run: str) -> Drawn:
    """The rows of a decisions file in the audit.

    Raises DataError as `read_drawn` does, for an unknown sample, and where no row was drawn: no answer would count.
    """
    decisions = read_drawn(file, run)
    place = {name: row for row, name in enumerate(audit.table.column("sample_id").to_pylist())}
    for decision in decisions:
        if decision.sample_id not in place:
            raise DataError(
                f"{decision.sample_id!r} is no sample of the audit",
                file=file,
                fix="Give the audit that the rows were drawn from.",
            )
    if all(decision.sampling_weight is None for decision in decisions):
        raise DataError(
            "none of its rows was drawn by `noiseaudit sample`, so `noiseaudit estimate` would take no answer",
            file=file,
            fix="Give a file of `noiseaudit sample`; suspects are reviewed without --rows.",
        )
    rows = dict.fromkeys(place[decision.sample_id] for decision in decisions)
    return Drawn(decisions, np.array([*rows], np.int32))


def with_answers(drawn: Sequence[Decision], said: Sequence[Decision]) -> list[Decision]:
    """`drawn` in its order, with what was said about its rows since, and their weights; other rows are left out.

    A row that several reviewers answered stands there for each; one that nobody answered stays as it is.
    """
    answers: dict[str, list[Decision]] = defaultdict(list)
    for decision in said:
        answers[decision.sample_id].append(decision)
    return [*_with_answers(drawn, answers)]


def _with_answers(drawn: Sequence[Decision], answers: dict[str, list[Decision]]) -> Iterator[Decision]:
    told = set[str]()
    for asked in drawn:
        name = asked.sample_id
        if name not in answers:
            yield asked
        elif name not in told:
            yield from (replace(said, sampling_weight=asked.sampling_weight) for said in answers[name])
            told.add(name)

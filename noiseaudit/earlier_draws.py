"""What files of decisions say of earlier draws: which rows `noiseaudit sample` drew, and which people chose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from noiseaudit.decisions import read_decisions, run_id
from noiseaudit.errors import DataError
from noiseaudit.result import AuditResult
from noiseaudit.tally import ANSWERS


@dataclass(frozen=True)
class Earlier:
    """Sample ids of decisions about an audit."""

    drawn: frozenset[str]  # at random, by `noiseaudit sample`
    unclear: frozenset[str]  # of these, that are ambiguous to whoever judged them
    chosen: frozenset[str]  # otherwise, as suspects that people reviewed


def read_earlier(audit: AuditResult, files: Sequence[Path]) -> Earlier:
    """The rows of `files`, all of them about `audit`.

    A row was drawn where one of them has its weight. What people chose to judge is no random part of the rows: taken
    for a draw, it would leave a sample that speaks of the others alone. Raises DataError as `read_decisions` does, for
    rows of another audit, and for drawn ones that this one has not scored.
    """
    own, scored = run_id(audit), _scored(audit) if files else frozenset[str]()
    drawn, chosen, clear, unclear = set[str](), set[str](), set[str](), set[str]()
    for file in files:
        for decision in read_decisions(file):
            if decision.run_id not in (None, own):
                raise _foreign(
                    f"{decision.sample_id!r} is of another audit ({decision.run_id}, this is {own})", file
                )
            if decision.sampling_weight is None:
                chosen.add(decision.sample_id)
            elif decision.sample_id in scored:
                drawn.add(decision.sample_id)
                if decision.decision in ANSWERS:
                    clear.add(decision.sample_id)
                elif decision.decision == "ambiguous":
                    unclear.add(decision.sample_id)
            else:
                raise _foreign(f"{decision.sample_id!r} has no score in the audit", file)
    return Earlier(frozenset(drawn), frozenset(unclear - clear), frozenset(chosen - drawn))


def _scored(audit: AuditResult) -> frozenset[str]:
    return frozenset(audit.column("sample_id")[~np.isnan(audit.column("p_mislabeled"))])


def _foreign(problem: str, file: Path) -> DataError:
    return DataError(problem, file=file, fix="Give --without only rows drawn from this audit.")

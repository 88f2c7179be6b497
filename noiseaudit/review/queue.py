"""Which rows a reviewer is shown, in which order."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from noiseaudit.arrays import class_codes, codes
from noiseaudit.result import AuditResult
from noiseaudit.review.board import DISPUTED, OPEN, Board
from noiseaudit.unlabelled import UNLABELLED, is_unlabelled

MOST_CHOICES = 500  # of a filter; the most frequent ones
COLUMNS = ("issue_kind", "split", "annotator")  # that may be filtered by, where the audit has them
Rows = npt.NDArray[np.int32]
State = Literal["any", "open", "mine", "not_mine", "disputed"]
Kind = Literal["suspects", "all", "unlabelled"]  # all: those whose image was read
VERDICTS = {"open": OPEN, "disputed": DISPUTED}


@dataclass(frozen=True)
class Filter:
    """What is to be shown; None: whatever it is. Numbers are places in `Queue.classes` and `Queue.choices`."""

    rows: Kind = "suspects"
    given: int | None = None
    suggested: int | None = None
    issue_kind: int | None = None
    split: int | None = None
    annotator: int | None = None
    state: State = "any"  # open: judged by nobody; (not_)mine: (not) answered by this reviewer


@dataclass(frozen=True)
class Choice:
    """A value of a column that rows can be filtered by, and how many suspects have it."""

    code: int
    name: str
    count: int


@dataclass(frozen=True)
class ChoicePair:
    """A pair of classes, by their places, and how many suspects have it."""

    given: int
    suggested: int
    count: int


class Queue:
    """The rows of an audit in the order of suspicion: by rank, then those without a label, surest suggestion first."""

    def __init__(self, audit: AuditResult) -> None:
        table = audit.table
        self.classes = audit.meta.classes
        self.given = class_codes(table.column("given_label"), self.classes)  # (n,), -1: none
        self.suggested = class_codes(table.column("suggested_label"), self.classes)
        self._suspects = audit.suspects()
        self.unlabelled = is_unlabelled(table)  # (n,)
        rank = np.nan_to_num(audit.column("rank").astype(np.float64), nan=np.inf)
        sureness = np.where(self.unlabelled, audit.column("p_suggested"), 0.0)
        order = np.lexsort((-sureness, rank)).astype(np.int32)
        readable = class_codes(table.column("status"), ["ok", UNLABELLED]) >= 0
        self._order = order[(readable | self._suspects)[order]]
        self.pairs = self._pairs()  # of given and suggested class among the suspects, most frequent first
        self._codes, self.choices = {}, dict[str, list[Choice]]()
        for name in COLUMNS:
            self._codes[name], distinct = codes(table.column(name))
            self.choices[name] = self._choices(self._codes[name], distinct.to_pylist())

    def _choices(self, places: npt.NDArray[np.int32], names: list[str]) -> list[Choice]:
        counts = np.bincount(places[self._suspects & (places >= 0)], minlength=len(names))
        found = [Choice(code, name, int(counts[code])) for code, name in enumerate(names)]
        most = sorted(found, key=lambda choice: (-choice.count, choice.name))[:MOST_CHOICES]
        return sorted(most, key=lambda choice: choice.name)

    def _pairs(self) -> list[ChoicePair]:
        both = zip(self.given[self._suspects].tolist(), self.suggested[self._suspects].tolist(), strict=True)
        counts = Counter(pair for pair in both if -1 not in pair)
        ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        return [ChoicePair(*pair, count) for pair, count in ordered[:MOST_CHOICES]]

    def rows(self, wanted: Filter, board: Board, reviewer: str) -> Rows:
        """The rows that `wanted` admits now."""
        every = np.ones(len(self.given), np.bool_)
        admitted = every & {"suspects": self._suspects, "unlabelled": self.unlabelled}.get(wanted.rows, every)
        facts = {"given": self.given, "suggested": self.suggested, **self._codes}
        for name, code in facts.items():
            asked = getattr(wanted, name)
            if asked is not None:
                admitted &= code == asked
        admitted &= in_state(wanted.state, board, reviewer)
        found: Rows = self._order[admitted[self._order]]
        return found


def in_state(state: State, board: Board, reviewer: str) -> npt.NDArray[np.bool_]:
    """Which rows of the audit are so far decided about as `state` says, (n,)."""
    if state == "any":
        return np.ones(len(board.verdict), np.bool_)
    if state in VERDICTS:
        return np.asarray(board.verdict == VERDICTS[state])
    return np.asarray(board.answered(reviewer) == (state == "mine"))

"""What reviewers have decided so far, kept in step with the log: by row and by reviewer, with the counts."""

from __future__ import annotations

import statistics
import threading
from bisect import bisect_left, insort
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from noiseaudit.metrics import Interval, proportion
from noiseaudit.result import AuditResult
from noiseaudit.review.log import Event, Log
from noiseaudit.unlabelled import is_unlabelled

OPEN, RIGHT, WRONG, UNCLEAR, DISPUTED = range(5)  # what is known of a row's label from all reviewers
_KNOWN = {"keep": RIGHT, "relabel": WRONG, "ambiguous": UNCLEAR}  # a skipped row is open


@dataclass(frozen=True)
class Said:
    """One reviewer's decision about one row."""

    decision: str
    new_label: str | None


@dataclass(frozen=True)
class Progress:
    """How far a review is; of all reviewers where it does not say otherwise.

    What is judged is a given label: rows without one are counted apart.
    """

    n_asked: int  # suspects, or the rows that were drawn
    n_checked: int  # of these, whose label was judged right, wrong or unclear
    n_mine: int  # rows with a label that this reviewer judged
    n_skipped: int  # rows with a label that this reviewer skipped, and left open
    n_judged: int  # of these, right or wrong
    n_wrong: int
    n_top: int  # the most suspicious ones, as far as somebody answered about each
    precision: Interval  # of these n_top, wrong among those judged right or wrong
    n_disputed: int  # rows that reviewers contradict each other about
    errors_left: float  # sum of p_mislabeled over the scored rows that nobody judged
    median_seconds: float | None  # that this reviewer looked at a sample, of actions that stand
    n_unlabelled: int  # rows without a label whose image was read
    n_unlabelled_checked: int  # of these, that somebody labelled or found ambiguous
    n_unlabelled_mine: int  # of these, that this reviewer did that with
    n_unlabelled_skipped: int  # of these, that this reviewer skipped


class Board:
    """The log's events folded, row by row. Usable from many threads."""

    def __init__(self, audit: AuditResult, log: Log, drawn: npt.NDArray[np.int32] | None = None) -> None:
        """`drawn`: the rows that are asked about; None: the suspects."""
        self._log, self._seq, self._lock = log, 0, threading.Lock()
        self._row_of = {name: row for row, name in enumerate(audit.table.column("sample_id").to_pylist())}
        self._p = np.nan_to_num(audit.column("p_mislabeled"))
        asked = np.asarray(np.flatnonzero(audit.suspects()) if drawn is None else np.unique(drawn), np.int64)
        rank = audit.column("rank").astype(np.float64)[asked]
        self._by_rank = asked[np.argsort(rank, kind="stable")]  # without a rank last
        self._unlabelled = is_unlabelled(audit.table)
        self.verdict = np.zeros(len(audit), np.int8)  # OPEN ... DISPUTED
        self._is_answered = np.zeros(len(audit), np.bool_)  # by anybody; skipped, too
        self._by_row: dict[int, dict[str, Said]] = {}
        self._by_reviewer: dict[str, dict[int, Said]] = defaultdict(dict)
        self._tally = Counter[
            tuple[str, bool, bool]
        ]()  # rows by reviewer, whether skipped, whether without a label
        self._seconds: dict[str, list[float]] = defaultdict(list)  # rising
        self._spent: dict[tuple[str, str], float] = {}  # by action and sample

    def refresh(self) -> None:
        """Take in what the log has got since, from this process or another."""
        with self._lock:
            for event in self._log.since(self._seq):
                self._take(event)

    def _take(self, event: Event) -> None:
        self._seq = event.seq
        row = self._row_of.get(event.sample_id)
        if row is None:
            return
        answers = self._by_row.setdefault(row, {})
        if (before := answers.get(event.reviewer)) is not None:
            self._tally[self._kind(event.reviewer, row, before.decision)] -= 1
        if event.decision is None:
            answers.pop(event.reviewer, None)
            self._by_reviewer[event.reviewer].pop(row, None)
        else:
            said = Said(event.decision, event.new_label)
            answers[event.reviewer] = self._by_reviewer[event.reviewer][row] = said
            self._tally[self._kind(event.reviewer, row, event.decision)] += 1
        self.verdict[row], self._is_answered[row] = _verdict(answers), bool(answers)
        self._time(event)

    def _time(self, event: Event) -> None:
        """Seconds count while their action stands."""
        of_reviewer = self._seconds[event.reviewer]
        if event.undoes is not None:
            spent = self._spent.pop((event.undoes, event.sample_id), None)
            if spent is not None:
                del of_reviewer[bisect_left(of_reviewer, spent)]
        elif event.seconds is not None:
            self._spent[event.event_id, event.sample_id] = event.seconds
            insort(of_reviewer, event.seconds)

    def row(self, sample_id: str) -> int:
        """The row of a sample of the audit."""
        return self._row_of[sample_id]

    def answers(self, row: int) -> Mapping[str, Said]:
        """What each reviewer says about a row."""
        with self._lock:
            return dict(self._by_row.get(row, {}))

    def answered(self, reviewer: str) -> npt.NDArray[np.bool_]:
        """Which rows a reviewer answered about, (n,); skipped ones are among them."""
        found = np.zeros(len(self.verdict), np.bool_)
        with self._lock:
            found[[*self._by_reviewer.get(reviewer, ())]] = True
        return found

    def all_answers(self) -> dict[int, dict[str, Said]]:
        """Row -> reviewer -> decision, of the rows that somebody answered about."""
        with self._lock:
            return {row: dict(answers) for row, answers in self._by_row.items() if answers}

    def reviewers(self) -> list[str]:
        """Who answered about any row, by name."""
        with self._lock:
            return sorted(name for name, rows in self._by_reviewer.items() if rows)

    def progress(self, reviewer: str) -> Progress:
        """The counts now."""
        with self._lock:
            found = self._found(self._by_rank)
            is_open = ~self._is_answered[self._by_rank]
            n_top = int(is_open.argmax()) if is_open.any() else len(is_open)
            top = self._found(self._by_rank[:n_top])
            seconds = self._seconds.get(reviewer)
            return Progress(
                n_asked=len(self._by_rank),
                n_checked=int(found[1:].sum()),
                n_mine=self._tally[reviewer, False, False],
                n_skipped=self._tally[reviewer, True, False],
                n_judged=int(found[RIGHT] + found[WRONG]),
                n_wrong=int(found[WRONG]),
                n_top=n_top,
                precision=proportion(int(top[WRONG]), int(top[RIGHT] + top[WRONG])),
                n_disputed=int((self.verdict == DISPUTED).sum()),
                errors_left=float(self._p[self.verdict == OPEN].sum()),
                median_seconds=statistics.median(seconds) if seconds else None,
                n_unlabelled=int(self._unlabelled.sum()),
                n_unlabelled_checked=int((self._unlabelled & (self.verdict != OPEN)).sum()),
                n_unlabelled_mine=self._tally[reviewer, False, True],
                n_unlabelled_skipped=self._tally[reviewer, True, True],
            )

    def _found(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """How many of `rows` are OPEN ... DISPUTED, (5,)."""
        return np.bincount(self.verdict[rows], minlength=5)

    def _kind(self, reviewer: str, row: int, decision: str) -> tuple[str, bool, bool]:
        return reviewer, decision == "skip", bool(self._unlabelled[row])


def _verdict(answers: Mapping[str, Said]) -> int:
    """What all who judged a row agree on. Two wrong labels named differently are a dispute, too."""
    judged = {said for said in answers.values() if said.decision in _KNOWN}
    if not judged:
        return OPEN
    return _KNOWN[next(iter(judged)).decision] if len(judged) == 1 else DISPUTED

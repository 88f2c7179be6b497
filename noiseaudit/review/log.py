"""Decisions of reviewers as events in SQLite: only added to, never changed; undoing is an event, too.

What holds now is a view, the last event of each run, sample and reviewer.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from noiseaudit.decisions import Decision
from noiseaudit.errors import OutputError
from noiseaudit.review.database import Transaction, no_log, open_database

_EVENT = "seq, event_id, sample_id, reviewer, decision, new_label, undoes, seconds, decided_at"

KEEP_ASKED = "INSERT OR IGNORE INTO asked (run_id, sample_id, given_label, image) VALUES (?, ?, ?, ?)"
_NO_SAMPLE = _NO_ACTION = ""  # of an undo that found nothing to take back


@dataclass(frozen=True)
class Event:
    """One reviewer's answer about one sample; without a decision, it is open again."""

    seq: int
    event_id: str
    sample_id: str
    reviewer: str
    decision: str | None
    new_label: str | None
    undoes: str | None
    seconds: float | None
    decided_at: str


@dataclass(frozen=True)
class LastWritten:
    """A file of decisions as it was last written."""

    run_id: str
    sha256: str
    n: int  # answers in it, skipped rows among them


@dataclass(frozen=True)
class Answer:
    """What a reviewer says about a sample."""

    sample_id: str
    decision: str | None  # one of KINDS; None: taken back
    new_label: str | None = None  # where it is relabel
    seconds: float | None = None


class Asked(NamedTuple):
    """A sample as an audit has it: a decision about it holds in another audit only where this is the same."""

    sample_id: str
    given_label: str | None  # None: it has none
    image: str | None


class EventIdTaken(ValueError):
    """An event id that someone else's action has."""


class Log:
    """The events of one run in a database, which may hold other runs', too. Usable from many threads.

    An action is on the disk when the call returns. Raises DataError where `path` is no such database, OutputError
    where it cannot be opened.
    """

    def __init__(self, path: Path, run_id: str) -> None:
        self.path, self.run_id = path, run_id
        self._lock = threading.Lock()
        try:
            self._db = open_database(path)
        except sqlite3.OperationalError as error:
            raise OutputError(
                f"cannot be opened ({error})", file=path, fix="Name another place with --db FILE."
            ) from error
        except sqlite3.DatabaseError as error:
            raise no_log(path, str(error)) from error

    def decide(
        self, event_id: str, reviewer: str, answers: Sequence[Answer], asked: Iterable[Asked] = ()
    ) -> None:
        """Add what a reviewer said about some samples, all or nothing; nothing where `event_id` was added before.

        `asked`: these samples in the audit, for `carry_over`. Raises EventIdTaken where another reviewer's action has
        the id.
        """
        with self._lock, self.writing() as db:
            if self._is_known(event_id, reviewer):
                return
            db.executemany(KEEP_ASKED, [(self.run_id, *sample) for sample in asked])
            for answer in answers:
                self._add(event_id, reviewer, answer)

    def undo(self, event_id: str, reviewer: str) -> None:
        """Take back the reviewer's last action that still stands, if there is one. Raises as `decide` does.

        One that finds none is known afterwards, too: sent again, it takes back nothing that was decided since.
        """
        with self._lock, self.writing():
            if self._is_known(event_id, reviewer):
                return
            last = self._db.execute(
                "SELECT event_id FROM events WHERE run_id = ?1 AND reviewer = ?2 AND undoes IS NULL AND event_id NOT IN"
                " (SELECT undoes FROM events WHERE run_id = ?1 AND reviewer = ?2 AND undoes IS NOT NULL)"
                " ORDER BY seq DESC LIMIT 1",
                (self.run_id, reviewer),
            ).fetchone()
            if last is None:
                self._add(event_id, reviewer, Answer(_NO_SAMPLE, None), undoes=_NO_ACTION)
                return
            before = self._db.execute(
                "SELECT sample_id, old_decision, old_label FROM events WHERE event_id = ? ORDER BY seq", last
            ).fetchall()
            for sample_id, decision, label in before:
                self._add(event_id, reviewer, Answer(sample_id, decision, label), undoes=last[0])

    def since(self, seq: int) -> list[Event]:
        """The events of this run after number `seq`, in order: whoever folds them knows what holds now."""
        with self._lock:
            rows = self._db.execute(
                f"SELECT {_EVENT} FROM events WHERE seq > ? AND run_id = ? AND sample_id != ? ORDER BY seq",
                (seq, self.run_id, _NO_SAMPLE),
            ).fetchall()
        return [Event(*row) for row in rows]

    def of(self, event_id: str) -> list[str]:
        """The samples that an action was about."""
        with self._lock:
            rows = self._db.execute(
                "SELECT sample_id FROM events WHERE event_id = ? AND sample_id != ? ORDER BY seq",
                (event_id, _NO_SAMPLE),
            ).fetchall()
        return [sample_id for (sample_id,) in rows]

    def decisions(self) -> list[Decision]:
        """What holds now, a row for each sample and reviewer, in the order in which they were made."""
        with self._lock:
            rows = self._db.execute(
                "SELECT sample_id, decision, new_label, reviewer, decided_at, run_id FROM current"
                " WHERE run_id = ? AND decision IS NOT NULL ORDER BY seq",
                (self.run_id,),
            ).fetchall()
        return [Decision(*row) for row in rows]

    def last_written(self, file: str) -> LastWritten | None:
        """What an export last wrote to the file of this name; None if nothing."""
        with self._lock:
            row = self._db.execute("SELECT run_id, sha256, n FROM written WHERE file = ?", (file,)).fetchone()
        return LastWritten(*row) if row else None

    def wrote(self, file: str, sha256: str, n: int) -> None:
        """Keep what was written, so that the next export knows the file again."""
        with self._lock, self.writing():
            self._db.execute(
                "INSERT OR REPLACE INTO written (file, run_id, sha256, n) VALUES (?, ?, ?, ?)",
                (file, self.run_id, sha256, n),
            )

    def close(self) -> None:
        """Close the database; its write-ahead log is taken in."""
        with self._lock:
            self._db.close()

    def _is_known(self, event_id: str, reviewer: str) -> bool:
        found = self._db.execute(
            "SELECT run_id, reviewer FROM events WHERE event_id = ? LIMIT 1", (event_id,)
        ).fetchone()
        if found is not None and found != (self.run_id, reviewer):
            raise EventIdTaken(event_id)
        return found is not None

    def _add(self, event_id: str, reviewer: str, answer: Answer, undoes: str | None = None) -> None:
        key = self.run_id, reviewer, answer.sample_id
        old = self._db.execute(
            "SELECT decision, new_label FROM events WHERE run_id = ? AND reviewer = ? AND sample_id = ?"
            " ORDER BY seq DESC LIMIT 1",
            key,
        ).fetchone() or (None, None)
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._db.execute(
            "INSERT INTO events (event_id, run_id, reviewer, sample_id, old_decision, old_label, decision, new_label,"
            " undoes, seconds, decided_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (event_id, *key, *old, answer.decision, answer.new_label, undoes, answer.seconds, now),
        )

    def writing(self) -> AbstractContextManager[sqlite3.Connection]:
        """The database for what is added at once or not at all; on the disk when it ends."""
        return Transaction(self._db)

    def reading(self) -> AbstractContextManager[sqlite3.Connection]:
        """The database as it is now; others add to it meanwhile."""
        return Transaction(self._db, reads=True)

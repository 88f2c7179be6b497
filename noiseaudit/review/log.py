"""Decisions of reviewers as events in SQLite: only added to, never changed; undoing is an event, too.

What holds now is a view, the last event of each run, sample and reviewer.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from noiseaudit.decisions import KINDS, Decision
from noiseaudit.errors import DataError, OutputError

FORMAT = 1  # user_version of the database
WAIT_SECONDS = 30.0  # for another process that writes

_TABLES = f"""
CREATE TABLE events (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  event_id TEXT NOT NULL,           -- made by the client, one for each action; a retried one adds nothing
  run_id TEXT NOT NULL,
  sample_id TEXT NOT NULL,
  reviewer TEXT NOT NULL,
  old_decision TEXT, old_label TEXT, -- null: none was made
  decision TEXT, new_label TEXT,     -- null: none is made any more
  undoes TEXT,                       -- the event_id that this one takes back
  seconds REAL,                      -- that the reviewer looked at the sample
  decided_at TEXT NOT NULL,          -- ISO 8601, UTC
  UNIQUE (event_id, sample_id),
  CHECK (decision IN ({", ".join(f"'{kind}'" for kind in KINDS)})),
  CHECK ((decision IS 'relabel') = (new_label IS NOT NULL))
) STRICT;
CREATE INDEX of_sample ON events (run_id, reviewer, sample_id, seq);
CREATE TRIGGER never_changed BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'events are only added'); END;
CREATE TRIGGER never_removed BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'events are only added'); END;
CREATE VIEW current AS
  SELECT run_id, sample_id, reviewer, decision, new_label, decided_at, max(seq) AS seq
  FROM events GROUP BY run_id, sample_id, reviewer;
PRAGMA user_version = {FORMAT};
"""
_EVENT = "seq, event_id, sample_id, reviewer, decision, new_label, undoes, seconds, decided_at"

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
class Answer:
    """What a reviewer says about a sample."""

    sample_id: str
    decision: str | None  # one of KINDS; None: taken back
    new_label: str | None = None  # where it is relabel
    seconds: float | None = None


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
            self._db = sqlite3.connect(
                path, timeout=WAIT_SECONDS, isolation_level=None, check_same_thread=False
            )
            self._prepare()
        except sqlite3.OperationalError as error:
            raise OutputError(
                f"cannot be opened ({error})", file=path, fix="Name another place with --db FILE."
            ) from error
        except sqlite3.DatabaseError as error:
            raise _no_log(path, str(error)) from error

    def _prepare(self) -> None:
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        with self._writing():
            (version,) = self._db.execute("PRAGMA user_version").fetchone()
            tables = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            if version == 0 and tables == 0:
                for statement in _statements(_TABLES):
                    self._db.execute(statement)
            elif version != FORMAT:
                raise _no_log(self.path, f"format {version}, but this noiseaudit reads {FORMAT}")

    def decide(self, event_id: str, reviewer: str, answers: Sequence[Answer]) -> None:
        """Add what a reviewer said about some samples, all or nothing; nothing where `event_id` was added before.

        Raises EventIdTaken where another reviewer's action has it.
        """
        with self._lock, self._writing():
            if self._is_known(event_id, reviewer):
                return
            for answer in answers:
                self._add(event_id, reviewer, answer)

    def undo(self, event_id: str, reviewer: str) -> None:
        """Take back the reviewer's last action that still stands, if there is one. Raises as `decide` does.

        One that finds none is known afterwards, too: sent again, it takes back nothing that was decided since.
        """
        with self._lock, self._writing():
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

    def _writing(self) -> AbstractContextManager[None]:
        return _Transaction(self._db)


class _Transaction(AbstractContextManager[None]):
    """One that takes the right to write at its start, so that what it reads is still so when it writes."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        try:
            if error is None:
                self._db.execute("COMMIT")
        finally:
            if self._db.in_transaction:  # a full disk may have ended it already
                self._db.execute("ROLLBACK")


def _statements(script: str) -> list[str]:
    """Each statement of a script: `executescript` would end the transaction."""
    found, start = [], 0
    for end, char in enumerate(script):
        if char == ";" and sqlite3.complete_statement(script[start : end + 1]):
            found.append(script[start : end + 1])
            start = end + 1
    return found


def _no_log(path: Path, why: str) -> DataError:
    return DataError(f"no database of decisions ({why})", file=path, fix="Name another with --db FILE.")

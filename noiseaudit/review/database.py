"""The SQLite database of a review: its tables, and how it is known from other people's databases."""

from __future__ import annotations

import sqlite3
from contextlib import AbstractContextManager, closing
from pathlib import Path

from noiseaudit.decisions import KINDS
from noiseaudit.errors import DataError

APPLICATION = 0x6E6F6973  # application_id of the database: "nois"; the first ones had none
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
_WRITTEN = """
CREATE TABLE IF NOT EXISTS written ( -- the file of decisions as it was last written here
  file TEXT PRIMARY KEY,
  run_id TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  n INTEGER NOT NULL
) STRICT
"""
_ASKED = """
CREATE TABLE IF NOT EXISTS asked ( -- what was decided about, as it stood in the audit
  run_id TEXT NOT NULL,
  sample_id TEXT NOT NULL,
  given_label TEXT,
  image TEXT,
  PRIMARY KEY (run_id, sample_id)
) STRICT
"""
_COLUMNS = {
    "event_id",
    "run_id",
    "sample_id",
    "reviewer",
    "old_decision",
    "old_label",
    "decision",
    "new_label",
}


def open_database(path: Path) -> sqlite3.Connection:
    """The database at `path`, made if there is none; one that is somebody else's is only looked at.

    Raises DataError where it is not of a review, sqlite3.Error where it cannot be opened.
    """
    if path.exists() and path.stat().st_size:
        with closing(_read_only(path)) as db:
            _is_ours(db, path)
    db = sqlite3.connect(path, timeout=WAIT_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        with Transaction(db):
            is_new = not _is_ours(db, path)  # asked again: another process may have made it since
            for statement in _statements(_TABLES) if is_new else []:
                db.execute(statement)
            db.execute(_WRITTEN)
            db.execute(_ASKED)
            if _number(db, "application_id") != APPLICATION:
                db.execute(f"PRAGMA application_id = {APPLICATION}")
    except BaseException:
        db.close()
        raise
    return db


def _read_only(path: Path) -> sqlite3.Connection:
    """Without a write-ahead log there, even the files that reading beside one makes are not made."""
    has_log = path.with_name(f"{path.name}-wal").exists()
    how = "mode=ro" if has_log else "mode=ro&immutable=1"
    return sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True, timeout=WAIT_SECONDS)


def _is_ours(db: sqlite3.Connection, path: Path) -> bool:
    """Whether it has our tables; an empty database has not. Raises DataError where it is another's."""
    application, version = _number(db, "application_id"), _number(db, "user_version")
    kinds = dict(db.execute("SELECT name, type FROM sqlite_master").fetchall())
    if not kinds and version == 0 and application in (0, APPLICATION):
        return False
    columns = {name for (name,) in db.execute("SELECT name FROM pragma_table_info('events')")}
    has_tables = (kinds.get("events"), kinds.get("current")) == ("table", "view") and columns >= _COLUMNS
    if application not in (0, APPLICATION) or not has_tables:
        raise no_log(path, "another program's")
    if version != FORMAT:
        raise no_log(path, f"format {version}, but this noiseaudit reads {FORMAT}")
    return True


def _number(db: sqlite3.Connection, pragma: str) -> int:
    return int(db.execute(f"PRAGMA {pragma}").fetchone()[0])


class Transaction(AbstractContextManager[sqlite3.Connection]):
    """One that takes the right to write at its start, so that what it reads is still so when it writes; or, if it only
    `reads`, one that nobody waits for.

    Inside another of the same connection it is a part of that one.
    """

    def __init__(self, db: sqlite3.Connection, *, reads: bool = False) -> None:
        self._db, self._reads, self._is_part = db, reads, False

    def __enter__(self) -> sqlite3.Connection:
        self._is_part = self._db.in_transaction
        if not self._is_part:
            self._db.execute("BEGIN" if self._reads else "BEGIN IMMEDIATE")
        return self._db

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if self._is_part:
            return
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


def no_log(path: Path, why: str) -> DataError:
    """The DataError for a file that is not of a review."""
    return DataError(f"no database of decisions ({why})", file=path, fix="Name another with --db FILE.")

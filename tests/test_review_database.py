"""The file of a review's events: what is none, or another version's, is refused and left as it is."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from noiseaudit.errors import DataError, OutputError
from noiseaudit.review.database import APPLICATION
from noiseaudit.review.log import Answer, Log

RUN = "0123456789ab"


@pytest.mark.parametrize("content", [b"no database at all, but long enough to look like one" * 30, None])
def test_what_is_no_log_is_refused_and_left_alone(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "other.sqlite"
    if content is None:
        db = sqlite3.connect(path)
        db.execute("CREATE TABLE t (x)")
        db.close()
    else:
        path.write_bytes(content)
    with pytest.raises(DataError, match="no database of decisions"):
        Log(path, RUN)
    assert content is None or path.read_bytes() == content


@pytest.mark.parametrize(
    "script",
    [
        "CREATE TABLE t (x); PRAGMA user_version = 1",
        "CREATE TABLE events (x); CREATE TABLE current (x); PRAGMA user_version = 1",
        "PRAGMA application_id = 77",
        "PRAGMA journal_mode = WAL; CREATE TABLE t (x)",
    ],
)
def test_the_database_of_another_program_is_not_touched(tmp_path: Path, script: str) -> None:
    path = tmp_path / "other.sqlite"
    db = sqlite3.connect(path)
    db.executescript(script)
    db.close()
    before = path.read_bytes()
    with pytest.raises(DataError, match=r"no database of decisions .another program's"):
        Log(path, RUN)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["other.sqlite"]


@pytest.mark.parametrize("is_open", [False, True])
def test_a_database_of_the_first_version_is_taken(tmp_path: Path, is_open: bool) -> None:
    path = tmp_path / "decisions.sqlite"
    log = Log(path, RUN)
    log.decide("event-1", "ann", [Answer("s0", "keep")])
    log.close()
    db = sqlite3.connect(path, isolation_level=None)
    db.executescript("PRAGMA application_id = 0; DROP TABLE written")
    if not is_open:  # else what it says is in its write-ahead log
        db.close()
    log = Log(path, RUN)
    assert [d.sample_id for d in log.decisions()] == ["s0"]
    log.wrote("decisions.csv", "abc", 1)
    assert log._db.execute("PRAGMA application_id").fetchone() == (APPLICATION,)
    log.close()
    db.close()


def test_another_format_is_named(tmp_path: Path) -> None:
    path = tmp_path / "decisions.sqlite"
    Log(path, RUN).close()
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 9")
    db.close()
    with pytest.raises(DataError, match="format 9, but this noiseaudit reads 1"):
        Log(path, RUN)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="--db"):
        Log(tmp_path / "gone" / "decisions.sqlite", RUN)

"""Files in which people have answered: what would be lost if one were replaced, and how it is put aside."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from noiseaudit.aside import move_aside
from noiseaudit.decisions import Decision, read_decisions
from noiseaudit.errors import DataError
from noiseaudit.truth_file import read_records

COLUMNS = ("sample_id", "decision", "new_label")  # that noiseaudit wrote for answers
_HEADER = 1 << 16  # bytes that hold the header of a file of ours


def answers_in(path: Path) -> str:
    """`200 answers`, of a CSV or Parquet file of decisions; "" where there are none, or it is another file."""
    if path.suffix.lower() not in (".csv", ".parquet") or not path.is_file() or not _may_hold(path):
        return ""
    try:
        records = read_records(path, _decision_column)
    except _NoDecisions:
        return ""
    except DataError:
        return "answers that cannot be read"
    n = sum(bool((record.cells.get("decision") or "").strip()) for record in records)
    return f"{n:,} answer{'' if n == 1 else 's'}" if n else ""


def put_aside(path: Path, instead: Sequence[Decision]) -> str:
    """Move `path` aside if it holds answers that `instead` has not: a note on it, "" where it may be replaced.

    Raises OutputError if it cannot be moved.
    """
    found = answers_in(path)
    if not found or _all_among(path, instead):
        return ""
    return f"{path} held {found}; it is now {move_aside(path)}"


def _all_among(path: Path, instead: Sequence[Decision]) -> bool:
    try:
        return {made for made in read_decisions(path) if made.decision} <= {*instead}
    except DataError:
        return False


def _may_hold(path: Path) -> bool:
    """Whether the first lines name the columns: a label file of millions of rows is not read for them."""
    if path.suffix.lower() == ".parquet":
        return True
    try:
        with path.open("rb") as file:
            start = file.read(_HEADER)
    except OSError:
        return False
    return all(name.encode() in start for name in COLUMNS)


class _NoDecisions(Exception):
    """The file lacks a column of COLUMNS."""


def _decision_column(names: Sequence[str]) -> dict[str, str]:
    if not {*COLUMNS} <= {*names}:
        raise _NoDecisions
    return {"decision": "decision"}

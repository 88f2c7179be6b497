"""The decisions of a review as a file."""

from __future__ import annotations

from pathlib import Path

from noiseaudit.audit_file import open_audit
from noiseaudit.decisions import check_kind, run_id, write_decisions
from noiseaudit.errors import DataError
from noiseaudit.review.log import Log


def export_decisions(audit: Path, db: Path, out: Path) -> int:
    """Write the decisions about `audit` that `db` holds, each reviewer's in rows of their own; how many.

    `out` is a .csv or .parquet file. Raises DataError if there is no such database or audit, ConfigError for another
    kind of file, OutputError if it cannot be written.
    """
    check_kind(out)
    own = run_id(open_audit(audit))
    if not db.is_file():
        raise DataError(
            "no decisions were made yet", file=db, fix="Run `noiseaudit review` first, or give --db."
        )
    log = Log(db, own)
    try:
        return write_log(log, out)
    finally:
        log.close()


def write_log(log: Log, out: Path) -> int:
    """Write the decisions that hold now; how many."""
    decisions = log.decisions()
    write_decisions(out, decisions)
    return len(decisions)

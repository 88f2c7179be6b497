"""What the terminal says of decisions about an earlier audit, which a new scan in its place leaves."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from noiseaudit.review.carry import Carried

BY_NAME = "images are compared by name, not by content"  # an audit keeps no hash of each


def after_scan(out: Path) -> list[str]:
    """A line where the new run's folder has decisions about the run before it."""
    from sqlite3 import Error

    from noiseaudit.errors import NoiseAuditError
    from noiseaudit.outputs import DECISIONS_FILE
    from noiseaudit_cli.console import visible

    if not (out / DECISIONS_FILE).is_file():
        return []
    try:
        found = _found(out, out / DECISIONS_FILE)
    except (NoiseAuditError, Error):  # `review` says what is wrong with it; the scan is done
        return []
    command = visible(f"noiseaudit review {shlex.quote(str(out))} --carry-over")
    kept = f"{_answers(found.n)} about the audit before {'is' if found.n == 1 else 'are'} kept"
    return [f"{kept}; {command} takes over those that hold here."] if found.taken else []


def before_review(audit: Path, db: Path) -> str:
    """A line where the database has decisions about other audits that are none about this one; "" where it has not."""
    from noiseaudit_cli.console import visible

    found = _found(audit, db)
    if not found.n:
        return ""
    has = f"{visible(str(db))} has {_answers(found.n)} about an earlier audit"
    n = len(found.taken)
    if not n:
        return f"{has}; none holds here: {_left(found)}."
    holds = f"{n:,} of which {'holds' if n == 1 else 'hold'} here"
    return f"{has}, {holds}: --carry-over takes {'it' if n == 1 else 'them'} over ({BY_NAME})."


def taken_over(audit: Path, db: Path) -> str:
    """Do what --carry-over asks for; a line on what was done."""
    from noiseaudit.audit_file import open_audit
    from noiseaudit.review.carry import carry_over

    found = carry_over(open_audit(audit), db)
    if not found.n:
        return "No answer about an earlier audit is left to take over."
    left = f"; left: {_left(found)}" if found.left else ""
    by_name = f" ({BY_NAME})" if found.taken else ""
    return f"{_answers(len(found.taken))} about an earlier audit taken over{by_name}{left}."


def decisions(n: int, skipped: int = 0) -> str:
    """`28 decisions and 1 skip`: as `clean` counts, a row that was skipped is not decided about."""
    made = f"{n:,} decision{'' if n == 1 else 's'}"
    return f"{made} and {skipped:,} skip{'' if skipped == 1 else 's'}" if skipped else made


def _answers(n: int) -> str:
    """Decisions and skips."""
    return f"{n:,} answer{'' if n == 1 else 's'}"


def _found(audit: Path, db: Path) -> Carried:
    from noiseaudit.audit_file import open_audit
    from noiseaudit.review.carry import can_be_carried

    return can_be_carried(open_audit(audit), db)


def _left(found: Carried) -> str:
    return ", ".join(f"{n:,} {why}" for why, n in sorted(found.left.items()))

"""The decisions that a command was given, and what to do where there are none, or people contradict each other."""

from __future__ import annotations

import os.path
import shlex
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from noiseaudit.decided import Decided
    from noiseaudit.result import Audited


def read_judged(
    result: Audited,
    audit: Path,
    files: Sequence[Path],
    *,
    new_classes: Collection[str],
    may_be_none: bool,
) -> Decided:
    """What `files` say about the audit `result`, which the user named `audit`.

    `may_be_none`: there is something to do without a decision, too; that there is none is then said. Raises DataError
    as `read_decided` does, for the decisions of a review that was not held yet, and where nobody answered.
    """
    from noiseaudit.decided import read_decided
    from noiseaudit.errors import DataError
    from noiseaudit_cli.console import say

    for file in files:
        if not file.exists() and _is_of_review(file, audit):
            raise _not_reviewed(file, audit)
    found = read_decided(
        result,
        files,
        new_classes=new_classes,
        settle={file: _settle(file, audit) for file in files if file.with_suffix(".sqlite").is_file()},
    )
    if files and not found.rows and (found.skipped or may_be_none):
        say(_nothing_said(files, found.skipped))
    elif files and not found.rows:
        if _is_of_review(files[0], audit):
            raise _not_reviewed(files[0], audit)
        raise DataError(
            "has no answers yet",
            file=files[0],
            fix="Write keep, relabel, ambiguous or skip in its column decision, or judge on a page: "
            f"{review_command(audit)}",
        )
    return found


def _nothing_said(files: Sequence[Path], skipped: int) -> str:
    """A warning: who gave a policy besides may believe that people's word went before it."""
    from noiseaudit_cli.console import visible

    names = ", ".join(visible(str(file)) for file in files)
    has, it = ("has", "it changes") if len(files) == 1 else ("have", "they change")
    rows = f" ({skipped:,} {'row was' if skipped == 1 else 'rows were'} skipped)" if skipped else ""
    return f"warning: {names} {has} no decision{rows}: {it} nothing."


def review_command(audit: Path, *options: str) -> str:
    """What opens the page, in backquotes."""
    return f"`noiseaudit review {shlex.join([str(audit), *options])}`"


def _not_reviewed(file: Path, audit: Path) -> Exception:
    from noiseaudit.errors import DataError

    db = file.with_suffix(".sqlite")
    if db.is_file() and not file.exists():
        written = review_command(audit, "--export", str(file))
        return DataError("the decisions of the review are not in a file yet", file=file, fix=f"Run {written}")
    return DataError("nobody has reviewed yet", file=file, fix=f"Run {review_command(audit)}")


def _is_of_review(file: Path, audit: Path) -> bool:
    from noiseaudit.manifest import run_folder
    from noiseaudit.outputs import decisions_file

    return os.path.realpath(file) == os.path.realpath(decisions_file(run_folder(audit)))


def _settle(file: Path, audit: Path) -> str:
    db = [] if _is_of_review(file, audit) else ["--db", str(file.with_suffix(".sqlite"))]
    return f"Settle them with {review_command(audit, *db)}: Filters, Decisions: Reviewers disagree."

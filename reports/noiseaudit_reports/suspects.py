"""suspects.csv: every flagged row, most suspicious first, for people and spreadsheets."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from noiseaudit.atomic import write_text
from noiseaudit.decisions import run_id
from noiseaudit.result import AuditResult
from noiseaudit.spreadsheet import shielded
from noiseaudit.why import records
from noiseaudit_reports.view import ReportView

COLUMNS = (
    "rank",
    "row",
    "sample_id",
    "image",
    "given_label",
    "suggested_label",
    "p_mislabeled",
    "p_given",
    "p_suggested",
    "epsilon",
    "issue_kind",
    "why",
)
ANSWERS = ("decision", "new_label", "reviewer")  # empty: for whoever looks (noiseaudit.decisions)


def write_suspects_csv(audit: AuditResult, path: Path) -> None:
    """Write COLUMNS of all suspects in rank order, ANSWERS and run_id: UTF-8, an empty cell for null, RFC 4180.

    A text cell that a spreadsheet would run as a formula gets a leading apostrophe; numbers have six
    significant digits. Raises OutputError if `path` cannot be written.
    """
    flagged = audit.table.filter(pc.fill_null(audit.table.column("is_label_issue"), False))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([*COLUMNS, *ANSWERS, "run_id"])
    asked = [""] * len(ANSWERS) + [run_id(audit)]
    for record in records(flagged.sort_by("rank"), COLUMNS):
        writer.writerow([*(_cell(record[name]) for name in COLUMNS), *asked])
    write_text(path, text.getvalue())


def write_suspects(view: ReportView, path: Path) -> None:
    """`write_suspects_csv` of the view's audit: all suspects, not only those the view shows."""
    write_suspects_csv(view.audit, path)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    return shielded(str(value))

"""What people decided about rows of an audit: one schema, CSV or Parquet, for every command that asks or reads."""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from noiseaudit.atomic import atomic_path, write_text
from noiseaudit.errors import ConfigError, DataError
from noiseaudit.labels.delimited import csv_line
from noiseaudit.result import Audited
from noiseaudit.spreadsheet import bare, shielded
from noiseaudit.truth_file import Record, read_records

KINDS = ("keep", "relabel", "ambiguous", "skip")
SCHEMA = pa.schema(
    [
        pa.field("sample_id", pa.string(), nullable=False),
        pa.field("decision", pa.string()),  # one of KINDS; null: not answered yet
        pa.field("new_label", pa.string()),  # where it is relabel
        pa.field("reviewer", pa.string()),
        pa.field("decided_at", pa.string()),  # ISO 8601
        pa.field("run_id", pa.string()),  # of the audit that asked
        pa.field("sampling_weight", pa.float64()),  # as `draw_sample` has it; null: it was not drawn
    ]
)
NEEDED = ("sample_id", "decision")


@dataclass(frozen=True)
class Decision:
    """One row of a decisions file."""

    sample_id: str
    decision: str | None = None
    new_label: str | None = None
    reviewer: str | None = None
    decided_at: str | None = None
    run_id: str | None = None
    sampling_weight: float | None = None


def run_id(audit: Audited) -> str:
    """Names an audit by what it depended on: the same for the same data, settings and seed.

    It begins with a letter, as a spreadsheet takes digits with or without an e among them for a number, and rounds it.
    """
    return "r" + hashlib.sha256(audit.meta.to_json().encode()).hexdigest()[:11]


def write_decisions(
    path: Path, decisions: Sequence[Decision], shown: dict[str, Sequence[str | None]] | None = None
) -> None:
    """Write a .csv or .parquet file; `shown` are further columns for the person who answers.

    What a spreadsheet would run is behind an apostrophe in CSV, which `read_decisions` takes off.

    Raises ConfigError for another kind of file, OutputError if it cannot be written.
    """
    rows = [vars(decision) for decision in decisions]
    columns: dict[str, Sequence[Any]] = {name: [row[name] for row in rows] for name in SCHEMA.names}
    columns |= shown or {}
    if path.suffix.lower() == ".parquet":
        extra = [pa.field(name, pa.string()) for name in shown or ()]
        table = pa.table(columns, schema=pa.schema([*SCHEMA, *extra]))
        with atomic_path(path) as temporary:
            pq.write_table(table, temporary)
        return
    check_kind(path)
    cells = (
        [shielded(cell) if isinstance(cell, str) else cell for cell in column] for column in columns.values()
    )
    lines = [list(columns), *zip(*cells, strict=True)]
    write_text(path, "".join(map(csv_line, lines)))  # csv.writer leaves a lone carriage return bare


def check_kind(path: Path) -> None:
    """Raise ConfigError unless decisions can be kept in such a file."""
    if path.suffix.lower() not in (".csv", ".parquet"):
        raise ConfigError(f"{path.name}: decisions are kept as CSV or Parquet", fix="Use .csv or .parquet.")


def read_decisions(path: Path) -> list[Decision]:
    """The rows of a decisions file; columns beyond the schema are left alone.

    Raises DataError naming the place if the file is not readable, lacks a column, or holds a decision that there is
    not, relabels without a label or to none, or names a sample twice by the same reviewer.
    """

    seen: dict[tuple[str, str | None], Record] = {}
    for record in _bare_records(path):
        name = record.cells.get("sample_id")
        if name is None:
            raise record.error("empty", path=path, role="sample_id", fix="Name the sample or remove the row.")
        key = name, record.cells.get("reviewer")
        if key in seen:
            raise record.error(f"{name!r} stands twice", path=path, role="sample_id", fix="Keep one row.")
        seen[key] = record
    return [_decision(record, path) for record in seen.values()]


def error_about(decision: Decision, path: Path, problem: str, *, role: str, fix: str) -> DataError:
    """The DataError about a decision that was read from `path`, which is read again for its line."""
    key = decision.sample_id, decision.reviewer
    records = (r for r in _bare_records(path) if (r.cells.get("sample_id"), r.cells.get("reviewer")) == key)
    return next(records).error(problem, path=path, role=role, fix=fix)


def _bare_records(path: Path) -> Iterator[Record]:
    """The rows, of CSV and TSV without apostrophes that are for spreadsheets."""

    def choose(names: Sequence[str]) -> dict[str, str]:
        missing = [name for name in NEEDED if name not in names]
        if missing:
            raise DataError(
                f"has no column {' or '.join(missing)}",
                file=path,
                fix=f"Decisions have the columns {', '.join(SCHEMA.names)}.",
            )
        return {name: name for name in SCHEMA.names if name in names}

    is_sheet = path.suffix.lower() in (".csv", ".tsv")
    for record in read_records(path, choose):
        cells = {role: cell and bare(cell) for role, cell in record.cells.items()}
        yield dataclasses.replace(record, cells=cells) if is_sheet else record


def _decision(record: Record, path: Path) -> Decision:
    cells = {name: record.cells.get(name) for name in SCHEMA.names}
    cells["new_label"] = cells["new_label"] or None  # blanks may be a class
    kind = (cells["decision"] or "").strip().lower() or None
    if kind is not None and kind not in KINDS:
        raise record.error(
            f"no such decision {cells['decision']!r}",
            path=path,
            role="decision",
            fix=f"Write {', '.join(KINDS)}, or nothing.",
        )
    if kind is None and cells["new_label"] is not None:
        raise record.error(
            f"a new_label, {cells['new_label']!r}, without a decision",
            path=path,
            role="decision",
            fix="Write relabel, or clear the new_label.",
        )
    if kind == "relabel" and cells["new_label"] is None:
        raise record.error(
            "relabel without a new_label",
            path=path,
            role="decision",
            fix="Write the right label; where none fits, ambiguous.",
        )
    weight = _weight(record, cells["sampling_weight"], path)
    texts = {name: cells[name] for name in ("new_label", "reviewer", "decided_at", "run_id")}
    return Decision(str(cells["sample_id"]), kind, **texts, sampling_weight=weight)


def _weight(record: Record, text: str | None, path: Path) -> float | None:
    if text is None:
        return None
    try:
        weight = float(text)
    except ValueError:
        weight = math.nan
    if not 1 <= weight < math.inf:
        raise record.error(
            f"{text!r} is no weight",
            path=path,
            role="sampling_weight",
            fix="Leave it as `noiseaudit sample` wrote it, 1 or more.",
        )
    return weight

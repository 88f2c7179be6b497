"""Truth: which labels of an audit are known to be corrupted, from a file or from the audit itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from noiseaudit.errors import DataError
from noiseaudit.labels.columns import FIND_ALL, ColumnNames
from noiseaudit.labels.table import Strings
from noiseaudit.labels.values import BOOLEANS
from noiseaudit.result import AuditResult
from noiseaudit.truth_columns import KEYS, resolve_truth_columns
from noiseaudit.truth_file import Record, read_records


@dataclass(frozen=True)
class Truth:
    """What is known about the rows of an audit; all arrays are (n,), in the audit's order."""

    is_known: npt.NDArray[np.bool_]  # True where it is known whether the given label is corrupted
    is_corrupted: npt.NDArray[np.bool_]  # False where not known
    true_label: Strings | None  # None in a cell: not known; no array: only is_corrupted was given


def truth_from_audit(audit: AuditResult) -> Truth:
    """Truth from the audit's own `true_label` column. Raises DataError if that column is empty."""
    true_label = audit.column("true_label")
    if all(label is None for label in true_label):
        raise DataError(
            "the audit holds no true labels", column="true_label", fix="Give a file with --truth."
        )
    return _truth(audit.column("given_label"), true_label, {})


def read_truth(path: Path, audit: AuditResult, *, scanned: ColumnNames = FIND_ALL) -> Truth:
    """Read truth from CSV, TSV, JSONL or Parquet and join it to the audit on `sample_id`, else on `image`.

    The file has `true_label`, or `is_corrupted` (true/false, yes/no, 1/0), or both, under these or the usual
    names of label files; `scanned` names the id and image columns of the label file, which may stand here too.
    Rows with an empty cell, and rows of the audit that the file does not name, have no truth. Raises DataError
    if the file is not readable, lacks a column, names a row twice, contradicts itself or shares no row with the
    audit.
    """
    records = read_records(path, lambda names: resolve_truth_columns(names, scanned, file=path))
    if not records:
        raise DataError("holds no rows", file=path, fix="Give one row per label whose truth is known.")
    key = _key(records, audit)
    by_id = _by_id(records, key, path)
    joined = [by_id.get(sample) for sample in audit.column(key)]
    if not any(joined):
        expected = key if audit.column(key)[0] is not None else "sample_id"
        raise DataError(
            f"shares no {key} with the audit",
            file=path,
            column=records[0].columns[key],
            fix=f"Use the {expected} of audit.parquet, such as {audit.column(expected)[0]!r}.",
        )
    return _joined_truth(audit.column("given_label"), joined, path)


def _key(records: Sequence[Record], audit: AuditResult) -> str:
    """The column of the audit to join on: the first that the file has and shares a cell with, else that it has."""
    keys = [key for key in KEYS if key in records[0].columns]
    for key in keys:
        if {record.cells.get(key) for record in records} & set(audit.column(key)) - {None}:
            return key
    return keys[0]


def _joined_truth(given: Strings, joined: list[Record | None], path: Path) -> Truth:
    cells = [record.cells if record else {} for record in joined]
    true_label = np.array([cell.get("true_label") for cell in cells], dtype=object)
    claims = {}
    for i, record in enumerate(joined):
        claim = _claim(record, path) if record else None
        if claim is None or record is None or given[i] is None:
            continue
        if true_label[i] is not None and claim != (true_label[i] != given[i]):
            raise record.error(
                f"is_corrupted is {str(claim).lower()}, but the true label is {true_label[i]!r} and the "
                f"audit's given label is {given[i]!r}",
                path=path,
                fix="Mend one of them, or leave the column is_corrupted out.",
            )
        claims[i] = claim
    return _truth(given, true_label, claims)


def _truth(given: Strings, true_label: Strings, claims: Mapping[int, bool]) -> Truth:
    is_known = np.array([g is not None and t is not None for g, t in zip(given, true_label, strict=True)])
    is_corrupted = is_known & (given != true_label)
    for i, claim in claims.items():
        is_known[i], is_corrupted[i] = True, claim
    any_label = any(label is not None for label in true_label)
    return Truth(is_known, is_corrupted.astype(np.bool_), true_label if any_label else None)


def _claim(record: Record, path: Path) -> bool | None:
    text = record.cells.get("is_corrupted")
    if text is None:
        return None
    claim = BOOLEANS.get(text.strip().lower())
    if claim is None:
        raise record.error(
            f"cannot read {text!r}",
            path=path,
            role="is_corrupted",
            fix="Write true or false, yes or no, 1 or 0.",
        )
    return claim


def _by_id(records: Sequence[Record], key: str, path: Path) -> dict[str, Record]:
    by_id: dict[str, Record] = {}
    for record in records:
        name = record.cells.get(key)
        if name is None:
            raise record.error("empty", path=path, role=key, fix="Name the row or remove it.")
        if name in by_id:
            raise record.error(f"{name!r} stands twice", path=path, role=key, fix="Remove one.")
        by_id[name] = record
    return by_id

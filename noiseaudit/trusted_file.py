"""A file that names the samples whose labels are trusted."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from noiseaudit.errors import DataError
from noiseaudit.labels.columns import USUAL_NAMES, find_usual, listed
from noiseaudit.labels.table import FORMATS, LabelTable, Strings
from noiseaudit.labels.values import BOOLEANS
from noiseaudit.truth_file import Record, read_records

Bools = npt.NDArray[np.bool_]
FLAG = "trusted"  # role and usual name of a column of true and false
BOOLEANS_ONLY = "Write true or false, yes or no, 1 or 0 in every row."


def marks_in_file(path: Path, table: LabelTable) -> Bools:
    """Which rows of `table` the file trusts, (n,).

    It is text with one sample id or image path a line; or CSV, TSV, JSONL or Parquet with a column of these, and
    perhaps one named `trusted` that says true or false of each: without it, every row that is named is trusted.

    Raises DataError naming the place if the file is not readable, or names a row that is absent, ambiguous or
    named before, or trusts one that is unlabelled.
    """
    records = _records(path, table)
    if not records:
        raise DataError("holds no rows", file=path, fix="Name the samples whose labels are trusted.")
    key, row_of = _join(records, table)
    marks, named = np.zeros(len(table), np.bool_), np.zeros(len(table), np.bool_)
    for record in records:
        row = _row(record, key, row_of, path)
        if named[row]:
            raise _error(record, key, f"{record.cells[key]!r} stands twice", path, "Remove one.")
        named[row], marks[row] = True, _is_trusted(record, path)
        if marks[row] and not table.is_labelled[row]:
            problem = f"{record.cells[key]!r} is unlabelled (row {row} of the label file)"
            raise _error(record, key, problem, path, "Trust labelled rows only.")
    return marks


def _is_trusted(record: Record, path: Path) -> bool:
    if FLAG not in record.columns:
        return True
    text = (record.cells.get(FLAG) or "").strip().lower()
    if text not in BOOLEANS:
        raise _error(record, FLAG, f"cannot read {record.cells.get(FLAG) or ''!r}", path, BOOLEANS_ONLY)
    return BOOLEANS[text]


def _error(record: Record, role: str, problem: str, path: Path, fix: str) -> DataError:
    """Of a record's cell; a list of names has no columns."""
    return record.error(problem, path=path, role=role if record.columns[role] else None, fix=fix)


def _row(record: Record, key: str, row_of: Mapping[str, list[int]], path: Path) -> int:
    name = record.cells.get(key)
    if name is None:
        raise _error(record, key, "empty", path, "Name the row or remove it.")
    rows = row_of.get(name, [])
    if not rows:
        fix = f"Use its {key.replace('_', ' ')}s, such as {next(iter(row_of))!r}."
        raise _error(record, key, f"{name!r} is not in the label file", path, fix)
    if len(rows) > 1:
        raise _error(
            record, key, f"{name!r} is the image of {len(rows)} rows", path, "Name sample ids instead."
        )
    return rows[0]


def _join(records: Sequence[Record], table: LabelTable) -> tuple[str, dict[str, list[int]]]:
    """The key, of those that the records have, under which they are found, and the rows of each of its values."""
    columns = {"sample_id": table.sample_id, "image": table.image}
    found = {
        key: _rows_by_name(cells)
        for key, cells in columns.items()
        if cells is not None and key in records[0].columns
    }
    for key, row_of in found.items():
        if any(record.cells.get(key) in row_of for record in records):
            return key, row_of
    return next(iter(found.items()))


def _rows_by_name(cells: Strings) -> dict[str, list[int]]:
    row_of: dict[str, list[int]] = {}
    for row, name in enumerate(cells):
        if name is not None:
            row_of.setdefault(name, []).append(row)
    return row_of


def _records(path: Path, table: LabelTable) -> list[Record]:
    if path.suffix.lower() in FORMATS:
        return read_records(path, lambda names: _key_columns(names, table, path))
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError("not UTF-8 text", file=path, fix="Save it as UTF-8.") from error
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", file=path, fix="Check --trusted.") from error
    keys = {"sample_id": "", "image": ""}
    return [
        Record(dict.fromkeys(keys, name.rstrip()), keys, line=line)
        for line, name in enumerate(io.StringIO(text, newline=None), start=1)
        if name.strip()
    ]


def _key_columns(names: Sequence[str], table: LabelTable, path: Path) -> dict[str, str]:
    """The columns of the file that name samples; the label file's own names go before the usual ones."""
    own = {"sample_id": table.source and table.source.id_column}
    usual = {"sample_id": USUAL_NAMES["id"]}
    if table.image is not None:
        own["image"], usual["image"] = table.source and table.source.image_column, USUAL_NAMES["image"]
    wanted = {key: [name for name in (own[key], *usual[key]) if name] for key in usual}
    found = {key: name for key in wanted if (name := find_usual(wanted[key], names)) is not None}
    if not found:
        looked = ", ".join(dict.fromkeys(name for names in wanted.values() for name in names))
        raise DataError(f"no column names the rows (looked for {looked})", file=path, fix=listed(names))
    flag = find_usual([FLAG], [name for name in names if name not in found.values()])
    return found if flag is None else found | {FLAG: flag}

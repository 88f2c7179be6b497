"""Trusted labels: known to be right, for the methods that learn from a few of them."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from noiseaudit.errors import DataError
from noiseaudit.labels.columns import USUAL_NAMES, find_usual, listed, nearest
from noiseaudit.labels.read import Reader, open_source
from noiseaudit.labels.table import FORMATS, LabelTable, Strings
from noiseaudit.labels.values import BOOLEANS, cell_to_text
from noiseaudit.truth_file import Record, read_records

Bools = npt.NDArray[np.bool_]
_ALLOWED = "Write true or false, yes or no, 1 or 0 in every row."
_SHOWN_CLASSES = 5


def with_trusted(
    table: LabelTable, trusted: str | Path | npt.ArrayLike, frame: Reader | None = None
) -> LabelTable:
    """`table` with the rows marked whose labels are trusted.

    `trusted` is a file of sample ids or image paths (text with one a line; or CSV, TSV, JSONL or Parquet with
    such a column), else the name of a column of the label file (or of `frame`) that holds true/false, yes/no or
    1/0 in every row, or an array (n,) of bool.

    Raises DataError, naming the place, if it is none of these, names a row that is absent or unlabelled, or
    leaves a class without a trusted label or no label untrusted.
    """
    if isinstance(trusted, str | Path):
        path = Path(trusted)
        marks = _from_file(path, table) if os.path.isfile(path) else _from_column(str(trusted), table, frame)
    else:
        marks = _from_array(np.asarray(trusted), table)
    marked = dataclasses.replace(table, trusted=marks)
    check_trusted(marked, np.ones(len(table), np.bool_))
    return marked


def check_trusted(table: LabelTable, usable: Bools) -> None:
    """Raise DataError unless, of the `usable` rows (n,), each class has a trusted label and one label is not."""
    assert table.trusted is not None
    file = table.source.path if table.source else None
    labelled = usable & table.is_labelled
    trusted = np.bincount(table.codes[labelled & table.trusted], minlength=len(table.classes))
    counts = np.bincount(table.codes[labelled], minlength=len(table.classes))
    lacking = [table.classes[code] for code in np.flatnonzero((counts > 0) & (trusted == 0))]
    if lacking:
        shown = ", ".join(map(repr, lacking[:_SHOWN_CLASSES]))
        more = f" and {len(lacking) - _SHOWN_CLASSES} more" if len(lacking) > _SHOWN_CLASSES else ""
        raise DataError(
            f"--trusted: {len(lacking)} of {int((counts > 0).sum())} classes have no trusted label: {shown}{more}",
            file=file,
            fix="Trust one readable label of each class at least; several are better.",
        )
    if trusted.sum() == counts.sum():
        raise DataError(
            "--trusted: every label is trusted, so none is left to doubt",
            file=file,
            fix="Name only the labels that were verified.",
        )


def _from_array(marks: npt.NDArray[Any], table: LabelTable) -> Bools:
    if marks.dtype != np.bool_ or marks.shape != (len(table),):
        raise DataError(
            f"trusted is an array of {marks.dtype.name} with shape {marks.shape}",
            fix=f"Give a bool for each of the {len(table)} rows.",
        )
    if (wrong := np.flatnonzero(marks & ~table.is_labelled)).size:
        raise DataError("trusted, but unlabelled", row=int(wrong[0]), fix="Trust labelled rows only.")
    return marks.astype(np.bool_)


def _from_column(name: str, table: LabelTable, frame: Reader | None) -> Bools:
    source = table.source
    file = source.path if source else Path("DataFrame" if frame else "the labels in memory")
    reader = open_source(source) if source and source.format != "folder" else frame
    if reader is None or name not in reader.names:
        near = nearest([name], reader.names) if reader else None
        hint = f"Did you mean {near!r}? " if near else ""
        columns = listed(reader.names) if reader else "Give a file of sample ids or image paths."
        raise DataError(f"--trusted {name!r}: no such file, and no column of {file}", fix=hint + columns)
    marks = np.zeros(len(table), np.bool_)
    for row, cell in enumerate(reader.columns([name])[name]):
        text = (cell_to_text(cell) or "").strip().lower()
        if text not in BOOLEANS:
            raise DataError(f"--trusted: cannot read {cell!r}", file=file, row=row, column=name, fix=_ALLOWED)
        marks[row] = BOOLEANS[text]
        if marks[row] and not table.is_labelled[row]:
            raise DataError(
                "trusted, but unlabelled", file=file, row=row, column=name, fix="Trust labelled rows only."
            )
    return marks


def _from_file(path: Path, table: LabelTable) -> Bools:
    records = _records(path, table)
    if not records:
        raise DataError("holds no rows", file=path, fix="Name the samples whose labels are trusted.")
    key, row_of = _join(records, table)
    marks = np.zeros(len(table), np.bool_)
    for record in records:
        row = _row(record, key, row_of, path)
        if marks[row]:
            raise record.error(f"{record.cells[key]!r} stands twice", path=path, role=key, fix="Remove one.")
        if not table.is_labelled[row]:
            raise record.error(
                f"{record.cells[key]!r} is unlabelled (row {row} of the label file)",
                path=path,
                role=key,
                fix="Trust labelled rows only.",
            )
        marks[row] = True
    return marks


def _row(record: Record, key: str, row_of: Mapping[str, list[int]], path: Path) -> int:
    name = record.cells.get(key)
    if name is None:
        raise record.error("empty", path=path, role=key, fix="Name the row or remove it.")
    rows = row_of.get(name, [])
    if not rows:
        raise record.error(
            f"{name!r} is not in the label file",
            path=path,
            role=key,
            fix=f"Use its {key.replace('_', ' ')}s, such as {next(iter(row_of))!r}.",
        )
    if len(rows) > 1:
        raise record.error(
            f"{name!r} is the image of {len(rows)} rows", path=path, role=key, fix="Name sample ids instead."
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
        lines = path.read_bytes().decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise DataError("not UTF-8 text", file=path, fix="Save it as UTF-8.") from error
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", file=path, fix="Check --trusted.") from error
    keys = {"sample_id": "", "image": ""}
    return [
        Record(dict.fromkeys(keys, name), keys, line=line)
        for line, name in enumerate(lines, start=1)
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
    return found

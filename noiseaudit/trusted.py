"""Trusted labels: known to be right, for the methods that learn from a few of them."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from noiseaudit.errors import DataError
from noiseaudit.labels.columns import listed, nearest
from noiseaudit.labels.read import open_source
from noiseaudit.labels.roles import Reader
from noiseaudit.labels.table import LabelTable
from noiseaudit.labels.values import BOOLEANS, cell_to_text
from noiseaudit.trusted_file import BOOLEANS_ONLY, Bools, marks_in_file

_SHOWN_CLASSES = 5


def with_trusted(
    table: LabelTable, trusted: str | Path | npt.ArrayLike, frame: Reader | None = None
) -> LabelTable:
    """`table` with the rows marked whose labels are trusted.

    `trusted` is a file of sample ids or image paths (noiseaudit.trusted_file), else the name of a column of the
    label file (or of `frame`) that holds true/false, yes/no or 1/0 in every row, or an array (n,) of bool.

    Raises DataError, naming the place, if it is none of these, names a row that is absent or unlabelled, or
    leaves a class without a trusted label or no label untrusted.
    """
    if isinstance(trusted, str | Path):
        path = Path(trusted)
        marks = (
            marks_in_file(path, table) if os.path.isfile(path) else _from_column(str(trusted), table, frame)
        )
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
            raise DataError(
                f"--trusted: cannot read {cell!r}", file=file, row=row, column=name, fix=BOOLEANS_ONLY
            )
        marks[row] = BOOLEANS[text]
        if marks[row] and not table.is_labelled[row]:
            raise DataError(
                "trusted, but unlabelled", file=file, row=row, column=name, fix="Trust labelled rows only."
            )
    return marks

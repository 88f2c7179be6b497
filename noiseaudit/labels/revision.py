"""What is to change in a label file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from noiseaudit.errors import DataError

Cell = str | bool | float | None
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Changes:
    """What is to change in n rows that follow one another, for files that are gone through piece by piece."""

    relabelled: Bools  # (n,) rows that get a new label
    labels: pa.Array  # (n,) text, null = blank; counts where relabelled
    dropped: Bools  # (n,) rows to leave out
    extra: Mapping[str, pa.Array]  # appended column -> (n,) text, booleans or float64; null = empty


def nothing(n: int, added: Mapping[str, Any]) -> Changes:
    """No change in n rows; the columns that are `added`, with their types, are empty."""
    no = np.zeros(n, np.bool_)
    return Changes(
        no, pa.nulls(n, pa.string()), no, {name: pa.nulls(n, kind) for name, kind in added.items()}
    )


# The cells of the next n rows of a label file by role (label, image, id), text or null, (n,); and n -> their changes.
Revise = Callable[[Mapping[str, pa.Array], int], Changes]


class NotPlain(Exception):
    """A label file cannot be gone through in bulk; the careful way, row by row, knows it or says what is wrong."""


@dataclass(frozen=True)
class Revision:
    """Rows count from 0 in the input file."""

    labels: Mapping[int, str | None]  # row -> new label, None = blank
    drop: AbstractSet[int]  # rows to leave out
    extra: Mapping[str, Sequence[Cell]]  # appended column -> one cell per input row

    def touches(self, row: int) -> bool:
        return bool(self.extra) or row in self.labels

    def cells(self, row: int) -> list[Cell]:
        """The appended cells of one row, in column order; `check` tells whether any were missing."""
        return [cells[row] if row < len(cells) else None for cells in self.extra.values()]

    def check(self, names: Sequence[str], n_rows: int, file: Path) -> None:
        """Raise DataError if an appended column exists already, or the rows are not those of the file."""
        check_added(self.extra, names, file)
        rows = [*self.labels, *self.drop]
        if (rows and max(rows) >= n_rows) or any(len(cells) != n_rows for cells in self.extra.values()):
            raise DataError(f"has {n_rows} rows, not those to be edited", file=file, fix="Was it changed?")


def check_added(added: Iterable[str], names: Sequence[str], file: Path) -> None:
    """Raise DataError if one of the columns to be appended is there already."""
    for name in added:
        if name in names:
            raise DataError(
                "the column to append is there already",
                file=file,
                column=name,
                fix="Rename or remove it first.",
            )


def cell_text(cell: Cell) -> str:
    """A cell as CSV spells it: `true`, `false`, the shortest exact number, empty for None."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return cell if isinstance(cell, str) else repr(float(cell))

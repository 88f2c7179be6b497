"""What is to change in a label file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

from noiseaudit.errors import DataError

Cell = str | bool | float | None


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
        for name in self.extra:
            if name in names:
                raise DataError(
                    "the column to append is there already",
                    file=file,
                    column=name,
                    fix="Rename or remove it first.",
                )
        rows = [*self.labels, *self.drop]
        if (rows and max(rows) >= n_rows) or any(len(cells) != n_rows for cells in self.extra.values()):
            raise DataError(f"has {n_rows} rows, not those to be edited", file=file, fix="Was it changed?")


def cell_text(cell: Cell) -> str:
    """A cell as CSV spells it: `true`, `false`, the shortest exact number, empty for None."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return cell if isinstance(cell, str) else repr(float(cell))

"""The rows of a truth file, each with its place for error messages."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from noiseaudit.errors import DataError
from noiseaudit.labels.delimited import checked_records
from noiseaudit.labels.separator import find_separator
from noiseaudit.labels.table import FORMATS
from noiseaudit.labels.text import TextFile
from noiseaudit.labels.values import cell_to_text

Columns = Mapping[str, str]  # role -> column of the file
Choose = Callable[[Sequence[str]], Columns]  # of all columns of the file, those to read
_ONE_OBJECT = "Write one object a line."


@dataclass(frozen=True)
class Record:
    """One row of a truth file and where it stands: its line in a text file, its row in Parquet."""

    cells: Mapping[str, str | None]  # by role
    columns: Columns
    line: int | None = None
    row: int | None = None

    def error(self, problem: str, *, path: Path, fix: str, role: str | None = None) -> DataError:
        """The DataError about this row, which calls the column of `role` by its name in the file."""
        column = None if role is None else self.columns[role]
        return DataError(problem, file=path, line=self.line, row=self.row, column=column, fix=fix)


def read_records(path: Path, choose: Choose) -> list[Record]:
    """The rows of a CSV, TSV, JSONL or Parquet file in the columns that `choose` picks from their names.

    Raises DataError if the file is not readable or malformed, or a cell to be read is not one value.
    """
    readers = {"csv": _read_csv, "tsv": _read_csv, "jsonl": _read_jsonl, "parquet": _read_parquet}
    kind = FORMATS.get(path.suffix.lower())
    if kind is None:
        raise DataError("unknown kind of file", file=path, fix="Use .csv, .tsv, .jsonl or .parquet.")
    try:
        return readers[kind](path, choose)
    except UnicodeDecodeError as error:
        raise DataError("not UTF-8 text", file=path, fix="Save it as UTF-8.") from error
    except OSError as error:
        raise DataError(
            f"cannot be read ({error.strerror or error})", file=path, fix="Check the path."
        ) from error


def _text(path: Path) -> str:
    text = path.read_bytes().decode("utf-8-sig")
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise DataError("NUL characters in the text", file=path, line=line, fix="Save it as UTF-8.")
    return text


def _read_csv(path: Path, choose: Choose) -> list[Record]:
    text = _text(path)
    separator = find_separator(text, FORMATS[path.suffix.lower()], {"is_corrupted"})
    records = checked_records(TextFile(path, text, "utf-8"), separator)
    _, _, names = next(records)
    columns = choose(names)
    places = {role: names.index(column) for role, column in columns.items()}
    return [
        Record({role: fields[place] or None for role, place in places.items()}, columns, line=line)
        for line, _, fields in records
        if fields
    ]


def _read_jsonl(path: Path, choose: Choose) -> list[Record]:
    rows = {}
    for line, text in enumerate(_text(path).split("\n"), start=1):
        if not text.strip():
            continue
        try:
            rows[line] = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise DataError("not JSON", file=path, line=line, fix=_ONE_OBJECT) from error
        if not isinstance(rows[line], dict):
            raise DataError("not a JSON object", file=path, line=line, fix=_ONE_OBJECT)
    if not rows:
        return []
    columns = choose(list(dict.fromkeys(name for cells in rows.values() for name in cells)))
    return [_record(cells, columns, path, line=line) for line, cells in rows.items()]


def _read_parquet(path: Path, choose: Choose) -> list[Record]:
    from noiseaudit.parquet import open_parquet

    with open_parquet(path, fix="Check the path.") as file:
        columns = choose(file.schema_arrow.names)
        rows = file.read(columns=list(dict.fromkeys(columns.values()))).to_pylist()
    return [_record(cells, columns, path, row=row) for row, cells in enumerate(rows)]


def _record(
    values: Mapping[str, object],
    columns: Columns,
    path: Path,
    *,
    line: int | None = None,
    row: int | None = None,
) -> Record:
    """Typed cells as the label files' reader takes them: empty text is no truth, whole floats are integers."""
    known = {role: values[column] for role, column in columns.items() if column in values}
    for role, cell in known.items():
        if (why := _not_one_value(cell)) is not None:
            raise DataError(
                f"holds {str(cell)[:60]!r}, {why}",
                file=path,
                line=line,
                row=row,
                column=columns[role],
                fix="Give one label a row.",
            )
    return Record({role: cell_to_text(cell) for role, cell in known.items()}, columns, line, row)


def _not_one_value(cell: object) -> str | None:
    if isinstance(cell, list | dict | bytes):
        return "where one value is needed"
    return "which is no label" if isinstance(cell, float) and math.isinf(cell) else None

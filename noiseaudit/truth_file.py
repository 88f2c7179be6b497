"""The rows of a truth file, each with its place for error messages."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from noiseaudit.errors import DataError
from noiseaudit.labels.delimited import long_cells
from noiseaudit.labels.values import cell_to_text

_COLUMNS = ("sample_id", "image", "true_label", "is_corrupted")


@dataclass(frozen=True)
class Record:
    """One row of a truth file and where it stands: its line in a text file, its row in Parquet."""

    cells: Mapping[str, str | None]
    line: int | None = None
    row: int | None = None

    def error(self, problem: str, *, path: Path, fix: str, column: str | None = None) -> DataError:
        return DataError(problem, file=path, line=self.line, row=self.row, column=column, fix=fix)


def read_records(path: Path) -> Iterator[Record]:
    readers = {
        ".csv": _read_csv,
        ".tsv": _read_csv,
        ".jsonl": _read_jsonl,
        ".ndjson": _read_jsonl,
        ".parquet": _read_parquet,
    }
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise DataError("unknown kind of file", file=path, fix="Use .csv, .tsv, .jsonl or .parquet.")
    try:
        yield from reader(path)
    except UnicodeDecodeError as error:
        raise DataError("not UTF-8 text", file=path, fix="Save it as UTF-8.") from error
    except OSError as error:
        raise DataError(
            f"cannot be read ({error.strerror or error})", file=path, fix="Check --truth."
        ) from error


def _read_csv(path: Path) -> Iterator[Record]:
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.reader(stream, delimiter=delimiter, strict=True)
        records = long_cells(reader)
        try:
            header = next(records, [])
            line = reader.line_num + 1
            for fields in records:
                if fields:
                    yield Record(_csv_cells(header, fields, line, path), line=line)
                line = reader.line_num + 1
        except csv.Error as error:
            raise DataError(f"malformed ({error})", file=path, line=reader.line_num) from error


def _csv_cells(header: list[str], fields: list[str], line: int, path: Path) -> dict[str, str | None]:
    if len(fields) != len(header):
        raise DataError(f"{len(fields)} fields where the header has {len(header)}", file=path, line=line)
    return {name: cell or None for name, cell in zip(header, fields, strict=True)}


def _read_jsonl(path: Path) -> Iterator[Record]:
    with path.open(encoding="utf-8-sig") as stream:
        for line, text in enumerate(stream, start=1):
            if not text.strip():
                continue
            try:
                cells = json.loads(text)
            except ValueError as error:
                raise DataError("not JSON", file=path, line=line, fix="Write one object a line.") from error
            if not isinstance(cells, dict):
                raise DataError("not a JSON object", file=path, line=line, fix="Write one object a line.")
            yield _record(cells, path, line=line)


def _read_parquet(path: Path) -> Iterator[Record]:
    from noiseaudit.parquet import open_parquet

    with open_parquet(path, fix="Check --truth.") as file:
        table = file.read()
    known = [name for name in _COLUMNS if name in table.column_names]
    for row, cells in enumerate(table.select(known).to_pylist()):
        yield _record(cells, path, row=row)


def _record(
    cells: Mapping[str, object], path: Path, *, line: int | None = None, row: int | None = None
) -> Record:
    """Typed cells as the label files' reader takes them: empty text is no truth, whole floats are integers."""
    known = {name: cells[name] for name in _COLUMNS if name in cells}
    for name, cell in known.items():
        if isinstance(cell, list | dict | bytes):
            raise DataError(
                f"holds {str(cell)[:60]!r}, where one value is needed",
                file=path,
                line=line,
                row=row,
                column=name,
                fix="Give one label a row.",
            )
    return Record({name: cell_to_text(cell) for name, cell in known.items()}, line, row)

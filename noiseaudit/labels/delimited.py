"""CSV and TSV: read as text; edited record by record so that nothing else changes."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from noiseaudit.errors import DataError
from noiseaudit.labels.revision import Cell, Revision, cell_text
from noiseaudit.labels.separator import find_separator, header_start, long_cells
from noiseaudit.labels.text import TextFile, read_text

Record = tuple[int, str, list[str]]  # first line (from 1), raw text with its line end, fields
_NEEDS_QUOTES = re.compile(r'["\r\n]')


class DelimitedReader:
    """The header and the columns of a CSV or TSV file. Raises DataError on anything malformed."""

    def __init__(self, path: Path, encoding: str, kind: str, named: Collection[str] = ()) -> None:
        """`named` are columns that the file should have."""
        self._file = read_text(path, encoding)
        self._delimiter = find_separator(self._file.text, kind, named)
        self.nested: frozenset[str] = frozenset()
        self.names = next(checked_records(self._file, self._delimiter))[2]

    def columns(self, wanted: Sequence[str]) -> dict[str, list[str]]:
        """The cells of these columns, each a list with one text per row."""
        places = [self.names.index(name) for name in wanted]
        lists: list[list[str]] = [[] for _ in wanted]
        appends = [(cells.append, place) for cells, place in zip(lists, places, strict=True)]
        records = checked_records(self._file, self._delimiter)
        next(records)
        for _, _, fields in records:
            if fields:
                for append, place in appends:
                    append(fields[place])
        return dict(zip(wanted, lists, strict=True))


def edit_delimited(file: TextFile, delimiter: str, label_column: str, revision: Revision) -> str:
    """The text of the file after the revision; records that it does not touch stay as they are."""
    records = checked_records(file, delimiter)
    _, header, names = next(records)
    label_place = names.index(label_column)
    parts = [file.text[: header_start(file.text)], edited_header(header, list(revision.extra), delimiter)]
    row = 0
    for _, raw, fields in records:
        if not fields:
            parts.append(raw)
            continue
        if row not in revision.drop:
            parts.append(_revised(raw, row, label_place, revision, delimiter))
        row += 1
    revision.check(names, row, file.path)
    return "".join(parts)


def edited_header(header: str, added: Sequence[str], delimiter: str) -> str:
    """The header's raw text with these names behind its own."""
    return _edited(header, {}, list(added), delimiter)


def csv_line(cells: Sequence[Cell]) -> str:
    """One lossless CSV record, quoted where needed, ended by a newline."""
    return ",".join(quoted(cell_text(cell), ",") for cell in cells) + "\n"


def quoted(cell: str, delimiter: str, *, always: bool = False) -> str:
    """A cell in quotes if it needs them. (csv.writer leaves a lone carriage return bare.)"""
    if always or delimiter in cell or _NEEDS_QUOTES.search(cell):
        return '"' + cell.replace('"', '""') + '"'
    return cell


def checked_records(file: TextFile, delimiter: str) -> Iterator[Record]:
    """The header, then every record; blank lines come with no fields.

    Raises DataError on an empty file, a header with repeated names, and a record that is malformed or has too
    many or too few fields.
    """
    records = _records(file, delimiter)
    header = next((record for record in records if record[2]), None)
    if header is None:
        raise DataError("the file is empty", file=file.path, fix="Give a header and one row per image.")
    _, _, names = header
    _check_header(header, file.path)
    # Blank lines above the header belong to its raw text.
    start = header_start(file.text)
    yield header[0], file.text[start : file.text.index(header[1], start)] + header[1], names
    width = len(names)
    for record in records:
        if len(record[2]) != width and (record[2] or width == 1):
            raise _wrong_width(record, width, file.path)
        yield record


def _records(file: TextFile, delimiter: str) -> Iterator[Record]:
    consumed: list[str] = []
    start = header_start(file.text)
    n_above = 1 if start else 0  # lines

    def lines() -> Iterator[str]:
        for line in io.StringIO(file.text[start:], newline=""):
            consumed.append(line)
            yield line

    reader = csv.reader(lines(), delimiter=delimiter, strict=True)
    all_fields = long_cells(reader)
    first_line = 1 + n_above
    while True:
        try:
            fields = next(all_fields)
        except StopIteration:
            return
        except csv.Error as error:
            raise DataError(
                f"malformed row ({error})",
                file=file.path,
                line=first_line,
                fix="Check the quotes: one that opens a cell must close it.",
            ) from error
        yield first_line, "".join(consumed), fields
        consumed.clear()
        first_line = reader.line_num + 1 + n_above


def _check_header(header: Record, path: Path) -> None:
    line, _, names = header
    repeated = [name for place, name in enumerate(names) if name in names[:place]]
    if repeated:
        raise DataError(
            "two columns have this name", file=path, line=line, column=repeated[0], fix="Rename one of them."
        )


def _wrong_width(record: Record, width: int, path: Path) -> DataError:
    line, _, fields = record
    if not fields:
        return DataError(
            "a blank line in a file of one column",
            file=path,
            line=line,
            fix='Write "" for an unlabelled row.',
        )
    return DataError(
        f"{len(fields)} fields where the header has {width}",
        file=path,
        line=line,
        fix="Quote cells that hold the separator, a quote or a newline.",
    )


def _revised(raw: str, row: int, label_place: int, revision: Revision, delimiter: str) -> str:
    if not revision.touches(row):
        return raw
    changed = {label_place: revision.labels[row] or ""} if row in revision.labels else {}
    return _edited(raw, changed, [cell_text(cell) for cell in revision.cells(row)], delimiter)


def _edited(raw: str, changed: dict[int, str], added: list[str], delimiter: str) -> str:
    spans = _spans(raw, delimiter)
    pieces = [raw[start:end] for start, end in spans]
    all_quoted = all(piece.startswith('"') for piece in pieces)
    for place, text in changed.items():
        sole_empty = len(pieces) == 1 and not text and not added
        pieces[place] = quoted(text, delimiter, always=pieces[place].startswith('"') or sole_empty)
    pieces += [quoted(text, delimiter, always=all_quoted) for text in added]
    return raw[: spans[0][0]] + delimiter.join(pieces) + raw[spans[-1][1] :]


def _spans(raw: str, delimiter: str) -> list[tuple[int, int]]:
    """Where each field of one record lies, quotes included."""
    field = re.compile(rf'"(?:[^"]|"")*"|[^{delimiter}\r\n]*')
    start = len(raw) - len(raw.lstrip("\r\n"))
    spans = []
    while match := field.match(raw, start):
        spans.append(match.span())
        start = match.end() + 1
        if raw[match.end() : start] != delimiter:
            break
    return spans

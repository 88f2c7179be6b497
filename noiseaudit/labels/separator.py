"""Which character separates the cells of a CSV or TSV file."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterator

from noiseaudit.labels.columns import USUAL_NAMES

SEPARATORS = {"csv": ",", "tsv": "\t"}
_CANDIDATES = (";", "\t", ",")
_USUAL = frozenset(name for names in USUAL_NAMES.values() for name in names)
_HINT = re.compile(r"sep=([;\t,])(?:\r\n?|\n)", re.IGNORECASE)
_LONGEST_CELL = 2**31 - 1  # characters; the csv module's own limit is 131,072


def find_separator(text: str, kind: str, named: Collection[str] = ()) -> str:
    """What splits the header of a "csv" or "tsv" file best: `;`, a tab or `,`.

    That is what the first line says, if it is Excel's `sep=;`; else the separator under which most of the `named`
    columns are found, then most usual names, then most columns, then the usual one of such files. Spreadsheets
    write `;` where the comma is the decimal mark.
    """
    if hint := _HINT.match(text):
        return hint[1]

    def merit(separator: str) -> tuple[int, int, int, bool]:
        names = _header(text, separator)
        plain = {name.strip().lower() for name in names}
        return len({*named} & {*names}), len(plain & _USUAL), len(names), separator == SEPARATORS[kind]

    return max(_CANDIDATES, key=merit)


def header_start(text: str) -> int:
    """Where the header begins: below a line `sep=;`, if there is one."""
    hint = _HINT.match(text)
    return hint.end() if hint else 0


def long_cells(reader: Iterator[list[str]]) -> Iterator[list[str]]:
    """What a csv.reader gives, cells of any length included. The limit is global: it is raised in each step only."""
    while True:
        limit = csv.field_size_limit(_LONGEST_CELL)
        try:
            fields = next(reader, None)
        finally:
            csv.field_size_limit(limit)
        if fields is None:
            return
        yield fields


def _header(text: str, separator: str) -> list[str]:
    """The first record that is not blank; nothing if it is malformed under this separator."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        return next((fields for fields in long_cells(reader) if fields), [])
    except csv.Error:
        return []

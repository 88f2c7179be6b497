"""Which character separates the cells of a CSV or TSV file."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator

SEPARATORS = {"csv": ",", "tsv": "\t"}
_OTHERS = (";", "\t", ",")
_FIRST_LINE = re.compile(r"[\r\n]*([^\r\n]*)")
_LONGEST_CELL = 2**31 - 1  # characters; the csv module's own limit is 131,072


def find_separator(text: str, kind: str) -> str:
    """The comma of "csv" and the tab of "tsv", unless only another of `;`, tab and `,` splits the header.

    Spreadsheets write `;` where the comma is the decimal mark.
    """
    usual = SEPARATORS[kind]
    match = _FIRST_LINE.match(text)
    header = match[1] if match else ""
    if _n_fields(header, usual) > 1:
        return usual
    best = max(_OTHERS, key=lambda separator: _n_fields(header, separator))
    return best if _n_fields(header, best) > 1 else usual


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


def _n_fields(header: str, separator: str) -> int:
    return len(next(long_cells(csv.reader([header], delimiter=separator)), []))

"""On which line of a text file a row stands: programs count rows from 0, editors lines from 1."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from noiseaudit.errors import InputError
from noiseaudit.labels.delimited import checked_records
from noiseaudit.labels.separator import find_separator
from noiseaudit.labels.table import FORMATS
from noiseaudit.labels.text import TextFile

MOST_BYTES = 100_000_000  # of a file that is read again for a message


def line_of(file: Path, row: int) -> int | None:
    """The line, from 1, on which the data row `row`, from 0, begins.

    None where `file` is no CSV, TSV or JSONL file that can be read in a moment, or has no such row.
    """
    try:
        if file.stat().st_size > MOST_BYTES:
            return None
        return next(islice(_first_lines(file), row, None), None)
    except (InputError, OSError):
        return None


def _first_lines(file: Path) -> Iterator[int]:
    kind = FORMATS.get(file.suffix.lower())
    if kind not in ("csv", "tsv", "jsonl"):
        return
    text = file.read_bytes().decode("utf-8-sig", errors="replace")  # line ends are the same in most encodings
    if "\0" in text:  # but not in UTF-16
        return
    if kind == "jsonl":
        yield from (number for number, line in enumerate(text.split("\n"), start=1) if line.strip())
        return
    records = checked_records(TextFile(file, text, "utf-8"), find_separator(text, kind))
    next(records)
    yield from (number for number, _, cells in records if cells)

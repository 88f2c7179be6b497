"""Text for terminals and pipes: a table for people, TSV for programs; nothing that a label says is obeyed."""

from __future__ import annotations

import json
import re
import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING, TextIO

import typer

if TYPE_CHECKING:
    import pyarrow as pa

_NUMBER = re.compile(r"([<>] )?\d+(\.\d*)?(e-\d+)?( %)?[* ]?")
_LEAST_NAME_WIDTH = 8
_LEAST_TEXT_WIDTH = 40
_GAP = 2  # between columns
_ENDLESS = 100_000
_BIDI_CONTROLS = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_CONTROL_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})


def visible(text: str) -> str:
    """`text` with control characters, line breaks and text-direction marks written as escapes."""
    return "".join(char if _is_plain(char) else char.encode("unicode_escape").decode() for char in text)


def on_terminal() -> bool:
    return sys.stdout.isatty()


def print_rows(rows: Sequence[Mapping[str, object]], columns: Sequence[str]) -> None:
    """Print `columns` of `rows`: a table on a terminal, tab-separated values with a header elsewhere."""
    if on_terminal():
        print_table(rows, columns)
    else:
        lines = ["\t".join(columns), *("\t".join(_exact(row[c]) for c in columns) for row in rows)]
        typer.echo("\n".join(lines))


def print_table_rows(tables: Iterable[pa.Table], columns: Sequence[str]) -> None:
    """Print `columns` of Arrow tables, one after the other, as `print_rows` does in a pipe, all rows at once."""
    rest = iter(tables)
    first = list(islice(rest, 1))  # where reading fails, nothing is printed
    typer.echo("\t".join(columns))
    for table in chain(first, rest):
        if len(table):
            typer.echo(_lines(table.select(list(columns))))


def _lines(table: pa.Table) -> str:
    """Numbers with six significant digits, as in suspects.csv."""
    from noiseaudit.cells import joined_lines, six_digits

    return joined_lines(six_digits(table), "\t", change=visible)


def print_table(
    rows: Sequence[Mapping[str, object]], columns: Sequence[str], names: Sequence[str] = ()
) -> None:
    """Print `columns` of `rows` as a table for people, one line a row.

    Where the terminal is narrow, long cells of the columns in `names` lose their middle; no other cell is cut.
    """
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.measure import Measurement
    from rich.table import Table
    from rich.text import Text

    terminal, table = Console(), Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    cells = _fitted({name: [_short(row[name]) for row in rows] for name in columns}, names, terminal.width)
    for name in columns:
        numeric = name not in names and all(_NUMBER.fullmatch(cell) for cell in cells[name] if cell)
        table.add_column(Text(name, "bold"), justify="right" if numeric else "left", no_wrap=True)
    for row in zip(*cells.values(), strict=True):
        table.add_row(*map(Text, row))  # Text: markup in a label is shown, not obeyed
    needed = Measurement.get(terminal, terminal.options.update(width=_ENDLESS), table).maximum
    Console(width=max(terminal.width, needed)).print(table)


def print_json(value: object) -> None:
    """Print `value` as JSON in ASCII: safe for every terminal and encoding."""
    typer.echo(json.dumps(value, indent=2, allow_nan=False, default=str))


def print_objects(rows: Iterable[Mapping[str, object]]) -> None:
    """Print a list of objects as `print_json` does, without holding it."""
    lead = "[\n  "
    for row in rows:
        typer.echo(
            lead + json.dumps(row, indent=2, allow_nan=False, default=str).replace("\n", "\n  "), nl=False
        )
        lead = ",\n  "
    typer.echo("[]" if lead.startswith("[") else "\n]")


def say(text: str) -> None:
    """Print a line for people on standard error, so that standard output stays clean for programs."""
    typer.echo(fitted(text, sys.stderr), err=True)


def fitted(text: str, stream: TextIO, hang: int = 0) -> str:
    """`text`, a line, broken between words where `stream` is a terminal too narrow for it; `hang` columns are left
    free before what follows. Files and pipes get the line whole.
    """
    if not stream.isatty():
        return text
    width = max(shutil.get_terminal_size().columns, hang + _LEAST_TEXT_WIDTH)
    return textwrap.fill(
        text, width, subsequent_indent=" " * hang, break_long_words=False, break_on_hyphens=False,
        drop_whitespace=True, replace_whitespace=False,
    )  # fmt: skip


def _is_plain(char: str) -> bool:
    return char not in _BIDI_CONTROLS and unicodedata.category(char) not in _CONTROL_CATEGORIES


def _fitted(cells: Mapping[str, list[str]], names: Sequence[str], width: int) -> dict[str, list[str]]:
    """`cells` by column, with those of `names` cut as much as `width` asks, but not below their header."""
    from rich.cells import cell_len

    natural = {name: max(map(cell_len, [name, *column])) for name, column in cells.items()}
    fixed = sum(natural[name] + _GAP for name in cells if name not in names) - _GAP

    def needed(most: int) -> int:
        return fixed + sum(min(natural[name], max(most, len(name))) + _GAP for name in names)

    fits = (most for most in range(max(natural.values()), _LEAST_NAME_WIDTH, -1) if needed(most) <= width)
    most = next(fits, _LEAST_NAME_WIDTH)
    return {
        name: [_shortened(cell, max(most, len(name))) for cell in column] if name in names else column
        for name, column in cells.items()
    }


def _shortened(text: str, width: int) -> str:
    """`text` in at most `width` cells of a terminal, without its middle: both ends tell names apart."""
    from rich.cells import cell_len, set_cell_size

    if cell_len(text) <= width:
        return text
    half = (width - 1) // 2
    start = next(i for i in range(len(text)) if cell_len(text[i:]) <= half)
    return f"{set_cell_size(text, width - 1 - half).rstrip()}…{text[start:]}"


def _exact(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else visible(str(value))


def _short(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else ""
    return f"{value:#.4g}" if isinstance(value, float) else _exact(value)

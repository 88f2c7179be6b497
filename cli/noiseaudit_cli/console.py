"""Text for terminals and pipes: a table for people, TSV for programs; nothing that a label says is obeyed."""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Mapping, Sequence

import typer

_BIDI_CONTROLS = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_CONTROL_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})


def visible(text: str) -> str:
    """`text` with control characters, line breaks and text-direction marks written as escapes."""
    return "".join(char if _is_plain(char) else char.encode("unicode_escape").decode() for char in text)


def print_rows(rows: Sequence[Mapping[str, object]], columns: Sequence[str]) -> None:
    """Print `columns` of `rows`: a table on a terminal, tab-separated values with a header elsewhere."""
    if sys.stdout.isatty():
        _print_table([[_short(row[c]) for c in columns] for row in rows], columns)
    else:
        lines = ["\t".join(columns), *("\t".join(_exact(row[c]) for c in columns) for row in rows)]
        typer.echo("\n".join(lines))


def print_json(value: object) -> None:
    """Print `value` as JSON in ASCII: safe for every terminal and encoding."""
    typer.echo(json.dumps(value, indent=2, allow_nan=False, default=str))


def say(text: str) -> None:
    """Print a line for people on standard error, so that standard output stays clean for programs."""
    typer.echo(text, err=True)


def _print_table(cells: Sequence[Sequence[str]], columns: Sequence[str]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, header_style="bold")
    for i, name in enumerate(columns):
        numeric = all(_is_number(row[i]) for row in cells)
        table.add_column(Text(name), justify="right" if numeric else "left", overflow="fold")
    for row in cells:
        table.add_row(*(Text(cell) for cell in row))  # Text: markup in a label is shown, not obeyed
    Console().print(table)


def _is_plain(char: str) -> bool:
    return char not in _BIDI_CONTROLS and unicodedata.category(char) not in _CONTROL_CATEGORIES


def _is_number(cell: str) -> bool:
    return cell.replace(".", "", 1).replace("e-", "", 1).isdigit() or not cell


def _exact(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else visible(str(value))


def _short(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else ""
    return f"{value:#.4g}" if isinstance(value, float) else _exact(value)

"""What ended a command, as one line on standard error and an exit code."""

from __future__ import annotations

import errno
import os
import re
import traceback
from importlib.metadata import version
from pathlib import Path

import typer

from noiseaudit.atomic import NO_ROOM
from noiseaudit.errors import EndedElsewhere, NoiseAuditError
from noiseaudit_cli.environment import usage_line


def complain(error: Exception) -> int:
    """Print one line about `error` on standard error; return the exit code."""
    if os.environ.get("NOISEAUDIT_DEBUG"):
        traceback.print_exception(error)
    if isinstance(error, EndedElsewhere) and error.told:
        return error.exit_code
    if isinstance(error, NoiseAuditError):
        notes = "".join(f" ({note})" for note in (*getattr(error, "__notes__", []), *_rows_count(error)))
        typer.echo(f"error: {error}{notes}", err=True)
        return error.exit_code
    if hasattr(error, "format_message"):  # a usage error of Typer: unknown option, value out of range ...
        typer.echo(f"error: {' '.join(usage_line(error).split())} ({_help_of(error)})", err=True)
        return 2
    if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:  # whichever path was looked at first
        typer.echo(f"error: {error.filename}: {error.strerror}. Choose a shorter name.", err=True)
        return 2
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        what = (
            f"{error.filename}: cannot be written, the disk is full" if error.filename else "the disk is full"
        )
        typer.echo(f"error: {what}. Make room there and run the command again{_notes(error)}.", err=True)
        return 1
    if isinstance(error, RuntimeError) and "torchvision::" in str(error):  # when torchvision is imported
        both = f"torch {version('torch')} and torchvision {version('torchvision')}"
        typer.echo(
            f"error: {both} do not fit together. Install both again, from one index: {_reinstall()}", err=True
        )
        return 1
    line = " ".join(f"{type(error).__name__}: {error}".split())
    typer.echo(f"error: unexpected {line} (NOISEAUDIT_DEBUG=1 shows where){_notes(error)}", err=True)
    return 1


def _notes(error: Exception) -> str:
    return "".join(f"; {note}" for note in getattr(error, "__notes__", []))


def _rows_count(error: NoiseAuditError) -> list[str]:
    """A note on how rows count, where the error names one, and on its line in a text file: editors count those."""
    if not re.search(r"\brow \d", str(error)):
        return []
    file, row = getattr(error, "file", None), getattr(error, "row", None)
    if file is not None and row is not None:
        from noiseaudit.labels.lines import line_of

        if line := line_of(Path(file), row):
            return [f"rows count from 0: row {row} is line {line}"]
    return ["rows count from 0"]


def _reinstall() -> str:
    """The command that installs both, from PyTorch's index where torch is of that (2.5.1+cpu)."""
    _, plus, build = version("torch").partition("+")
    index = f" --index-url https://download.pytorch.org/whl/{build}" if plus else ""
    return f"pip install --force-reinstall torch torchvision{index}"


def _help_of(error: Exception) -> str:
    context = getattr(error, "ctx", None)
    return f"see {context.command_path if context else 'noiseaudit'} --help"

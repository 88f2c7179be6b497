"""Result files: one JSON line a run, appended whole; a line that a crash cut is dropped."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from noiseaudit.bench.cells import RECORDED, Cell
from noiseaudit.errors import DataError, OutputError

if sys.platform != "win32":
    import fcntl

Line = dict[str, Any]
NEEDED = {"key", "hardware", *RECORDED, *(field.name for field in dataclasses.fields(Cell))}


def results_file(folder: Path, table: str, dataset: str) -> Path:
    """Where the runs of a table on a data set are kept."""
    return folder / f"{table}_{dataset}.jsonl"


def read_lines(path: Path) -> list[Line]:
    """All lines of a result file, none if there is no such file. A last line without its end is left out.

    Raises DataError naming the line if another is not a JSON object.
    """
    if not path.exists():
        return []
    try:
        texts = path.read_text("utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot be read ({error})", file=path, fix="Move it away.") from error
    return [_parse(text, path, number) for number, text in enumerate(texts[:-1], start=1)]


def check_writable(path: Path) -> None:
    """Raise OutputError if lines cannot be appended to `path`: better before a run than after it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        is_new = not path.exists()
        path.open("ab").close()
        if is_new:
            path.unlink()
    except OSError as error:
        raise _unwritable(path, error) from error


def append_line(path: Path, line: Line) -> None:
    """Append a line, in one write and to the disk; a line that was cut before it is removed.

    Writers of the same file wait for one another. Raises OutputError if the file cannot be written.
    """
    text = json.dumps(line, allow_nan=False, separators=(", ", ": ")) + "\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+b") as file, _locked(file):
            file.truncate(_whole_length(file))
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> OutputError:
    return OutputError(f"cannot write here ({error.strerror})", file=path, fix="Check --out.")


def _parse(text: str, path: Path, number: int) -> Line:
    try:
        line = json.loads(text)
    except ValueError as error:
        raise DataError("not JSON", file=path, line=number, fix="Remove the line.") from error
    missing = sorted(NEEDED - line.keys()) if isinstance(line, dict) else ["key"]
    if missing or not {"test_error", "error"} & line.keys():
        what = f" (no `{missing[0]}`)" if missing else ""
        raise DataError(f"no result of a run{what}", file=path, line=number, fix="Remove the line.")
    found: Line = line
    return found


def _whole_length(file: IO[bytes]) -> int:
    """Bytes up to the end of the last whole line."""
    file.seek(0)
    return file.read().rfind(b"\n") + 1


@contextmanager
def _locked(file: IO[bytes]) -> Iterator[None]:
    """Alone with the file, where the system can do that; closing it gives it back."""
    if sys.platform != "win32":
        fcntl.flock(file, fcntl.LOCK_EX)
    yield

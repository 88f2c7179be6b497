"""Result files: one JSON line a run, appended whole; a line that a crash cut is dropped."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from noiseaudit.errors import DataError, OutputError

if sys.platform != "win32":
    import fcntl

Line = dict[str, Any]


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
        raise OutputError(f"cannot write here ({error.strerror})", file=path, fix="Check --out.") from error


def _parse(text: str, path: Path, number: int) -> Line:
    try:
        line = json.loads(text)
    except ValueError as error:
        raise DataError("not JSON", file=path, line=number, fix="Remove the line.") from error
    if not isinstance(line, dict) or "key" not in line:
        raise DataError("no result of a run", file=path, line=number, fix="Remove the line.")
    return line


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

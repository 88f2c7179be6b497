"""The errors noiseaudit raises.

NoiseAuditError                exit code 1 unless a subclass says otherwise
├── InputError                 exit code 2: the user can mend it; the message is one line
│   ├── DataError              a label file, image folder, embedding file or audit is not usable
│   │   └── Damaged            a checkpoint is; only a new start helps
│   ├── ConfigError            an option is out of range, unknown or contradicts another
│   └── OutputError            an output exists already or cannot be written
│       └── OtherRun           the run that is to be gone on from had other options or data
├── TrainingDiverged           the loss became infinite or NaN
├── CutOff                     the disk failed, or is full, while a scan was at work; it can be resumed
└── EndedElsewhere             another process of the same run ended
"""

from __future__ import annotations

import os


class NoiseAuditError(Exception):
    """Base of every error that noiseaudit raises on purpose."""

    exit_code = 1


class InputError(NoiseAuditError):
    """One line: where, what is wrong, how to mend it."""

    exit_code = 2

    def __init__(
        self,
        problem: str,
        *,
        file: str | os.PathLike[str] | None = None,
        row: int | None = None,
        line: int | None = None,
        column: str | None = None,
        fix: str | None = None,
    ) -> None:
        """`row` counts data rows from 0 as `audit.parquet` does; `line` counts lines of a text file from 1."""
        self.file, self.row = file, row
        places = [
            os.fspath(file) if file is not None else None,
            f"line {line}" if line is not None else None,
            f"row {row}" if row is not None else None,
            f"column {column!r}" if column is not None else None,
        ]
        where = ", ".join(place for place in places if place)
        text = f"{where}: {problem}" if where else problem
        if fix:
            text = f"{text.rstrip('.')}. {fix}"
        super().__init__(" ".join(text.splitlines()))


class DataError(InputError):
    """A label file, image folder, embedding file or audit is not usable."""


class Damaged(DataError):
    """A checkpoint cannot be gone on from; only a new start helps."""


class ConfigError(InputError):
    """An option is out of range, unknown, or contradicts another."""


class OutputError(InputError):
    """An output exists already or cannot be written."""


class OtherRun(OutputError):
    """The run that is to be gone on from had other options, data or versions."""


class TrainingDiverged(NoiseAuditError):
    """The training loss became infinite or NaN."""


class CutOff(NoiseAuditError):
    """The disk failed, or is full, while a scan was at work. What it did is kept."""


class EndedElsewhere(NoiseAuditError):
    """Another process of the same run ended. `told`: that one, or another, says why, so this one need not."""

    def __init__(self, message: str, *, told: bool, exit_code: int = 1) -> None:
        super().__init__(message)
        self.told, self.exit_code = told, exit_code

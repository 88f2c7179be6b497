"""When rows that cannot be used stop a run: more than half of them, or the first one if `strict`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from noiseaudit.errors import DataError
from noiseaudit.labels.table import Strings


def check_enough(
    is_ok: npt.NDArray[np.bool_],
    reason: Strings,
    names: Strings,
    *,
    what: str,
    strict: bool,
    file: Path,
    column: str | None,
    fix: str,
) -> None:
    """Raise DataError if more than half of the rows are not ok, or, when `strict`, at the first that is not.

    `is_ok`, `reason` and `names` are (n,); `names` is how a message calls a row's sample. `what` they are (a
    plural), `file` and `column` are for the message, and so is `fix`, for more than half.
    """
    bad = np.flatnonzero(~is_ok).tolist()
    if strict and bad:
        row = bad[0]
        raise strict_error(row, names[row], reason[row], file=file, column=column)
    if 2 * len(bad) > len(is_ok):
        examples = "; ".join(f"row {row} {names[row]!r}: {reason[row]}" for row in bad[:3])
        problem = f"{len(bad)} of {len(is_ok)} {what} cannot be read ({examples})"
        raise DataError(problem, file=file, column=column, fix=fix)


def strict_error(row: int, name: str, reason: str, *, file: Path, column: str | None) -> DataError:
    """What --strict says of a row that is not ok."""
    return DataError(
        f"{name!r}: {reason}",
        file=file,
        row=row,
        column=column,
        fix="Mend it, or leave out --strict to go on without it.",
    )

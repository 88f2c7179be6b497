"""Whether rows that are to be scored could be read, and whether the model says something of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import torch

from noiseaudit.data.enough import check_enough, strict_error
from noiseaudit.errors import DataError
from noiseaudit.labels.table import Strings
from noiseaudit.scored import Found


class Shown(NamedTuple):
    """How messages call the rows."""

    what: Literal["images", "embeddings"]
    names: Strings
    file: Path
    column: str | None


def strict_errors(shown: Shown) -> Callable[[int, str], DataError]:
    """What --strict makes of a row and of the reason why it cannot be read."""

    def error(row: int, reason: str) -> DataError:
        return strict_error(row, shown.names[row], reason, file=shown.file, column=shown.column)

    return error


def check_read(found: Found, shown: Shown, model: Path) -> None:
    """Raise DataError if more than half of the rows cannot be read, or if the model says nothing of those that can."""
    check_enough(
        np.asarray(found.status == "ok", np.bool_),
        found.reason,
        shown.names,
        what=shown.what,
        strict=False,  # gather sees to it
        file=shown.file,
        column=shown.column,
        fix=f"Is --{shown.what} the right {'folder' if shown.what == 'images' else 'file'}?",
    )
    is_finite = torch.stack([values.isfinite().all(dim=1) for values in found.prediction]).all(dim=0).numpy()
    if not is_finite.all():
        row = int(np.flatnonzero(found.status == "ok")[is_finite.argmin()])
        raise DataError(
            f"the model gives no finite numbers for {shown.names[row]!r}",
            file=shown.file,
            row=row,
            fix=f"Leave the row out, or scan again if {model} may be damaged.",
        )

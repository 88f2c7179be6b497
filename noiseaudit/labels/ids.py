"""The sample id of each row: unique, and the same whenever the file is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from noiseaudit.errors import DataError


def sample_ids(
    images: Sequence[str | None] | None,
    n_rows: int,
) -> list[str]:
    """Where there is no id column: the image path, else the row number.

    The second and later rows of one image get `#2`, `#3` ...; a number is passed over where another row's
    path has that very text.
    """
    if images is None:
        return [str(row) for row in range(n_rows)]
    return _numbered([image if image is not None else f"row {row}" for row, image in enumerate(images)])


def check_ids(ids: Sequence[str | None], *, file: Path, column: str) -> None:
    """Raise DataError if the id column has an empty or repeated cell."""
    first: dict[str, int] = {}
    for row, sample_id in enumerate(ids):
        if sample_id is None:
            raise DataError("empty id", file=file, row=row, column=column, fix="Give every row its own id.")
        if first.setdefault(sample_id, row) != row:
            raise DataError(
                f"id {sample_id!r} is that of row {first[sample_id]} too",
                file=file,
                row=row,
                column=column,
                fix="Make the ids unique, or name another column with --id-column.",
            )


def _numbered(names: Sequence[str]) -> list[str]:
    taken = set(names)
    if len(taken) == len(names):
        return list(names)
    seen: Counter[str] = Counter()
    result = []
    for name in names:
        seen[name] += 1
        candidate = name
        while seen[name] > 1 and (candidate := f"{name}#{seen[name]}") in taken:
            seen[name] += 1
        taken.add(candidate)
        result.append(candidate)
    return result

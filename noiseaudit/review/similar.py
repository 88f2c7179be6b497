"""Rows that help to judge another: like it, of either class, and not doubted themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from noiseaudit.errors import DataError
from noiseaudit.result import AuditResult
from noiseaudit.review.queue import Queue, Rows
from noiseaudit.runnames import EMBEDDINGS_FILE

MOST_COMPARED = 20_000  # rows of a class, evenly taken, among which the nearest are looked for


class Similar:
    """The nearest rows of a class by the run's embeddings; without these, those of it that are doubted least."""

    def __init__(
        self,
        audit: AuditResult,
        queue: Queue,
        embeddings: npt.NDArray[np.float32] | None = None,
        never: Rows | None = None,
    ) -> None:
        """`embeddings`: (n, d), NaN where a row was not read; rows of `never` are not shown as good examples."""
        self._given, self._embeddings = queue.given, embeddings
        p = audit.column("p_mislabeled")
        self._p = np.where(audit.suspects(), np.nan, p)
        self._p[[] if never is None else never] = np.nan
        self._trusted = np.flatnonzero(~np.isnan(self._p)).astype(np.int32)

    @property
    def by_embeddings(self) -> bool:
        """Whether rows are compared, rather than shown as examples of their class."""
        return self._embeddings is not None

    def rows(self, row: int, label: int, count: int) -> list[int]:
        """Up to `count` other rows with the given label number `label`, the most alike or least doubted first."""
        own = self._trusted[(self._given[self._trusted] == label) & (self._trusted != row)]
        if self._embeddings is None or np.isnan(self._embeddings[row]).any():
            key = self._p[own]
        else:
            own = own[:: max(1, len(own) // MOST_COMPARED)]
            key = np.square(self._embeddings[own] - self._embeddings[row]).sum(1)  # NaN comes last
        found: list[int] = own[np.argsort(key, kind="stable")[:count]].tolist()
        return found


def read_embeddings(folder: Path, n: int) -> npt.NDArray[np.float32] | None:
    """The embeddings of a run of n rows, left on the disk; None if the folder has none.

    Raises DataError if they are damaged or of other rows.
    """
    file = folder / EMBEDDINGS_FILE
    if not file.is_file():
        return None
    try:
        found: npt.NDArray[np.float32] = np.load(file, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise DataError(f"not a readable array ({error})", file=file, fix="Move it away.") from error
    if found.ndim != 2 or len(found) != n or found.dtype != np.float32:
        raise DataError(
            f"{found.dtype} {found.shape}, but the audit has {n} rows", file=file, fix="Move it away."
        )
    return found

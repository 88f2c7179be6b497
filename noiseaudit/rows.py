"""The rows of an audit in the portions that somebody else sets."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from noiseaudit.result import Audited, no_rows


class RowReader:
    """Hands out the rows of an audit from the first on."""

    def __init__(self, audit: Audited, columns: Sequence[str]) -> None:
        self._tables = (table for _, table in audit.tables(columns))
        self._rest = no_rows(columns)
        self._first = 0

    def next(self, n: int) -> tuple[int, pa.Table]:
        """The number of the next row, and the next n rows, fewer at the end."""
        parts, n_rows = [self._rest], len(self._rest)
        while n_rows < n and (table := next(self._tables, None)) is not None:
            parts.append(table)
            n_rows += len(table)
        found = [part for part in parts if len(part)] or parts[:1]
        every = pa.concat_tables(found)
        first, self._rest = self._first, every.slice(n)
        self._first += min(n, len(every))
        return first, every.slice(0, n)

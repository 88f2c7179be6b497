"""An audit that stays in its file: columns are read as they are asked for, a row group at a time.

For commands that go over millions of rows. What is read is checked as `read_audit` checks it, as far as one row group
and the columns that were asked for tell; docs/audit-format.md says which command checks what.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from noiseaudit.arrays import numbers
from noiseaudit.audit_checks import CHANGED, SCAN_AGAIN, check_table
from noiseaudit.audit_meta import AuditMeta
from noiseaudit.errors import DataError
from noiseaudit.parquet import open_parquet, readable_parquet
from noiseaudit.result import STATUSES, AuditResult, Rows, audit_path, no_rows, read_audit, read_meta

WHOLE = 131_072  # rows of an audit that is checked whole each time it is opened: a fraction of a second
# Texts that many rows share: read as codes, which is faster and takes a tenth of the memory.
_SHARED = ("given_label", "suggested_label", "true_label", "status", "issue_kind", "split")


@dataclass(frozen=True)
class AuditFile:
    """An audit on disk. Make it with `open_audit`."""

    path: Path
    meta: AuditMeta
    sizes: tuple[int, ...]  # rows of each row group

    def __len__(self) -> int:
        return sum(self.sizes)

    @property
    def classes(self) -> tuple[str, ...]:
        """In canonical order."""
        return self.meta.classes

    def column(self, name: str) -> np.ndarray[Any, Any]:
        """One column of all rows, as AuditResult has it."""
        return self.read([name]).column(name)

    def tables(self, columns: Sequence[str], rows: Rows | None = None) -> Iterator[tuple[int, pa.Table]]:
        """These columns, one row group after the other, each with the number of its first row.

        With `rows`, rising numbers, of these alone; row groups without any of them are not read. Texts that many
        rows share may be dictionaries. Raises DataError if the file is damaged, or contradicts the schema in what is
        handed out.
        """
        with readable_parquet(self.path, fix=SCAN_AGAIN), _opened(self.path) as file:
            first = 0
            for group, size in enumerate(self.sizes):
                every = np.arange(first, first + size)
                wanted = every if rows is None else rows[slice(*np.searchsorted(rows, [first, first + size]))]
                if rows is None or len(wanted):
                    table = file.read_row_group(group, columns=list(columns))
                    table = table if rows is None else table.take(numbers(wanted - first))
                    table.validate(full=True)
                    check_table(table, self.meta.classes, STATUSES, self.path, rows=wanted)
                    yield first, table
                first += size

    def read(self, columns: Sequence[str]) -> AuditResult:
        """These columns of all rows, as an AuditResult that has no others. Raises DataError as `tables` does."""
        tables = [table for _, table in self.tables(columns)]
        return AuditResult(pa.concat_tables(tables) if tables else no_rows(columns), self.meta)


def open_audit(path: Path | str) -> AuditFile:
    """An audit: a run folder or its `audit.parquet`; one of up to WHOLE rows is checked as `read_audit` does.

    Raises DataError if it is missing, incomplete, truncated, not an audit or of another schema version.
    """
    file = audit_path(Path(path))
    with open_parquet(file, fix=SCAN_AGAIN) as parquet:
        meta = read_meta(parquet.schema_arrow, file)
        groups = [parquet.metadata.row_group(group) for group in range(parquet.num_row_groups)]
        sizes = tuple(group.num_rows for group in groups)
    if sum(sizes) <= WHOLE:
        read_audit(file)
    else:
        _check_numbers(groups, file)
    return AuditFile(file, meta, sizes)


def _opened(path: Path) -> Any:
    return pq.ParquetFile(path, read_dictionary=[*_SHARED], pre_buffer=True)


def _check_numbers(groups: Sequence[Any], file: Path) -> None:
    """By the statistics of each row group, its rows are numbered from where the one before it ends."""
    first = 0
    for group in groups:
        found = group.column(0).statistics
        if found is not None and (found.min, found.max) != (first, first + group.num_rows - 1):
            raise DataError(
                f"{found.min} to {found.max}, but rows are numbered 0, 1, 2 ...",
                file=file,
                row=first,
                column="row",
                fix=CHANGED,
            )
        first += group.num_rows

"""AuditResult: what an audit found, one row per input row. The waist of the design.

Everything before it learns; everything after it (rank, evaluate, clean, report) starts from its Parquet file.
The schema is documented in docs/audit-format.md and frozen by tests/test_result.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from noiseaudit.arrays import numbers
from noiseaudit.atomic import atomic_path
from noiseaudit.audit_checks import SCAN_AGAIN, check_table
from noiseaudit.audit_meta import AuditMeta, checked_meta
from noiseaudit.errors import DataError
from noiseaudit.parquet import is_true, open_parquet, to_numpy
from noiseaudit.runjson import read_run_json
from noiseaudit.runnames import AUDIT_FILE

if TYPE_CHECKING:
    import pandas as pd

Rows = npt.NDArray[np.int64]  # numbers of rows

METADATA_KEY = b"noiseaudit"
STATUSES = ("ok", "unlabelled", "missing", "unreadable", "too_large")

EVIDENCE = pa.list_(  # noiseaudit.evidence says what the kinds are
    pa.struct(
        [pa.field("kind", pa.string()), pa.field("value", pa.float64()), pa.field("reference", pa.string())]
    )
)
SCHEMA = pa.schema(  # a change raises noiseaudit.audit_meta.SCHEMA_VERSION
    [
        pa.field("row", pa.int64(), nullable=False),
        pa.field("sample_id", pa.string(), nullable=False),
        pa.field("image", pa.string()),
        pa.field("given_label", pa.string()),
        pa.field("is_labelled", pa.bool_(), nullable=False),
        pa.field("status", pa.string(), nullable=False),
        pa.field("reason", pa.string()),
        pa.field("epsilon", pa.float32()),
        pa.field("p_given", pa.float32()),
        pa.field("suggested_label", pa.string()),
        pa.field("p_suggested", pa.float32()),
        pa.field("p_mislabeled", pa.float64()),
        pa.field("is_label_issue", pa.bool_()),
        pa.field("rank", pa.int64()),
        pa.field("top_labels", pa.list_(pa.string())),
        pa.field("top_probs", pa.list_(pa.float32())),
        pa.field("true_label", pa.string()),
        pa.field("issue_kind", pa.string()),
        pa.field("evidence", EVIDENCE),
        pa.field("split", pa.string()),
        pa.field("annotator", pa.string()),
        pa.field("batch", pa.string()),
    ]
)


@dataclass(frozen=True)
class AuditResult:
    """`table` has SCHEMA's columns, one row per input row, in input order.

    One of AuditFile.read has those that were asked for alone, and texts that many rows share as dictionaries.
    """

    table: pa.Table
    meta: AuditMeta

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @property
    def path(self) -> None:
        """An audit in memory has none."""
        return None

    @property
    def classes(self) -> tuple[str, ...]:
        """In canonical order."""
        return self.meta.classes

    def column(self, name: str) -> np.ndarray[Any, Any]:
        """One column as NumPy, (n,): numbers with NaN for null, strings as objects with None for null."""
        return to_numpy(self.table.column(name))

    def tables(self, columns: Sequence[str], rows: Rows | None = None) -> Iterator[tuple[int, pa.Table]]:
        """The columns in one piece, as AuditFile has them in many."""
        table = self.table.select(list(columns))
        yield 0, table if rows is None else table.take(numbers(rows))

    def suspects(self) -> npt.NDArray[np.bool_]:
        """Which rows are flagged, (n,) bool; rows without a score are not."""
        return is_true(self.table.column("is_label_issue"))

    def to_pandas(self) -> pd.DataFrame:
        """The whole table, columns as SCHEMA."""
        frame: pd.DataFrame = self.table.to_pandas()
        return frame

    def to_cleanlab(self, classes: Sequence[str] | None = None) -> pd.DataFrame:
        """The labelled rows as cleanlab's CleanLearning.get_label_issues has them, indexed by row.

        See noiseaudit.exports.cleanlab.cleanlab_table, also for `classes` and what is raised.
        """
        from noiseaudit.exports.cleanlab import cleanlab_table

        frame: pd.DataFrame = cleanlab_table(self, classes).to_pandas()
        return frame.set_index("row")

    def write(self, path: Path) -> None:
        """Write `audit.parquet` atomically; equal results give equal bytes."""
        # A table that was read from Parquet carries field ids; the cast leaves them out.
        table = self.table.cast(SCHEMA).replace_schema_metadata({METADATA_KEY: self.meta.to_json()})
        with atomic_path(path) as temporary:
            pq.write_table(table, temporary, compression="zstd", row_group_size=131_072)


def no_rows(columns: Sequence[str]) -> pa.Table:
    """A table of these columns without rows. (A schema's own empty_table would import pandas.)"""
    fields = [SCHEMA.field(name) for name in columns]
    return pa.Table.from_arrays([pa.nulls(0, field.type) for field in fields], schema=pa.schema(fields))


class Audited(Protocol):
    """An audit in memory, or in a file (noiseaudit.audit_file), for what goes over its rows piece by piece."""

    @property
    def meta(self) -> AuditMeta: ...

    @property
    def path(self) -> Path | None: ...  # of the file, for messages

    def __len__(self) -> int: ...

    def tables(self, columns: Sequence[str], rows: Rows | None = None) -> Iterator[tuple[int, pa.Table]]:
        """These columns, piece by piece, each with the number of its first row.

        With `rows`, rising numbers, of these alone; pieces without any of them may be left out.
        """
        ...


def read_audit(path: Path | str) -> AuditResult:
    """Read and check an audit: a run folder or its `audit.parquet`.

    Raises DataError if it is missing, incomplete, truncated, not an audit or of another schema version, or if
    anything in it contradicts the schema in docs/audit-format.md, naming the first column and row that does.
    """
    file = audit_path(Path(path))
    with open_parquet(file, fix=SCAN_AGAIN) as parquet:
        meta = read_meta(parquet.schema_arrow, file)
        table = parquet.read()
        table.validate(full=True)
    check_table(table, meta.classes, STATUSES, file)
    return AuditResult(table.replace_schema_metadata(None), meta)


def read_meta(schema: pa.Schema, file: Path) -> AuditMeta:
    """The metadata of an audit file. Raises DataError if they or the columns are not those of an audit."""
    raw = (schema.metadata or {}).get(METADATA_KEY)
    if raw is None:
        raise DataError("not a noiseaudit audit", file=file, fix="Give a run folder or its audit.parquet.")
    meta = checked_meta(raw, file)
    if schema.remove_metadata() != SCHEMA:
        raise DataError("columns differ from the audit schema", file=file, fix=SCAN_AGAIN)
    return meta


def audit_path(path: Path) -> Path:
    """The audit.parquet of a finished run, or the file that `path` is. Raises DataError."""
    if not path.is_dir():
        if not path.exists():
            raise DataError("no such audit", file=path, fix="Give a run folder or its audit.parquet.")
        return path
    run = read_run_json(path)
    if run is not None and run.get("status") != "complete":
        raise DataError(
            "the run is incomplete",
            file=path,
            fix="Scan again: with --resume it goes on, with --force it starts anew.",
        )
    file = path / AUDIT_FILE
    if not file.exists():
        raise DataError(f"holds no {AUDIT_FILE}", file=path, fix="Give the --out folder of a finished scan.")
    return file

"""cleanlab: the columns of its CleanLearning.get_label_issues, as CSV or Parquet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from noiseaudit.arrays import flags
from noiseaudit.errors import DataError
from noiseaudit.exports.base import Exported, ExportOptions, Format
from noiseaudit.result import AuditResult

Column = npt.NDArray[np.object_]

COLUMNS = (  # of an audit, that an export is made from
    "row", "sample_id", "status", "given_label", "is_labelled", "p_given", "suggested_label", "p_suggested",
    "p_mislabeled", "is_label_issue",
)  # fmt: skip
PIECE = 131_072  # rows that are turned at a time


def cleanlab_table(audit: AuditResult, classes: Sequence[str] | None = None) -> pa.Table:
    """The labelled rows with the columns of cleanlab's CleanLearning.get_label_issues, after row and sample_id.

    `label_quality` is 1 - p_mislabeled, low = bad, and NaN where the image could not be read; such a row is no issue.
    `predicted_label` is the likeliest class, which may be the given one; the audit's suggestion for a suspect never is.
    Labels are class names, or, where `classes` gives the order that another program numbers them in, int64 codes.
    Raises DataError unless `classes` has the audit's classes, each once.
    """
    labelled = audit.column("is_labelled").astype(np.bool_)
    keep = flags(labelled)
    is_suggested = ~(audit.column("p_given") >= audit.column("p_suggested"))  # NaN: neither was read
    predicted = np.where(is_suggested, audit.column("suggested_label"), audit.column("given_label"))
    names = {"given_label": audit.column("given_label")[labelled], "predicted_label": predicted[labelled]}
    if classes is not None:
        names = _as_codes(names, audit, list(classes))
    kind = pa.string() if classes is None else pa.int64()
    quality = 1 - audit.column("p_mislabeled")[labelled]
    return pa.table(
        {
            "row": audit.table.column("row").filter(keep),
            "sample_id": audit.table.column("sample_id").filter(keep),
            "is_label_issue": audit.suspects()[labelled],
            "label_quality": quality,
            "given_label": pa.array(names["given_label"], kind),
            "predicted_label": pa.array(names["predicted_label"], kind),
        }
    )


def _write(audit: AuditResult, out: Path, options: ExportOptions) -> Exported:
    open_writer = pyarrow.csv.CSVWriter if out.suffix.lower() == ".csv" else pq.ParquetWriter
    pieces = [audit.table.slice(first, PIECE) for first in range(0, max(1, len(audit)), PIECE)]
    n_rows = 0
    with open_writer(out, cleanlab_table(AuditResult(pieces[0].slice(0, 0), audit.meta)).schema) as writer:
        for piece in pieces:
            table = cleanlab_table(AuditResult(piece, audit.meta))
            writer.write_table(table)
            n_rows += len(table)
    return Exported(n_rows)


def _as_codes(names: dict[str, Column], audit: AuditResult, classes: list[str]) -> dict[str, Column]:
    if sorted(classes) != sorted(audit.meta.classes):
        odd = sorted(set(classes) ^ set(audit.meta.classes)) or sorted(classes)
        raise DataError(
            f"`classes` are not those of the audit: {odd[0]!r} is only in one of them, or twice",
            fix="Give the audit's classes, audit.meta.classes, in your order.",
        )
    code = {name: number for number, name in enumerate(classes)} | {None: None}
    return {key: np.array([code[name] for name in column], dtype=np.object_) for key, column in names.items()}


FORMAT = Format(
    "the columns of its CleanLearning.get_label_issues; a .csv or .parquet file",
    _write,
    (".csv", ".parquet"),
    columns=COLUMNS,
)

"""cleanlab: the columns of its CleanLearning.get_label_issues, as CSV or Parquet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from noiseaudit.errors import DataError
from noiseaudit.exports.base import Exported, ExportOptions, Format
from noiseaudit.result import AuditResult

Column = npt.NDArray[np.object_]


def cleanlab_table(audit: AuditResult, classes: Sequence[str] | None = None) -> pa.Table:
    """The labelled rows with the columns of cleanlab's CleanLearning.get_label_issues, after row and sample_id.

    `label_quality` is 1 - p_mislabeled, low = bad, and NaN where the image could not be read; such a row is no issue.
    `predicted_label` is the likeliest class, which may be the given one; the audit's suggestion for a suspect never is.
    Labels are class names, or, where `classes` gives the order that another program numbers them in, int64 codes.
    Raises DataError unless `classes` has the audit's classes, each once.
    """
    labelled = audit.column("is_labelled").astype(np.bool_)
    is_suggested = ~(audit.column("p_given") >= audit.column("p_suggested"))  # NaN: neither was read
    predicted = np.where(is_suggested, audit.column("suggested_label"), audit.column("given_label"))
    names = {"given_label": audit.column("given_label")[labelled], "predicted_label": predicted[labelled]}
    if classes is not None:
        names = _as_codes(names, audit, list(classes))
    quality = 1 - audit.column("p_mislabeled")[labelled]
    return pa.table(
        {
            "row": np.flatnonzero(labelled),
            "sample_id": pa.array(audit.column("sample_id")[labelled], pa.string()),
            "is_label_issue": audit.suspects()[labelled],
            "label_quality": quality,
            "given_label": pa.array(names["given_label"]),
            "predicted_label": pa.array(names["predicted_label"]),
        }
    )


def _write(audit: AuditResult, out: Path, options: ExportOptions) -> Exported:
    table = cleanlab_table(audit)
    if out.suffix.lower() == ".csv":
        pyarrow.csv.write_csv(table, out)
    else:
        pq.write_table(table, out)
    return Exported(int(table.num_rows))


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
    "the columns of its CleanLearning.get_label_issues; a .csv or .parquet file", _write, (".csv", ".parquet")
)

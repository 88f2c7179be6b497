"""ImageFolder: the cleaned set as a folder of images a class, as torchvision, timm and Keras read it.

The labels are those that `noiseaudit clean` would write by the same policy and decisions.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from noiseaudit.atomic import atomic_path
from noiseaudit.clean import clean_labels
from noiseaudit.errors import ConfigError
from noiseaudit.exports.base import Exported, ExportOptions, Format, left_out
from noiseaudit.exports.files import place_all
from noiseaudit.exports.folder import MARKER, beside
from noiseaudit.exports.names import folder_names
from noiseaudit.exports.pictures import image_files
from noiseaudit.labels.folder import ROWS  # which file is which row, and what became of its label
from noiseaudit.labels.table import Source
from noiseaudit.result import AuditResult

_SCANNED = ("sample_id", "given_label")


def cleaned_rows(audit: AuditResult, options: ExportOptions, scratch: Path) -> pa.Table:
    """row, sample_id, given_label, label and action of every row that `clean` would write, by its own code.

    Raises ConfigError and DataError as clean_labels does.
    """
    before, after = scratch / "before.parquet", scratch / "after.parquet"
    pq.write_table(
        audit.table.select(["row", *_SCANNED]).rename_columns(["row", "sample_id", "label"]), before
    )
    clean_labels(
        audit,
        Source(before, "parquet", "label", id_column="sample_id"),
        after,
        policy=options.policy or "none",
        decided=options.decided,
        provenance=True,
        include_test=options.include_test,
    )
    with pq.ParquetFile(after) as file:
        table = file.read()
    table = table.select(["row", "sample_id", "noiseaudit_given_label", "label", "noiseaudit_action"])
    return table.rename_columns(["row", "sample_id", "given_label", "label", "action"])


def _write(audit: AuditResult, out: Path, options: ExportOptions) -> Exported:
    images, pictures = image_files(audit, options.pictures)
    if options.policy is None and options.decided == ExportOptions().decided:
        raise ConfigError(
            "imagefolder is of the cleaned set, and neither --policy nor --decisions is given",
            fix="As in --policy relabel; --policy none for the labels as they are.",
        )
    with beside(out) as scratch:
        table = cleaned_rows(audit, options, scratch)
    rows, labels = table.column("row").to_pylist(), table.column("label").to_pylist()
    label_of = dict(zip(rows, labels, strict=True))
    readable = np.isin(audit.column("status").astype(str), ("ok", "unlabelled"))
    kept = [row for row in rows if label_of[row] is not None and readable[row]]
    folder = folder_names(sorted({label_of[row] for row in kept}), taken=[ROWS, MARKER])
    placed = place_all(
        out,
        kept,
        folder_of=lambda row: folder[label_of[row]],
        images=images,
        ids=audit.column("sample_id").tolist(),
        pictures=pictures,
        copy=options.copy,
    )
    table = table.append_column("file", pa.array([placed.get(row) for row in rows], pa.string()))
    with atomic_path(out / ROWS) as file:
        pq.write_table(table, file)
    return Exported(len(kept), _notes(len(audit) - len(rows), labels, ~readable[rows]))


def _notes(n_dropped: int, labels: Sequence[str | None], unread: npt.NDArray[np.bool_]) -> tuple[str, ...]:
    blank = labels.count(None)
    dropped = (f"Dropped: {n_dropped:,}.",) if n_dropped else ()
    unlabelled = (f"Left out because there is no label: {blank:,}.",) if blank else ()
    return (*dropped, *unlabelled, *left_out(unread))


FORMAT = Format(
    "the cleaned set, a folder of images a class, by --policy and --decisions as clean does",
    _write,
    takes=frozenset({"copy", "policy", "decided", "include_test"}),
)

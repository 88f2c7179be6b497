"""Hugging Face: folders that `datasets.load_dataset("imagefolder", data_dir=...)` reads, with our columns as features.

metadata.parquet rather than metadata.csv: a CSV has no types, and its reader takes the labels NA, null
and nan for none.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from noiseaudit.atomic import atomic_path
from noiseaudit.exports.base import Exported, ExportOptions, Format, left_out, records_of
from noiseaudit.exports.files import place_all
from noiseaudit.exports.pictures import image_files
from noiseaudit.mend import HELD_OUT_SPLITS
from noiseaudit.result import AuditResult

LABELS = {
    "label": "given_label",
    "suggested_label": "suggested_label",
}  # columns of class codes, from the audit's
COLUMNS = (
    "sample_id", "p_mislabeled", "is_label_issue", "rank", "issue_kind", "why", "split", "annotator", "batch",
)  # fmt: skip
_TYPES = {"p_mislabeled": pa.float64(), "is_label_issue": pa.bool_(), "rank": pa.int64()}
METADATA = "metadata.parquet"
_RESERVED = (METADATA, "metadata.csv", "metadata.jsonl")  # `datasets` takes each of them for the table
_TESTS = frozenset({"test", "holdout", "eval"})


def split_of(text: str | None) -> str:
    """train, validation or test: `datasets` knows these; the column `split` keeps the label file's own word."""
    name = (text or "").strip().lower()
    if name in _TESTS:
        return "test"
    return "validation" if name in HELD_OUT_SPLITS else "train"


def metadata(audit: AuditResult, rows: Sequence[int], names: Sequence[str]) -> pa.Table:
    """The table beside the images `names` of `rows`; label and suggested_label are codes into the audit's classes."""
    code = {label: number for number, label in enumerate(audit.classes)}
    taken = records_of(audit, rows, (*LABELS.values(), *COLUMNS))
    columns: dict[str, pa.Array] = {"file_name": pa.array(names, pa.string())}
    for name, column in LABELS.items():
        columns[name] = pa.array([code.get(row[column]) for row in taken], pa.int64())
    for name in COLUMNS:
        columns[name] = pa.array([row[name] for row in taken], _TYPES.get(name, pa.string()))
    table = pa.table(columns)
    return table.replace_schema_metadata(
        {"huggingface": json.dumps({"info": {"features": _features(audit, table)}})}
    )


def _features(audit: AuditResult, table: pa.Table) -> dict[str, Any]:
    plain = {"string": "string", "double": "float64", "bool": "bool", "int64": "int64"}
    classes = {"names": list(audit.classes), "_type": "ClassLabel"}
    return {
        field.name: classes if field.name in LABELS else {"dtype": plain[str(field.type)], "_type": "Value"}
        for field in table.schema
    }


def _write(audit: AuditResult, out: Path, options: ExportOptions) -> Exported:
    images, pictures = image_files(audit, options.pictures)
    readable = np.isin(audit.column("status").astype(str), ("ok", "unlabelled"))
    rows = np.flatnonzero(readable).tolist()
    split = [split_of(text) for text in audit.column("split").tolist()]
    placed = place_all(
        out,
        rows,
        folder_of=lambda row: split[row],
        images=images,
        ids=audit.column("sample_id").tolist(),
        pictures=pictures,
        copy=options.copy,
        reserved=_RESERVED,
    )
    for folder in sorted({split[row] for row in rows}):
        members = [row for row in rows if split[row] == folder]
        names = [placed[row].split("/", 1)[1] for row in members]
        with atomic_path(out / folder / METADATA) as file:
            pq.write_table(metadata(audit, members, names), file)
    return Exported(len(rows), left_out(~readable))


FORMAT = Format(
    "images and metadata.parquet in train/, validation/ and test/, for datasets.load_dataset",
    _write,
    takes=frozenset({"copy"}),
)

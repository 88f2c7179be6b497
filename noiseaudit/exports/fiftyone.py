"""FiftyOne: a FiftyOneImageClassificationDataset of the given labels, and a second label file of the suggestions."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from noiseaudit.atomic import write_text
from noiseaudit.errors import OutputError
from noiseaudit.exports.base import Exported, ExportOptions, Format, left_out, records_of
from noiseaudit.exports.files import place_all
from noiseaudit.exports.pictures import image_files
from noiseaudit.result import AuditResult

COLUMNS = (
    "row", "sample_id", "given_label", "suggested_label", "p_suggested", "p_mislabeled", "is_label_issue", "rank",
    "issue_kind", "split", "annotator", "batch", "why",
)  # fmt: skip
FACTS = (
    "sample_id",
    "p_mislabeled",
    "is_label_issue",
    "rank",
    "issue_kind",
    "split",
    "annotator",
    "batch",
    "why",
)


def given(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """A given label with what the audit says of it; None of an unlabelled row."""
    if row["given_label"] is None:
        return None
    return {"label": row["given_label"], "attributes": _facts(row)}


def suggested(row: Mapping[str, Any]) -> dict[str, Any]:
    """A suggestion, its probability as confidence."""
    return {
        "label": row["suggested_label"],
        "confidence": row["p_suggested"],
        "attributes": {"sample_id": row["sample_id"]},
    }


def _facts(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in FACTS if row[name] is not None}


def _write(audit: AuditResult, out: Path, options: ExportOptions) -> Exported:
    images, pictures = image_files(audit, options.pictures)
    readable = np.isin(audit.column("status").astype(str), ("ok", "unlabelled"))
    rows = np.flatnonzero(readable).tolist()
    placed = place_all(
        out,
        rows,
        folder_of=lambda row: "data",
        images=images,
        ids=audit.column("sample_id").tolist(),
        pictures=pictures,
        copy=options.copy,
    )
    key = {row: posixpath.splitext(path.removeprefix("data/"))[0] for row, path in placed.items()}
    taken = records_of(audit, rows, COLUMNS)
    for name, of in (("labels", given), ("suggestions", suggested)):
        labels = {key[row["row"]]: of(row) for row in taken}
        if len(labels) != len(rows):
            raise OutputError(f"only {len(labels):,} of {len(rows):,} labels: images share a name", file=out)
        text = json.dumps({"classes": list(audit.classes), "labels": labels}, allow_nan=False)
        write_text(out / f"{name}.json", text + "\n")
    write_text(out / "README.md", _README)
    return Exported(len(rows), left_out(~readable))


_README = """# An audit for FiftyOne

    import fiftyone as fo

    kind = fo.types.FiftyOneImageClassificationDataset
    dataset = fo.Dataset.from_dir(FOLDER, dataset_type=kind, label_field="given")
    dataset.merge_dir(FOLDER, dataset_type=kind, label_field="suggested", labels_path="suggestions.json")
    suspects = dataset.match(fo.ViewField("given.is_label_issue")).sort_by("given.rank")
"""

FORMAT = Format(
    "data/, labels.json of the given labels and suggestions.json: a FiftyOneImageClassificationDataset",
    _write,
    takes=frozenset({"copy"}),
)

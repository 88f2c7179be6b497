"""What a run's `run.json` says about it, beside the clock."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from noiseaudit.clean import CleanSummary
from noiseaudit.data.limits import DEFAULT_MAX_PIXELS
from noiseaudit.expected import as_json, expect
from noiseaudit.labels.table import Source
from noiseaudit.manifest import file_sha256
from noiseaudit.ranking import dominant_pair
from noiseaudit.relabelling import expected_relabelling
from noiseaudit.result import STATUSES, AuditResult

_UNREAD = tuple(status for status in STATUSES if status not in ("ok", "unlabelled"))


@dataclass(frozen=True)
class RunInputs:
    """What a scan read, and the limits it read under."""

    source: Source
    images: Path | None = None
    embeddings: Path | None = None
    allow_roots: tuple[Path, ...] = ()
    trusted: Path | None = None
    max_pixels: int = DEFAULT_MAX_PIXELS


def describe_run(
    audit: AuditResult, inputs: RunInputs, warnings: Sequence[str], cleaned: CleanSummary
) -> dict[str, Any]:
    """What `run.json` holds beside the clock: absolute paths, source, settings, warnings and counts."""
    source = dataclasses.asdict(inputs.source) | {"path": str(inputs.source.path.absolute())}
    pair = dominant_pair(audit)
    return {
        "paths": {
            "data": source["path"],
            "images": _absolute(inputs.images),
            "embeddings": _absolute(inputs.embeddings),
            "allow_roots": [str(root.absolute()) for root in inputs.allow_roots],
            "trusted": _absolute(inputs.trusted),
        },
        "source": source,
        "max_pixels": inputs.max_pixels,
        "data_sha256": file_sha256(inputs.source.path),
        "config": audit.meta.config,
        "seed": audit.meta.seed,
        "versions": audit.meta.versions,
        "device_type": audit.meta.device_type,
        "threads": audit.meta.threads,
        "cutoff": dataclasses.asdict(audit.meta.cutoff),
        "warnings": list(warnings),
        "unread": unread_rows(audit),
        "counts": counts(audit),
        "expected": as_json(expect(audit)),
        "relabelling": dataclasses.asdict(expected_relabelling(audit)),
        "dominant_pair": dataclasses.asdict(pair) if pair else None,
        "cleaned": {
            "file": cleaned.out.name,
            "changed": cleaned.n_changed,
            "protected": cleaned.n_protected,
        },
    }


def counts(audit: AuditResult) -> dict[str, Any]:
    """Rows in all, and by what became of them.

    `checked` are the labelled rows that were read, `suggested` the unlabelled ones; `expected_mislabeled` is the
    sum of p_mislabeled.
    """
    status = audit.table.column("status").to_pylist()
    labelled = sum(audit.table.column("is_labelled").to_pylist())
    scores = audit.table.column("p_mislabeled").to_pylist()
    return {
        "rows": len(audit),
        "classes": len(audit.meta.classes),
        "labelled": labelled,
        "unlabelled": len(audit) - labelled,
        "checked": len(scores) - scores.count(None),
        "suggested": status.count("unlabelled"),
        **{name: status.count(name) for name in _UNREAD},
        "suspects": audit.table.column("is_label_issue").to_pylist().count(True),
        "expected_mislabeled": round(sum(score for score in scores if score is not None), 6),
    }


def unread_rows(audit: AuditResult) -> list[dict[str, Any]]:
    """Row, sample_id, status and reason of each row whose image could not be used."""
    columns = audit.table.select(["row", "sample_id", "status", "reason"]).to_pylist()
    return [row for row in columns if row["status"] in _UNREAD]


def _absolute(path: Path | None) -> str | None:
    return None if path is None else str(path.absolute())

"""Single rows with their pictures: suspects, and suggestions for rows without a label."""

from __future__ import annotations

from typing import Any

import numpy as np

from noiseaudit.result import AuditResult
from noiseaudit.why import records
from noiseaudit_reports.thumbnails import Thumbnails
from noiseaudit_reports.view_parts import Suggestion, Suspect

MAX_SUGGESTIONS = 12


def suspects(
    audit: AuditResult, flagged: np.ndarray[Any, Any], thumbnails: Thumbnails, limit: int
) -> tuple[Suspect, ...]:
    rows = np.flatnonzero(flagged)
    first = rows[np.argsort(audit.column("rank")[rows], kind="stable")][:limit]
    shown = [name for name in Suspect.__dataclass_fields__ if name != "thumbnail"]
    return tuple(
        Suspect(**record, thumbnail=thumbnails.uri(record["row"]))
        for record in records(audit.table.take(first), shown)
    )


def suggestions(audit: AuditResult, thumbnails: Thumbnails) -> tuple[Suggestion, ...]:
    """The unlabelled rows that the model is surest of."""
    p_suggested = audit.column("p_suggested")
    rows = np.flatnonzero((audit.column("status") == "unlabelled") & ~np.isnan(p_suggested))
    first = rows[np.argsort(-p_suggested[rows], kind="stable")][:MAX_SUGGESTIONS]
    return tuple(
        Suggestion(r["row"], r["sample_id"], r["suggested_label"], r["p_suggested"], thumbnails.uri(r["row"]))
        for r in audit.table.take(first).to_pylist()
    )

"""Pairs of classes that suspects confuse, and examples of the most frequent ones."""

from __future__ import annotations

import pyarrow.compute as pc

from noiseaudit.ranking import Pair
from noiseaudit.result import AuditResult
from noiseaudit_reports.thumbnails import Thumbnails
from noiseaudit_reports.view_parts import Example, HeatMap, Strip

MAX_HEAT_MAP_CLASSES = 20
MAX_STRIPS = 6
MAX_EXAMPLES = 8  # of a strip
_SHOWN = ("rank", "row", "sample_id", "p_mislabeled")


def heat_map(classes: tuple[str, ...], pairs: tuple[Pair, ...]) -> HeatMap | None:
    if not pairs or len(classes) > MAX_HEAT_MAP_CLASSES:
        return None
    counts = {(pair.given_label, pair.suggested_label): pair.count for pair in pairs}
    return HeatMap(classes, tuple(tuple(counts.get((g, s), 0) for s in classes) for g in classes))


def strips(audit: AuditResult, pairs: tuple[Pair, ...], thumbnails: Thumbnails) -> tuple[Strip, ...]:
    """The most suspicious examples of the first few of `pairs`."""
    suspects = audit.table.filter(pc.fill_null(audit.table.column("is_label_issue"), False))
    suspects = suspects.select([*_SHOWN, "given_label", "suggested_label"])
    found = []
    for pair in pairs[:MAX_STRIPS]:
        is_given = pc.equal(suspects.column("given_label"), pair.given_label)
        is_suggested = pc.equal(suspects.column("suggested_label"), pair.suggested_label)
        own = suspects.filter(pc.and_(is_given, is_suggested)).select(_SHOWN)
        rows = own.sort_by("rank").slice(0, MAX_EXAMPLES).to_pylist()
        found.append(Strip(pair, tuple(Example(**row, thumbnail=thumbnails.uri(row["row"])) for row in rows)))
    return tuple(found)

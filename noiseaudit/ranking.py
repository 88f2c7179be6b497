"""The rows of an audit in order of suspicion, and which classes its suspects confuse."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from noiseaudit.errors import ConfigError
from noiseaudit.result import AuditResult
from noiseaudit.why import records

LEAST_SUSPECTS = 10  # fewer say nothing about a pair of classes


@dataclass(frozen=True)
class Pair:
    """Suspects with this given label and this suggestion."""

    given_label: str
    suggested_label: str
    count: int


def ranked_rows(
    audit: AuditResult,
    columns: Sequence[str],
    *,
    by: Literal["p_mislabeled", "epsilon"] = "p_mislabeled",
    top: int | None = None,
    only_class: str | None = None,
) -> list[dict[str, Any]]:
    """`columns` ("why" too) of the rows that have a score, highest first, ties by row; the first `top` (None: all).

    Raises ConfigError if the audit has no such score or no class `only_class`.
    """
    table = audit.table
    if only_class is not None:
        _check_class(only_class, audit.meta.classes)
        table = table.filter(pc.equal(table.column("given_label"), only_class))
    table = table.filter(pc.is_valid(table.column(by)))
    if by == "epsilon" and audit.table.column(by).null_count == len(audit):
        raise ConfigError("this audit's method records no epsilon", fix="Use --by p_mislabeled.")
    ordered = table.sort_by([(by, "descending"), ("row", "ascending")])
    return records(ordered.slice(0, top), columns)


def suspect_pairs(audit: AuditResult) -> list[Pair]:
    """How many suspects each pair of given and suggested label has: most first, ties by the classes' order."""
    flagged = _suspects(audit)
    given, suggested = (flagged.column(name).to_pylist() for name in ("given_label", "suggested_label"))
    counts = Counter(pair for pair in zip(given, suggested, strict=True) if None not in pair)
    place = {name: i for i, name in enumerate(audit.meta.classes)}
    pairs = [Pair(*pair, n) for pair, n in counts.items()]
    return sorted(pairs, key=lambda p: (-p.count, place[p.given_label], place[p.suggested_label]))


def dominant_pair(audit: AuditResult) -> Pair | None:
    """The pair that holds more than half of all suspects, if these are LEAST_SUSPECTS or more.

    Perhaps one class is systematically taken for another, by the annotators or by the model.
    """
    n_suspects, pairs = len(_suspects(audit)), suspect_pairs(audit)
    if n_suspects < LEAST_SUSPECTS or not pairs or 2 * pairs[0].count <= n_suspects:
        return None
    return pairs[0]


def _suspects(audit: AuditResult) -> pa.Table:
    return audit.table.filter(pc.fill_null(audit.table.column("is_label_issue"), False))


def _check_class(name: str, classes: Sequence[str]) -> None:
    if name in classes:
        return
    near = difflib.get_close_matches(name, classes, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"Its classes are {', '.join(map(repr, classes[:10]))}."
    raise ConfigError(f"the audit has no class {name!r} (--class)", fix=hint)

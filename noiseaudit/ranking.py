"""The rows of an audit in order of suspicion."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any, Literal

import pyarrow.compute as pc

from noiseaudit.errors import ConfigError
from noiseaudit.result import AuditResult


def ranked_rows(
    audit: AuditResult,
    columns: Sequence[str],
    *,
    by: Literal["p_mislabeled", "epsilon"] = "p_mislabeled",
    top: int | None = None,
    only_class: str | None = None,
) -> list[dict[str, Any]]:
    """`columns` of the rows that have a score, highest first, ties by row; the first `top` (None: all).

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
    rows: list[dict[str, Any]] = ordered.select(list(columns)).slice(0, top).to_pylist()
    return rows


def _check_class(name: str, classes: Sequence[str]) -> None:
    if name in classes:
        return
    near = difflib.get_close_matches(name, classes, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"Its classes are {', '.join(map(repr, classes[:10]))}."
    raise ConfigError(f"the audit has no class {name!r} (--class)", fix=hint)

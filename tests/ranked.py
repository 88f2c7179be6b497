"""Rows of an audit in order of suspicion, as dictionaries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from noiseaudit.ranking import ranked_tables
from noiseaudit.result import Audited
from noiseaudit.why import records, stored


def ranked_rows(audit: Audited, columns: Sequence[str], **options: Any) -> list[dict[str, Any]]:
    """Those of `ranked_tables`; "why" may be among the columns."""
    return [
        row for table in ranked_tables(audit, stored(columns), **options) for row in records(table, columns)
    ]

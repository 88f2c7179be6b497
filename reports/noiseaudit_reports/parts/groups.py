"""Annotators and batches."""

from __future__ import annotations

from noiseaudit.groups import GroupColumn, group_rates
from noiseaudit.result import AuditResult
from noiseaudit_reports.view_parts import GroupPart

MAX_GROUPS = 1_000  # a batch column may name each row


def groups(audit: AuditResult, column: GroupColumn) -> GroupPart | None:
    """None where the audit has no such column."""
    found = group_rates(audit, column)
    if found is None:
        return None
    alone = len(found.groups) == 1
    typical = None if alone else found.prior.mean
    above = [typical is not None and group.rate.low > typical for group in found.groups]
    return GroupPart(
        typical=typical,
        prior_strength=None if alone else found.prior.strength,
        groups=found.groups[:MAX_GROUPS],
        n_groups=len(found.groups),
        n_above=sum(above),
        n_without=found.n_without,
    )

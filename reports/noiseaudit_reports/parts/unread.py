"""Rows whose image could not be used."""

from __future__ import annotations

from collections import defaultdict

from noiseaudit.result import AuditResult
from noiseaudit_reports.view_parts import UnreadGroup


def unread(audit: AuditResult) -> tuple[UnreadGroup, ...]:
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    columns = (audit.column(name) for name in ("status", "reason", "sample_id"))
    for status, reason, sample_id in zip(*columns, strict=True):
        if status not in ("ok", "unlabelled"):
            groups[status, reason or ""].append(sample_id)
    ordered = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
    return tuple(UnreadGroup(*key, len(names), tuple(names[:3])) for key, names in ordered)

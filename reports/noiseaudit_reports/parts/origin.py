"""Which data were scanned, when, and by what."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import PurePath, PureWindowsPath
from typing import Any

from noiseaudit.audit_meta import AuditMeta
from noiseaudit_reports.view_parts import Origin


def origin(meta: AuditMeta, run: Mapping[str, Any]) -> Origin:
    """As far as `run`, the content of run.json, says. Names without their folders: reports travel."""
    paths = run.get("paths") or {}
    return Origin(
        labels=_name(paths.get("data")),
        images=_name(paths.get("images")),
        date=_date(run.get("started")),
        version=meta.versions.get("noiseaudit"),
    )


def _name(path: object) -> str | None:
    """Also of a whole path of Windows, which other systems take for one long name."""
    if not isinstance(path, str):
        return None
    windows = PureWindowsPath(path)
    return (windows if windows.is_absolute() else PurePath(path)).name or None


def _date(started: object) -> str | None:
    try:
        return datetime.fromisoformat(str(started)).date().isoformat()
    except ValueError:
        return None

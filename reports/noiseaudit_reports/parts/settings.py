"""What an audit depended on, for people."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from noiseaudit.audit_meta import AuditMeta
from noiseaudit.percent import cutoff_text


def settings(meta: AuditMeta, run: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """What the audit depended on; details have a dot in their name.

    Of run.json only the duration: reports travel, hosts and paths do not.
    """
    asked, chosen = meta.config.get("asked", {}), meta.config.get("chosen", meta.config)
    settings = {
        "method": asked.get("method"),
        **_flat(chosen),
        "seed": meta.seed,
        "device": meta.device_type,
        "threads": meta.threads,
        "cut-off": meta.cutoff.rule,
        "cut-off threshold": cutoff_text(meta.cutoff.score, meta.cutoff.threshold),
        "duration": f"{float(run['seconds']):.0f} s" if "seconds" in run else None,
        "noiseaudit": meta.versions.get("noiseaudit"),
        "data fingerprint": meta.data_fingerprint,
        **_flat(asked, "asked."),
        **_flat(meta.versions, "version."),
    }
    known = {name: value for name, value in settings.items() if value is not None}
    return tuple(
        (name, value if isinstance(value, str) else json.dumps(value)) for name, value in known.items()
    )


def _flat(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in config.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return flat

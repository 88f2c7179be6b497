"""An audit's metadata: what it depended on, as its Parquet file and a saved model hold it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from noiseaudit.audit_checks import SCAN_AGAIN
from noiseaudit.classes import canonical_order
from noiseaudit.errors import DataError

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Cutoff:
    """Where suspects begin: rows with `score >= threshold` are flagged (`>` for the epsilon rule), but for
    "even", which flags fewer of them in some classes.
    """

    rule: str  # "auto", "even", "epsilon", "budget=N" or "rate=R", as the user gave it
    score: str  # the column that is cut: "p_mislabeled" or "epsilon"
    threshold: float
    reason: str  # for people


@dataclass(frozen=True)
class AuditMeta:
    """What the audit depended on, and nothing else: no clock, host or path (those live in run.json)."""

    classes: tuple[str, ...]  # in canonical order: numeric if all are integers, else by code point
    class_type: str  # the labels' type in the input: "string", "integer" or "boolean"
    config: dict[str, Any]
    versions: dict[str, str]
    seed: int
    device_type: str
    threads: int
    cutoff: Cutoff
    data_fingerprint: str  # "sha256:..." of labels and decoded images
    schema_version: int = SCHEMA_VERSION

    def to_json(self) -> str:
        """As the Parquet file holds it: keys are sorted, so equal metadata give equal text."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> AuditMeta:
        """Raises ValueError if a field is missing, unknown or of another type."""
        fields = json.loads(text)
        check_meta(fields)
        fields["classes"] = tuple(fields["classes"])
        fields["cutoff"] = Cutoff(**fields["cutoff"])
        return cls(**fields)


def checked_meta(raw: str | bytes, file: Path) -> AuditMeta:
    """An audit's metadata from its JSON text; `file` is for the DataError that a damaged one raises."""
    try:
        version = json.loads(raw)["schema_version"]
        if version != SCHEMA_VERSION:
            raise DataError(
                f"schema version {version}, but this noiseaudit reads {SCHEMA_VERSION}",
                file=file,
                fix="Scan again, or use the noiseaudit version that wrote it.",
            )
        meta = AuditMeta.from_json(raw)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise DataError(f"its metadata are damaged ({error})", file=file, fix=SCAN_AGAIN) from error
    if list(meta.classes) != canonical_order(meta.classes):
        raise DataError(
            "the class names are not in canonical order, so labels cannot be trusted",
            file=file,
            fix="Scan again.",
        )
    return meta


def check_meta(fields: Any) -> None:
    """Raise ValueError naming the first field of an audit's metadata that is missing, unknown or mistyped."""
    _check_fields(fields, _META)
    _check_fields(fields["cutoff"], _CUTOFF)


def _check_fields(fields: Any, kinds: Mapping[str, Callable[[Any], bool]]) -> None:
    if not isinstance(fields, dict):
        raise ValueError("not an object")
    odd = sorted(fields.keys() ^ kinds.keys())
    if odd:
        raise ValueError(f"{odd[0]!r} is {'unknown' if odd[0] in fields else 'missing'}")
    for name, is_right in kinds.items():
        if not is_right(fields[name]):
            raise ValueError(f"{name!r} is {str(fields[name])[:40]!r}")


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 0  # True is an int too


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and value == value


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


_META: Mapping[str, Callable[[Any], bool]] = {
    "schema_version": _is_count,
    "classes": lambda value: isinstance(value, list) and all(map(_is_text, value)),
    "class_type": lambda value: value in ("string", "integer", "boolean"),
    "config": _is_object,
    "versions": lambda value: _is_object(value) and all(map(_is_text, value.values())),
    "seed": _is_count,
    "device_type": _is_text,
    "threads": _is_count,
    "cutoff": _is_object,
    "data_fingerprint": _is_text,
}


_CUTOFF: Mapping[str, Callable[[Any], bool]] = {
    "rule": _is_text,
    "score": lambda value: value in ("p_mislabeled", "epsilon"),
    "threshold": _is_number,
    "reason": _is_text,
}

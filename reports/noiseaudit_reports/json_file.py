"""report.json: the whole view for programs. docs/audit-format.md says what its keys mean."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from noiseaudit.atomic import write_text
from noiseaudit.compare.stored import Compared
from noiseaudit.cost import SHARES
from noiseaudit.expected import as_json
from noiseaudit_reports.view import ReportView
from noiseaudit_reports.view_parts import Checked

SCHEMA_VERSION = 1


def write_json(view: ReportView, path: Path) -> None:
    """Write strict JSON in ASCII. Raises OutputError if `path` cannot be written."""
    write_text(path, render_json(view))


def render_json(view: ReportView) -> str:
    """What is not ASCII is escaped, so that no direction mark or control character of a label acts in a terminal."""
    return json.dumps(_finite(_content(view)), indent=1, allow_nan=False) + "\n"


def _content(view: ReportView) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "finding": view.finding,
        "estimate": view.estimate,
        "sureness": view.sureness,
        "counts": {
            "rows": view.n_rows,
            "checked": view.n_scored,
            "unlabelled": view.n_unlabelled,
            "unread": view.n_unread,
            "suspects": view.n_suspects,
            "classes": view.n_classes,
        },
        "cutoff": _fields(view.audit.meta.cutoff),
        "expected": as_json(view.expected),
        "expectation": view.expectation,
        "next": {
            "review": view.review_command,
            "decided": view.decided_command,
            "sample": view.sample_command or None,
            "unlabelled": view.unlabelled_command or None,
            "command": view.clean_command,
            "cleaned": view.cleaned or None,
        },
        "warnings": view.warnings,
        "classes": [_fields(each) for each in view.classes],
        "pairs": [_fields(each) for each in view.pairs],
        "dominant_pair": _fields(view.dominant_pair),
        "pair_examples": [
            _fields(strip.pair) | {"examples": [_row(each) for each in strip.examples]}
            for strip in view.strips
        ],
        "annotators": _fields(view.annotators),
        "batches": _fields(view.batches),
        "cost": _fields(view.cost),
        "histograms": {"p_mislabeled": _fields(view.p_mislabeled), "epsilon": _fields(view.epsilon)},
        "checked": _checked(view.checked),
        "reviewed": _fields(view.reviewed) | {"said": view.reviewed_text} if view.reviewed else None,
        "truth": _truth(view),
        "suspects": [_row(each) for each in view.suspects],
        "suggestions": [_row(each) for each in view.suggestions],
        "unread": [_fields(each) for each in view.unread],
        "settings": dict(view.settings),
    } | ({} if view.compared is None else {"compared": _compared(view.compared)})


def _compared(compared: Compared) -> dict[str, Any]:
    fields: dict[str, Any] = _fields(compared)
    return fields | {"shares": SHARES}


def _checked(checked: Checked | None) -> dict[str, Any] | None:
    if checked is None:
        return None
    said = {"contradicted": checked.contradicted, "said": [checked.said, checked.verdict]}
    return checked.found.to_dict() | said


def _truth(view: ReportView) -> dict[str, Any] | None:
    if view.evaluation is None:
        return None
    rules = zip(view.evaluation.rules, view.evaluation.curves, strict=True)
    return view.evaluation.to_dict() | {
        "precision_recall": {rule.rule: _fields(curve) for rule, curve in rules},
        "calibration": _fields(view.calibration),
        "reliability": [_fields(each) for each in view.reliability],
    }


def _row(item: Any) -> dict[str, Any]:
    """Without its picture."""
    return {name: value for name, value in _fields(item).items() if name != "thumbnail"}


def _fields(item: Any) -> Any:
    return None if item is None else dataclasses.asdict(item)


def _finite(value: Any) -> Any:
    """`value` with null where a number is not finite, as a cut-off that nothing reaches."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: _finite(each) for name, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_finite(each) for each in value]
    return value

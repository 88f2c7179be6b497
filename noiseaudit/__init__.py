"""noiseaudit: find wrong labels in image classification data.

The names load on first use, so that reading an audit never imports torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from noiseaudit.audit import run_audit
    from noiseaudit.audit_samples import Audit
    from noiseaudit.clean import clean_labels
    from noiseaudit.config import AuditConfig
    from noiseaudit.errors import ConfigError, DataError, NoiseAuditError, OutputError, TrainingDiverged
    from noiseaudit.estimator import NoiseAuditClassifier
    from noiseaudit.evaluation import evaluate
    from noiseaudit.labels.read import read_labels
    from noiseaudit.labels.table import LabelTable
    from noiseaudit.result import AuditResult, read_audit
    from noiseaudit.truth import Truth, read_truth

_HOME = {
    "Audit": "audit_samples",
    "AuditConfig": "config",
    "AuditResult": "result",
    "ConfigError": "errors",
    "DataError": "errors",
    "LabelTable": "labels.table",
    "NoiseAuditClassifier": "estimator",
    "NoiseAuditError": "errors",
    "OutputError": "errors",
    "TrainingDiverged": "errors",
    "Truth": "truth",
    "clean_labels": "clean",
    "evaluate": "evaluation",
    "read_audit": "result",
    "read_labels": "labels.read",
    "read_truth": "truth",
    "run_audit": "audit",
}
__all__ = [
    "Audit",
    "AuditConfig",
    "AuditResult",
    "ConfigError",
    "DataError",
    "LabelTable",
    "NoiseAuditClassifier",
    "NoiseAuditError",
    "OutputError",
    "TrainingDiverged",
    "Truth",
    "clean_labels",
    "evaluate",
    "read_audit",
    "read_labels",
    "read_truth",
    "run_audit",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'noiseaudit' has no attribute {name!r}")
    return getattr(importlib.import_module(f"noiseaudit.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

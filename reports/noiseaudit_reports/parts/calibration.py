"""p_mislabeled against the truth."""

from __future__ import annotations

import numpy as np

from noiseaudit.calibration import FOLDS, Calibration, Reliability, calibration, reliability
from noiseaudit.result import AuditResult
from noiseaudit.truth import Truth


def calibrated(audit: AuditResult, truth: Truth | None) -> tuple[Calibration | None, tuple[Reliability, ...]]:
    """Of the scored rows whose truth is known."""
    if truth is None:
        return None, ()
    p = audit.column("p_mislabeled")
    use = ~np.isnan(p) & truth.is_known
    p, wrong = p[use], truth.is_corrupted[use]
    return calibration(p, wrong) if len(p) >= FOLDS else None, reliability(p, wrong)

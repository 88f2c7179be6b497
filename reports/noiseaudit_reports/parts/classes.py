"""Classes: their labels, their suspects, and how many are expected to be wrong."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from noiseaudit.expected import Expected
from noiseaudit.result import AuditResult
from noiseaudit_reports.view_parts import ClassCount


def classes(
    audit: AuditResult, expected: Expected, scored: np.ndarray[Any, Any], flagged: np.ndarray[Any, Any]
) -> tuple[ClassCount, ...]:
    given = audit.column("given_label")
    n, n_suspects = Counter(given[scored].tolist()), Counter(given[flagged].tolist())
    wrong = expected.noise_rate_by_class
    counts = [
        ClassCount(name, n[name], n_suspects[name], wrong[name]) for name in audit.meta.classes if n[name]
    ]
    return tuple(sorted(counts, key=lambda c: -c.n_suspects))

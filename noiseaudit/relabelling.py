"""What relabelling all suspects without a look would do, by the audit's own estimate.

A suspect's label is wrong with probability p_mislabeled, and then its suggestion is right with the share that it has of
what the Guider gives to all other classes, p_suggested / (1 - p_given). The interval of the sum is a normal one,
widened to those of either end of the audit's doubt (noiseaudit.doubt), at the upper one with every suggestion right:
of digits the Guider's second thoughts are hardly ever so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from noiseaudit.doubt import recorded
from noiseaudit.expected import Z
from noiseaudit.interval import Range
from noiseaudit.odds import moved
from noiseaudit.result import AuditResult

Floats = npt.NDArray[np.float64]
SMALLEST = 1e-9


@dataclass(frozen=True)
class Relabelled:
    """Of n suspects; in labels."""

    n: int
    mended: float
    otherwise: float  # wrong before and after
    spoiled: float
    net: Range  # mended less spoiled

    @property
    def may_harm(self) -> bool:
        """Whether more may be spoiled than mended."""
        return self.net.low < 0


def expected_relabelling(audit: AuditResult) -> Relabelled:
    """Of all suspects of the audit."""
    rows = audit.suspects()
    p, given, suggested = (audit.column(name)[rows].astype(np.float64) for name in
                           ("p_mislabeled", "p_given", "p_suggested"))  # fmt: skip
    right = (suggested / np.maximum(1 - given, SMALLEST)).clip(0, 1)
    mended, spoiled = float((p * right).sum()), float((1 - p).sum())
    doubt, plain = recorded(audit.meta.config), _net(p, right)
    worst, best = _net(moved(p, doubt.low), right), _net(moved(p, doubt.high), np.ones(len(p)))
    net = Range(plain.value, min(plain.low, worst.low), max(plain.high, best.high))
    return Relabelled(len(p), mended, float(p.sum()) - mended, spoiled, net)


def _net(p: Floats, right: Floats) -> Range:
    """Each label counts 1 if it is mended, -1 if it is spoiled, 0 if it stays wrong."""
    each = p * right - (1 - p)
    reach = Z * math.sqrt((p * right + (1 - p) - each**2).sum().clip(0))
    total = float(each.sum())
    return Range(total, total - reach, total + reach)


def relabelling_text(found: Mapping[str, Any]) -> str:
    """`about 126 mended, 16 wrong in another way and 91 spoiled, in all 35 more right (-66 to 89)` of its fields."""
    net = found["net"]
    return (
        f"about {found['mended']:,.0f} mended, {found['otherwise']:,.0f} wrong in another way and "
        f"{found['spoiled']:,.0f} spoiled, in all {net['value']:,.0f} more right ({net['low']:,.0f} to "
        f"{net['high']:,.0f})"
    )

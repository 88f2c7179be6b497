"""How far off all p_mislabeled of an audit may be, as an offset of their log-odds.

Each p may be a little wrong in its own way, which averages out, and all may be wrong together, which does not: a model
that shares the annotators' mistakes misses many, one that is weak doubts too much. So what an audit expects is said
with intervals over offsets, too: of ODDS up and down, and as far as other estimates of the number of wrong labels
reach (noiseaudit.readings, noiseaudit.crossfit).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from noiseaudit.odds import shift_to

ODDS = 2.0  # they may be too high or too low by this factor: benchmarks/detection.py measures expected over true counts
CLASS_ODDS = 2.0  # and those of one class by this one beside: classes are confused in pairs


class Doubt(NamedTuple):
    """The least and the greatest offset that is taken to be possible."""

    low: float = -math.log(ODDS)
    high: float = math.log(ODDS)

    @property
    def of_class(self) -> Doubt:
        """About the rows of one class."""
        return Doubt(self.low - math.log(CLASS_ODDS), self.high + math.log(CLASS_ODDS))


def doubt_of(p: npt.NDArray[np.float64], counts: Sequence[float], slope: float = 1.0) -> Doubt:
    """The doubt about p, (n,), where `counts` are other estimates of its sum; or once its log-odds, and with them those
    of the other estimates, are multiplied by `slope`.
    """
    offsets = [*Doubt(), *(slope * shift_to(p, count) for count in counts)]
    return Doubt(min(offsets), max(offsets))


def recorded(config: Mapping[str, Any]) -> Doubt:
    """Of an audit, from its metadata; the plain one for an audit that has none."""
    return Doubt(*config.get("chosen", {}).get("doubt", Doubt()))

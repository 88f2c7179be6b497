"""Probabilities moved along their log-odds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

MOST_SHIFT = 30.0  # of `shift_to`
CERTAIN = 40.0  # log-odds beyond it are one and the same in a mean


def moved(p: Floats, offset: float | Floats = 0.0, slope: float = 1.0) -> Floats:
    """Probabilities whose log-odds are `offset`, one or (n,), + `slope` times those of p, (n,); 0 and 1 stay."""
    with np.errstate(divide="ignore"):
        return _of_odds((p / (1 - p)) ** slope * np.exp(offset))


def mean_odds(several: Sequence[Floats]) -> Floats:
    """Probabilities whose log-odds are the mean of those given, (n,) each: a logarithmic opinion pool."""
    with np.errstate(divide="ignore"):
        log_odds = [(np.log(p) - np.log1p(-p)).clip(-CERTAIN, CERTAIN) for p in several]
    return _of_odds(np.exp(np.mean(log_odds, axis=0)))


def _of_odds(odds: Floats) -> Floats:
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(np.isinf(odds), 1.0, odds / (1 + odds)))


def shift_to(p: Floats, total: float) -> float:
    """The offset that makes p, (n,), sum to `total`, or the nearest within MOST_SHIFT."""
    from scipy.optimize import brentq  # not for `evaluate` and `clean`, which start fast

    def gap(by: float) -> float:
        return float(moved(p, by).sum()) - total

    if gap(-MOST_SHIFT) >= 0:
        return -MOST_SHIFT
    return float(brentq(gap, -MOST_SHIFT, MOST_SHIFT)) if gap(MOST_SHIFT) > 0 else MOST_SHIFT

"""Means over seeds, and what two systems differ by where they share seeds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

LEVEL = 0.95


@dataclass(frozen=True)
class Summary:
    """Mean and sample standard deviation (ddof 1) of n values; None where n is too small for it."""

    n: int
    mean: float | None
    std: float | None

    def text(self, digits: int) -> str:
        """As in "2.5 ± 0.14 (n=5)", with `digits` after the point."""
        if self.mean is None:
            return "-"
        spread = "" if self.std is None else f" ± {self.std:.{digits}f}"
        return f"{self.mean:.{digits}f}{spread} (n={self.n})"


@dataclass(frozen=True)
class Difference:
    """The mean of n paired differences and its 95 % interval by Student's t."""

    n: int
    mean: float
    low: float
    high: float

    def text(self, digits: int) -> str:
        """As in "+1.2 [0.4, 2.0] (n=5)"."""
        return f"{self.mean:+.{digits}f} [{self.low:.{digits}f}, {self.high:.{digits}f}] (n={self.n})"


def summary(values: Sequence[float]) -> Summary:
    """Of the values of n seeds."""
    n = len(values)
    mean = float(np.mean(values)) if n else None
    return Summary(n, mean, float(np.std(values, ddof=1)) if n > 1 else None)


def paired_difference(one: Mapping[int, float], other: Mapping[int, float]) -> Difference | None:
    """`one` minus `other`, values by seed, over the seeds that both have; None if there are not two of them."""
    gaps = [one[seed] - other[seed] for seed in sorted(one.keys() & other.keys())]
    found = summary(gaps)
    if found.mean is None or found.std is None:  # one pair says nothing of how sure its difference is
        return None
    from scipy.stats import t

    half = float(t.ppf((1 + LEVEL) / 2, found.n - 1)) * found.std / math.sqrt(found.n)
    return Difference(found.n, found.mean, found.mean - half, found.mean + half)

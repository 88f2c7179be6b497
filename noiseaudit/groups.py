"""Rates of wrong labels by group, such as annotators or batches, shrunken towards what groups have in common.

Each group's rate is taken for a draw from one beta distribution, the prior, and its wrong labels for a binomial count
at that rate (empirical Bayes). The count is an expected one, the sum of p_mislabeled over the group's labels; the
prior's mean and strength are those that make all counts together most likely. A group of few labels then stays near
the prior, and one of many goes its own way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import betaincinv, betaln, digamma

from noiseaudit.arrays import codes
from noiseaudit.interval import Range
from noiseaudit.result import AuditResult

Floats = npt.NDArray[np.float64]
GroupColumn = Literal["annotator", "batch"]

TAIL = 0.025  # on either side of a 95 % interval
LEAST = 0.5  # labels of either kind that a prior weighs
STARTS = (3.0, 30.0, 300.0)  # strengths from which the search begins


@dataclass(frozen=True)
class Prior:
    """A beta distribution of rates."""

    mean: float  # in (0, 1)
    strength: float  # in labels: a group of as many has half a say in its own rate


@dataclass(frozen=True)
class Group:
    """Labels of one annotator or batch that were scored."""

    name: str
    n: int
    n_suspects: int
    wrong: float  # expected wrong labels: sum of p_mislabeled
    rate: Range  # the shrunken share of wrong labels, with its 95 % interval


@dataclass(frozen=True)
class Groups:
    """All groups of a column: the highest lower end of the interval first, ties by name."""

    column: GroupColumn
    prior: Prior
    groups: tuple[Group, ...]
    n_without: int  # scored labels that name no group


def group_rates(audit: AuditResult, column: GroupColumn) -> Groups | None:
    """Of the audit's scored labels; None where none of them names a group."""
    p = audit.column("p_mislabeled")
    places, names = codes(audit.table.column(column))
    use = ~np.isnan(p) & (places >= 0)
    if not use.any():
        return None
    counts = np.bincount(places[use], minlength=len(names))
    suspects = np.bincount(places[use & audit.suspects()], minlength=len(names))
    wrong: Floats = np.bincount(places[use], weights=p[use], minlength=len(names)).astype(np.float64)
    there = np.flatnonzero(counts)
    prior = fit_prior(wrong[there], counts[there])
    rates = shrunken(wrong[there], counts[there], prior)
    texts = names.to_pylist()
    groups = [
        Group(texts[i], int(counts[i]), int(suspects[i]), float(wrong[i]), rate)
        for i, rate in zip(there.tolist(), rates, strict=True)
    ]
    ordered = sorted(groups, key=lambda group: (-group.rate.low, group.name))
    return Groups(column, prior, tuple(ordered), int((~np.isnan(p)).sum() - use.sum()))


def fit_prior(wrong: Floats, n: npt.NDArray[np.integer]) -> Prior:
    """The most likely prior of groups with `wrong` of `n` labels, both (g,), wrong counts may be fractions.

    It weighs at least half a wrong and half a right label, which is what a single group gets, and neither part weighs
    more than all labels together: they cannot tell more of it, so intervals stay open where all groups look the same.
    """
    if len(n) == 1:  # nothing to compare with
        return Prior(0.5, 1.0)
    most = float(np.log(n.sum()))
    share = (wrong.sum() + LEAST) / (n.sum() + 2 * LEAST)
    found = [
        minimize(
            _loss,
            np.log([share * start, (1 - share) * start]).clip(np.log(LEAST), most),
            (wrong, n),
            "L-BFGS-B",
            jac=True,
            bounds=[(np.log(LEAST), most)] * 2,
        )
        for start in STARTS
    ]
    a, b = np.exp(min(found, key=lambda each: float(each.fun)).x).tolist()
    return Prior(a / (a + b), a + b)


def shrunken(wrong: Floats, n: npt.NDArray[np.integer], prior: Prior) -> Sequence[Range]:
    """The rate of each group given its labels, (g,): mean and 95 % interval of its beta distribution."""
    a = prior.mean * prior.strength + wrong
    b = (1 - prior.mean) * prior.strength + (n - wrong)
    ends = (betaincinv(a, b, TAIL), betaincinv(a, b, 1 - TAIL))
    return [Range(*each) for each in zip(*(x.tolist() for x in (a / (a + b), *ends)), strict=True)]


def _loss(logs: Floats, wrong: Floats, n: npt.NDArray[np.integer]) -> tuple[float, Floats]:
    """Minus the log-likelihood a group, of Beta(a, b) at the logs of a and b, without terms that neither changes, and
    its gradient."""
    a, b = np.exp(logs)
    value = betaln(a + wrong, b + n - wrong) - betaln(a, b)
    both = digamma(a + b) - digamma(a + b + n)
    by_a = a * (digamma(a + wrong) - digamma(a) + both).mean()
    by_b = b * (digamma(b + n - wrong) - digamma(b) + both).mean()
    return -float(value.mean()), -np.array([by_a, by_b])

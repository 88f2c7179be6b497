"""Rates of wrong labels by group, such as annotators or batches, shrunken towards what groups have in common.

Each group's rate is taken for a draw from one beta distribution, the prior. What its scores say of it counts as so many
labels of known truth (known_counts): the softer the scores, the fewer. How strong the prior is stays open: every
strength has a say by how likely it makes the counts, so an interval is wide where they cannot tell groups apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv, betaln

from noiseaudit.arrays import codes
from noiseaudit.interval import Range
from noiseaudit.known_counts import known_counts
from noiseaudit.result import AuditResult

Floats = npt.NDArray[np.float64]
GroupColumn = Literal["annotator", "batch"]

TAIL = 0.025  # on either side of a 95 % interval
STRENGTHS: Floats = np.geomspace(1, 10_000, 60)
USUAL = 4.0  # half of all priors are weaker before anything is seen
HYPERPRIOR: Floats = np.log(
    STRENGTHS / (USUAL + STRENGTHS) ** 2
)  # a uniform share of the prior in a group of USUAL
ANCHOR = 0.05  # groups that the mean of all scores weighs
EDGE = 1e-4  # how near to 0 and 1 a mean rate may come


@dataclass(frozen=True)
class Prior:
    """A beta distribution of rates."""

    mean: float  # in (0, 1)
    strength: float  # in labels of known truth: a group of as many has half a say in its own rate


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
    prior, rates = _rates(
        p[use], np.searchsorted(there, places[use]), wrong[there], counts[there], float(np.nanmean(p))
    )
    texts = names.to_pylist()
    groups = [
        Group(texts[i], int(counts[i]), int(suspects[i]), float(wrong[i]), rate)
        for i, rate in zip(there.tolist(), rates, strict=True)
    ]
    ordered = sorted(groups, key=lambda group: (-group.rate.low, group.name))
    return Groups(column, prior, tuple(ordered), int((~np.isnan(p)).sum() - use.sum()))


def _rates(
    p: Floats, places: npt.NDArray[np.integer], wrong: Floats, n: npt.NDArray[np.integer], pi: float
) -> tuple[Prior, list[Range]]:
    if len(n) == 1:  # nothing to compare with: scores calibrated over all are so in it
        a, b = wrong + 0.5, n - wrong + 0.5
        mean = a / (a + b)
        return Prior(0.5, 1.0), _ranges(mean, mean * (1 - mean) / (a + b + 1))
    return shrunken(*known_counts(p, places, len(n), pi), pi)


def shrunken(wrong: Floats, right: Floats, center: float) -> tuple[Prior, list[Range]]:
    """The prior of groups with such counts, (g,), not necessarily whole, and each group's mean rate and interval.

    `center` is the mean rate where the counts say nothing of it.
    """
    n = wrong + right
    priors = [_prior(wrong, n, strength, center) for strength in STRENGTHS.tolist()]
    logs = np.array([_likelihood(wrong, right, prior) for prior in priors]) + HYPERPRIOR
    weights = np.exp(logs - logs.max())
    weights /= weights.sum()
    mean, square = np.zeros(len(n)), np.zeros(len(n))
    for weight, prior in zip(weights.tolist(), priors, strict=True):
        total = n + prior.strength
        each = (wrong + prior.mean * prior.strength) / total
        of_mean = prior.mean * (1 - prior.mean) / ((prior.strength + 1) * len(n))
        variance = each * (1 - each) / (total + 1) + (prior.strength / total) ** 2 * of_mean
        mean += weight * each
        square += weight * (variance + each**2)
    shared = Prior(
        float(weights @ [prior.mean for prior in priors]), float(np.exp(weights @ np.log(STRENGTHS)))
    )
    return shared, _ranges(mean, square - mean**2)


def _prior(wrong: Floats, n: Floats, strength: float, center: float) -> Prior:
    """With the mean of the groups' rates, weighed by how much each of them tells at that strength."""
    mean = ((wrong / (n + strength)).sum() + ANCHOR * center) / ((n / (n + strength)).sum() + ANCHOR)
    return Prior(float(np.clip(mean, EDGE, 1 - EDGE)), strength)


def _likelihood(wrong: Floats, right: Floats, prior: Prior) -> float:
    a, b = prior.mean * prior.strength, (1 - prior.mean) * prior.strength
    return float((betaln(a + wrong, b + right) - betaln(a, b)).sum())


def _ranges(mean: Floats, variance: Floats) -> list[Range]:
    """Of beta distributions with these moments."""
    size = mean * (1 - mean) / variance - 1
    a, b = mean * size, (1 - mean) * size
    # a distribution almost all of which lies at 0 or 1 may have its mean beyond the tail
    ends = (np.minimum(betaincinv(a, b, TAIL), mean), np.maximum(betaincinv(a, b, 1 - TAIL), mean))
    return [Range(*each) for each in zip(*(x.tolist() for x in (mean, *ends)), strict=True)]

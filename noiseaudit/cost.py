"""What a review costs: wrong labels found by the number of images looked at, in the audit's order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from noiseaudit.result import AuditResult
from noiseaudit.truth import Truth

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

POINTS = 400
SHARES = (0.5, 0.8, 0.9, 0.95)  # of the wrong labels, for which the number of images is told


@dataclass(frozen=True)
class Milestone:
    """A number of images, looked at from the most suspicious on, and what that finds.

    `share` of the expected wrong labels is what `random` images, looked at in any other order, are expected to find.
    """

    reviewed: int
    expected: float
    share: float
    random: float
    known: int | None  # None without truth


@dataclass(frozen=True)
class CostCurve:
    """Wrong labels found after `reviewed` images: by p_mislabeled, and by the truth of all of them where given.

    `reviewed` rises from 0 to `n`, at most POINTS or so; a straight line from 0 to the last is the random order.
    """

    n: int  # labels that take part
    reviewed: tuple[int, ...]
    expected: tuple[float, ...]
    known: tuple[int, ...] | None
    at_cutoff: Milestone | None  # after all suspects; None where there are none
    milestones: tuple[Milestone, ...]  # of SHARES


def cost_curve(audit: AuditResult, truth: Truth | None = None) -> CostCurve | None:
    """Of the scored labels, or of those whose truth is known; None without any, or where none can be wrong."""
    p = audit.column("p_mislabeled")
    use = ~np.isnan(p) if truth is None else ~np.isnan(p) & truth.is_known
    rows = np.flatnonzero(use)
    rows = rows[np.argsort(audit.column("rank")[rows], kind="stable")]
    expected = np.append(0.0, np.cumsum(p[rows]))
    if not expected[-1] > 0:
        return None
    known = None if truth is None else np.append(0, np.cumsum(truth.is_corrupted[rows], dtype=np.int64))
    n_suspects = int(audit.suspects()[rows].sum())
    keep = points(len(rows), n_suspects)
    return CostCurve(
        n=len(rows),
        reviewed=tuple(keep.tolist()),
        expected=tuple(expected[keep].tolist()),
        known=None if known is None else tuple(known[keep].tolist()),
        at_cutoff=_milestone(n_suspects, expected, known) if n_suspects else None,
        milestones=tuple(_milestone(place, expected, known) for place in reached(expected)),
    )


def reached(found: Floats | Counts) -> list[int]:
    """The first places of `found`, rising, that hold each of SHARES of its last value: (s,)."""
    # What a sum of 0.9 and 0.1 misses to 1 by rounding shall not cost an image.
    wanted = np.array(SHARES) * found[-1] * (1 - 1e-12)
    places: list[int] = np.searchsorted(found, wanted).tolist()
    return places


def points(n: int, *kept: int, most: int = POINTS) -> Counts:
    """Numbers of images at which a curve is kept: half of `most` evenly, half by equal factors, and those `kept`."""
    even, by_factor = np.linspace(0, n, most // 2), np.geomspace(1, n, most // 2)
    return np.unique(np.concatenate([even, by_factor, [0, *kept, n]]).round().astype(np.int64))


def _milestone(reviewed: int, expected: Floats, known: Counts | None) -> Milestone:
    share = float(expected[reviewed] / expected[-1])
    return Milestone(
        reviewed=reviewed,
        expected=float(expected[reviewed]),
        share=share,
        random=share * (len(expected) - 1),
        known=None if known is None else int(known[reviewed]),
    )

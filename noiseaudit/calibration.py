"""Do probabilities mean what they say? Measures of p_mislabeled against the truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from noiseaudit.metrics import Interval, proportion

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

BINS = 15  # of equal mass
GROUPS = 10  # of equal width, in a reliability diagram
FOLDS = 5
SMALLEST = 1e-6  # a probability of exactly 0 or 1 that is wrong would cost infinitely much


@dataclass(frozen=True)
class Calibration:
    """Of n probabilities. `best_*` is what the same ranking reaches once it is recalibrated on the truth."""

    ece: float  # expected calibration error
    brier: float
    log_loss: float
    best_brier: float
    best_log_loss: float
    count_ratio: float | None  # sum of the probabilities / number of wrong labels; None where there are none


@dataclass(frozen=True)
class Reliability:
    """Labels whose probability lies between two bounds: what it says of them, and how many are wrong."""

    low: float
    high: float
    n: int
    mean: float  # of the probabilities
    wrong: Interval  # share of wrong labels


def calibration(p: Floats, wrong: Flags, seed: int = 0) -> Calibration:
    """Of `p` against `wrong`, both (n,), n of FOLDS or more.

    Recalibration is isotonic regression, cross-validated: each fold is mapped by what the others say.
    """
    best = recalibrated(p, wrong, seed)
    n_wrong = int(wrong.sum())
    return Calibration(
        expected_calibration_error(p, wrong),
        brier(p, wrong),
        log_loss(p, wrong),
        brier(best, wrong),
        log_loss(best, wrong),
        float(p.sum()) / n_wrong if n_wrong else None,
    )


def expected_calibration_error(p: Floats, wrong: Flags, bins: int = BINS) -> float:
    """Mean distance of mean probability and share of wrong labels over `bins` groups of equal size, by p."""
    order = np.argsort(p, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    return float(sum(len(part) * abs(p[part].mean() - wrong[part].mean()) for part in parts) / len(p))


def reliability(p: Floats, wrong: Flags, groups: int = GROUPS) -> tuple[Reliability, ...]:
    """Of `p` in [0, 1] against `wrong`, both (n,), in groups of equal width; those without labels are left out."""
    place = np.minimum((p * groups).astype(np.int64), groups - 1)
    n, n_wrong = np.bincount(place, minlength=groups), np.bincount(place[wrong], minlength=groups)
    total = np.bincount(place, weights=p, minlength=groups)
    return tuple(
        Reliability(
            i / groups,
            (i + 1) / groups,
            int(n[i]),
            float(total[i] / n[i]),
            proportion(int(n_wrong[i]), int(n[i])),
        )
        for i in np.flatnonzero(n).tolist()
    )


def brier(p: Floats, wrong: Flags) -> float:
    """Mean squared distance of the probabilities from 0 and 1."""
    return float(np.mean((p - wrong) ** 2))


def log_loss(p: Floats, wrong: Flags) -> float:
    """Mean negative log-likelihood, in nats."""
    held = p.clip(SMALLEST, 1 - SMALLEST)
    return float(-np.mean(np.where(wrong, np.log(held), np.log1p(-held))))


def recalibrated(p: Floats, wrong: Flags, seed: int = 0) -> Floats:
    """`p` mapped monotonically to what the truth of the other folds says, (n,)."""
    from sklearn.isotonic import IsotonicRegression
    from sklearn.model_selection import KFold

    found = np.zeros(len(p))
    for train, held_out in KFold(FOLDS, shuffle=True, random_state=seed).split(p):
        model = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(p[train], wrong[train])
        found[held_out] = model.predict(p[held_out])
    return found

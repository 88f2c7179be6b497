"""What soft scores say of each group's rate, as counts of labels whose truth would be known.

Scores that are calibrated over all rows are not so within a group whose rate differs. A wrong label draws a score p in
proportion to p / pi, a right one to (1 - p) / (1 - pi), pi being the mean of all; at a rate t a group's scores
are as likely as the product of t p / pi + (1 - t) (1 - p) / (1 - pi). This assumes that groups differ in how many of
their labels are wrong, not in how wrong ones look. Each likelihood is replaced by that of a binomial count with the
same slope and curvature at a place between its top and pi: exact where every p is 0 or 1, of no label where p is the
same everywhere.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

NEAR = 10.0  # labels that draw the place of matching to pi: at 0 and 1 soft likelihoods have another shape
STEPS = 30  # a binomial likelihood takes one
INSIDE = 1e-6  # how near to 0 and 1 a rate may come


def known_counts(
    p: Floats, places: npt.NDArray[np.integer], n_groups: int, pi: float
) -> tuple[Floats, Floats]:
    """Wrong and right labels, (g,), not whole, from scores (r,) in [0, 1] and their groups (r,), from 0.

    `pi` is the mean score of all rows, those without a group among them."""
    if not 0 < pi < 1:
        sizes = np.bincount(places, minlength=n_groups).astype(np.float64)
        return sizes * pi, sizes * (1 - pi)
    wrong_like, right_like = p / pi, (1 - p) / (1 - pi)
    gain = wrong_like - right_like
    rate = np.full(n_groups, pi)
    for _ in range(STEPS):
        rate = rate.clip(INSIDE, 1 - INSIDE)
        ratio = gain / (right_like + rate[places] * gain)
        slope = np.bincount(places, ratio, n_groups).astype(np.float64)
        bend = np.bincount(places, ratio**2, n_groups).astype(np.float64)  # minus the second derivative
        a, b = rate**2 * ((1 - rate) * bend + slope), (1 - rate) ** 2 * (rate * bend - slope)
        a, b = (
            np.where(a < 0, 0, np.where(b < 0, rate * slope, a)),
            np.where(b < 0, 0, np.where(a < 0, (rate - 1) * slope, b)),
        )
        rate = (rate + (a + NEAR * pi) / (a + b + NEAR)) / 2  # half a step: long ones may swing
    return a, b

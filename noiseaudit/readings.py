"""p_mislabeled as `scan` has it: two readings of the noise, pooled.

Planted noise, and slips of the hand, depend on the class alone (noiseaudit.score); what people find hard depends on the
image (noiseaudit.image_noise). Labels alone do not tell how much of each there is: the first reading takes people's
mistakes for the network's and expects too few, the second the network's for people's and expects too many. So the mean
of their log-odds is taken, and multiplied by SURENESS, because a network is wrong about many rows for one reason, which
a temperature, fitted to the labels that it learnt from, does not see. docs/method.md measures each step.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from noiseaudit.image_noise import fit_image_noise, has_enough, p_mislabeled
from noiseaudit.odds import mean_odds, moved
from noiseaudit.score import Codes, Scored, best_classes, score_with_noise

SURENESS = 0.7  # human labels (CIFAR-10N) showed the size
LEAST_GAMMA = 0.02  # below it the second reading is the first, with a T from fewer rows


def score_both(probs: npt.NDArray[np.float32], given: Codes) -> Scored:
    """p_mislabeled of n labelled rows from the Guider's probabilities (n, C) and the given classes (n,).

    `counts` are the numbers of wrong labels that the readings expect by themselves; none where labels are too few, or
    classes too many, for the second, or where it is the first.
    """
    by_class = score_with_noise(probs, given)
    alone = by_class._replace(p=moved(by_class.p, slope=SURENESS))
    if by_class.noise is None or not has_enough(len(given), probs.shape[1]):
        return alone
    candidates = best_classes(probs, given)
    image_noise = fit_image_noise(candidates, by_class.noise, probs.shape[1])
    if image_noise.gamma < LEAST_GAMMA:
        return alone
    both = by_class.p, p_mislabeled(candidates, image_noise)
    counts = tuple(float(moved(p, slope=SURENESS).sum()) for p in both)
    return Scored(moved(mean_odds(both), slope=SURENESS), by_class.noise, counts)

"""p_mislabeled as `scan` has it: two readings of the noise, of which labels alone do not tell the share of each.

Planted noise, and slips of the hand, depend on the class alone (noiseaudit.score); what people find hard depends on the
image (noiseaudit.image_noise). Of a network that was trained as the paper has it, the first reading takes people's
mistakes for the network's and expects too few, the second the network's for people's and expects too many: the mean of
their log-odds is taken. A network that was trained through an estimate of the noise (noiseaudit.class_noise) has learnt
people's mistakes as well as the labels permit, so the second reading is taken, with a gamma that is expected to be
there, unless the labels speak against it. All log-odds are multiplied by 0.7 or so (_sureness), because a network is
wrong about many rows for one reason, which a temperature, fitted to the labels that it learnt from, does not see.
docs/method.md measures each step.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from noiseaudit.data.training import Kind
from noiseaudit.image_noise import (
    LITTLE_GAMMA,
    GammaPrior,
    ImageNoise,
    as_noise,
    fit_image_noise,
    fit_rows,
    has_enough,
    p_mislabeled,
)
from noiseaudit.odds import mean_odds, moved
from noiseaudit.score import Candidates, Codes, Scored, best_classes, score_with_noise

SURENESS = 0.7  # human labels (CIFAR-10N) showed the size
WIDE_SURENESS = 0.45  # of wide vectors, of which networks learn labels by heart
VECTOR_SURENESS = 0.6  # of others, where the network was trained through the noise
PLANTED_SURENESS = 0.9  # of a network trained through the noise, where labels speak against people's mistakes
LEAST_GAMMA = 0.02  # below it the second reading is the first, with a T from fewer rows
HUMAN_GAMMA = (
    0.2  # of people's mistakes, where a network was trained through the noise; and no more than that
)
HUMAN_DEVIATION = 0.5  # of the prior about it, where one label is wrong; falls with the root of their number
MOST_COUNTED = 1_400  # wrong labels: beyond them it falls no more
LEAST_HUMAN_GAMMA = 0.08  # below it the labels speak against people's mistakes, in spite of the prior


class ImageReading(NamedTuple):
    """The second reading, with the first, whose rows and classes it has."""

    by_class: Scored
    candidates: Candidates
    noise: ImageNoise


def score_readings(
    probs: npt.NDArray[np.float32], given: Codes, kind: Kind = Kind.IMAGES, noise_known: bool = False
) -> Scored:
    """p_mislabeled of n labelled rows from the Guider's probabilities (n, C) and the given classes (n,).

    `kind` is of what the network was trained on; `noise_known`: through an estimate of the noise. `counts` are the
    numbers of wrong labels that the readings expect by themselves; none where labels are too few, or classes too many,
    for the second, or where it is the first.
    """
    if not has_enough(len(given), probs.shape[1]):
        return _calmed(score_with_noise(probs, given), _sureness(kind, False, False))
    by_class, candidates, noise = read_by_image(probs, given, noise_known)
    is_planted = noise_known and noise.gamma < LEAST_HUMAN_GAMMA
    sureness = _sureness(kind, noise_known, is_planted)
    if noise.gamma < LEAST_GAMMA:
        return _calmed(by_class, sureness)
    by_image = p_mislabeled(candidates, noise)
    counts = tuple(float(moved(p, slope=sureness).sum()) for p in (by_class.p, by_image))
    if noise_known and not is_planted:
        of_both = Scored(by_image, as_noise(candidates, noise, probs.shape[1]))
    else:
        of_both = by_class if is_planted else by_class._replace(p=mean_odds((by_class.p, by_image)))
    return _calmed(of_both._replace(counts=counts), sureness)


def read_by_image(probs: npt.NDArray[np.float32], given: Codes, noise_known: bool) -> ImageReading:
    """The second reading of one or more rows.

    Where the network was trained through the noise, the prior about gamma holds against as many wrong labels as are
    expected: their likelihood is that of a network which learnt to explain them without gamma.
    """
    candidates, by_class = best_classes(probs, given), score_with_noise(probs, given)
    assert by_class.noise is not None
    prior = LITTLE_GAMMA
    if noise_known:
        n_wrong = by_class.p.mean() * fit_rows(len(given), probs.shape[1])
        deviation = HUMAN_DEVIATION / min(max(n_wrong, 1.0), MOST_COUNTED) ** 0.5
        prior = GammaPrior(HUMAN_GAMMA, deviation, HUMAN_GAMMA)
    return ImageReading(
        by_class, candidates, fit_image_noise(candidates, by_class.noise, probs.shape[1], prior)
    )


def _sureness(kind: Kind, noise_known: bool, is_planted: bool) -> float:
    if kind is Kind.WIDE_VECTORS:
        return WIDE_SURENESS
    if kind is Kind.VECTORS and noise_known:
        return VECTOR_SURENESS
    return PLANTED_SURENESS if is_planted else SURENESS


def _calmed(scored: Scored, slope: float) -> Scored:
    return scored._replace(p=moved(scored.p, slope=slope))

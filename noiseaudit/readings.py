"""p_mislabeled as `scan` has it, of networks that learnt from the labels which they judge.

A network that was trained through an estimate of the noise (noiseaudit.class_noise) was drawn to each label y_hat by
the gradient of log sum_y q(y|x) T[y, y_hat] with respect to the logit of y_hat,

    p(y = y_hat | x, y_hat) - q(y_hat|x),

which is large where a label is doubtful and small where it is certain, right or wrong. So much, times a pull, is taken
from the log-odds of the label being right: about what the network would say if this label had not taught it. The pull
is the stronger the more of the noise depends on the image (noiseaudit.image_noise): such mistakes look plausible, and
are learnt first; and where each label weighs more because only some rows have one. Where the loss has a power, the
gradient is smaller by the likelihood to this power; that is left out, and WIDE_SLOPE was fitted with it left out.

One that was trained as the paper has it gives doubtful labels up in place of learning them. Of it two readings of the
noise are taken, of which labels alone do not tell the share of each. Planted noise, and slips of the hand, depend on
the class alone (noiseaudit.score); what people find hard depends on the image. The first reading takes people's
mistakes for the network's and expects too few, the second the network's for people's and expects too many: the mean of
their log-odds is taken.

All log-odds are multiplied by a slope, because a network is wrong about many rows for one reason, which a temperature,
fitted to the labels that it learnt from, does not see. docs/method.md measures each step.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from noiseaudit.class_noise import LEAST_LABELLED, fit_people
from noiseaudit.data.inputs import Kind
from noiseaudit.image_noise import ImageNoise, fit_image_noise, has_enough, p_mislabeled
from noiseaudit.odds import mean_odds, moved
from noiseaudit.score import Codes, Floats, Noise, Scored, best_classes, score_with_noise

Probs = npt.NDArray[np.float32]

SLOPE = 0.7  # human labels (CIFAR-10N) showed the size
IMAGES_SLOPE = 0.9  # of images, whose jitter keeps labels from being learnt by heart, through the noise
WIDE_SLOPE = 0.45  # of wide vectors, of which they are learnt by heart soonest
PULL, PULL_OF_GAMMA = 1.0, 10.0  # log-odds per unit of the gradient: PULL + PULL_OF_GAMMA x gamma
LEAST_GAMMA = 0.02  # below it the second reading is the first, with a T from fewer rows


def score_readings(
    probs: Probs, given: Codes, kind: Kind, *, noise_known: bool, taught: float | Floats = 1.0
) -> Scored:
    """p_mislabeled of n labelled rows from the Guider's probabilities (n, C) and the given classes (n,).

    `kind` is of what the network was trained on; `noise_known`: through an estimate of the noise. `taught` is the
    share of the log-odds that comes of networks which the row's own label taught, of all or of each (n,): so much of
    the pull is taken back, times `labels_strength` where some rows have no label. `counts` are other estimates of the
    number of wrong labels: after learning through the noise those with none and with twice of what is taken back; else
    those of each reading, none where there is only the first.
    """
    by_class, slope = score_with_noise(probs, given), slope_of(kind, noise_known)
    if noise_known:
        pulls = taught * _pulls(by_class, probs, given)
        without, once, twice = (moved(moved(by_class.p, k * pulls), slope=slope) for k in (0, 1, 2))
        return by_class._replace(p=once, counts=(float(without.sum()), float(twice.sum())))
    noise = None if by_class.noise is None else second_noise(by_class.noise, probs, given)
    if noise is None:
        return by_class._replace(p=moved(by_class.p, slope=slope))
    by_image = p_mislabeled(best_classes(probs, given), noise)
    counts = tuple(float(moved(p, slope=slope).sum()) for p in (by_class.p, by_image))
    return by_class._replace(p=moved(mean_odds((by_class.p, by_image)), slope=slope), counts=counts)


def slope_of(kind: Kind, noise_known: bool) -> float:
    """Of the log-odds of networks that were trained on such x."""
    if kind is Kind.WIDE_VECTORS:
        return WIDE_SLOPE
    return IMAGES_SLOPE if kind is Kind.IMAGES and noise_known else SLOPE


def _pulls(by_class: Scored, probs: Probs, given: Codes) -> Floats:
    """By how much each label drew the network to itself: (n,) log-odds."""
    gamma = 0.0
    if by_class.noise is not None and has_enough(len(given), probs.shape[1]):
        gamma = fit_people(best_classes(probs, given), by_class.noise, probs.shape[1]).gamma
    gradient = 1 - by_class.p - probs[np.arange(len(given)), given]
    return np.asarray(
        (PULL + PULL_OF_GAMMA * gamma) * gradient.clip(0)
    )  # T is fitted anew: it may be below 0


def labels_strength(n_labelled: int, n_rows: int) -> float:
    """How many times the pull of fully labelled data a label has where only some rows have one: 1 to 2.

    The labels of a batch weigh the same in all, so each weighs the more, the fewer they are; what it draws was measured
    to grow with the root of its weight (docs/method.md).
    """
    return math.sqrt(1 / max(n_labelled / max(1, n_rows), LEAST_LABELLED))


def second_noise(by_class: Noise, probs: Probs, given: Codes) -> ImageNoise | None:
    """The noise of the second reading, None where it cannot be told from the first."""
    if not has_enough(len(given), probs.shape[1]):
        return None
    noise = fit_image_noise(best_classes(probs, given), by_class, probs.shape[1])
    return noise if noise.gamma >= LEAST_GAMMA else None

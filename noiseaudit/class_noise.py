"""T, the noise between classes, learnt while a network trains, so that it can learn from labels through it.

The paper's labelled term is linear in q. It gives wrong labels up, and hard right ones with them. With T[y, y_hat] =
p(y_hat | y) at hand, the likelihood of the label itself can be maximised (objective.noisy_label_loss; Patrini et al.
2017), under which a hard label is learnt and a wrong one is explained. So a network begins with the linear term, and
T is estimated from its Guider's predictions at some points of the schedule. Later ones matter where the first
network was weak. T is the mean over images of a noise that depends on the image, too (noiseaudit.image_noise): fitted
as if it did not, it would shrink as the network learnt the annotators' mistakes, and these the faster.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from noiseaudit.data.inputs import Inputs
from noiseaudit.image_noise import GammaPrior, ImageNoise, fit_image_noise, fit_rows, has_enough, mean_rates
from noiseaudit.score import Candidates, Codes, Noise, best_classes, fit_noise, p_mislabeled

LEARNT_AT = (0.25, 0.5, 0.75)  # shares of the schedule
EARLY = 0.125  # and here on images, whose jitter keeps labels from being learnt by heart
LEAST_ACCURACY = (
    0.75  # of the network, as labels show it: the share that it agrees with, of the share that is right
)
LEAST_TOLD = 0.25  # of what labels would tell if all were right: the share that is, beyond chance
LEAST_LABELLED, LEAST_VECTORS = (
    0.25,
    0.5,
)  # shares of the rows: where fewer have a label, it is seen too often
VECTORS_A_CLASS = 150  # labels of vectors: with fewer, T is a weak network's
HUMAN_GAMMA = 0.2  # of people's mistakes, and no more than that
HUMAN_DEVIATION = 0.5  # of the prior about it, where one label is wrong; falls with the root of their number
MOST_COUNTED = 1_400  # wrong labels: beyond them it falls no more


def can_be_learnt(inputs: Inputs) -> bool:
    """Whether labels are enough for T, and for a loss that learns what it is told.

    Not where few rows have one: these are seen again and again.
    """
    least = LEAST_LABELLED if inputs.is_image else LEAST_VECTORS
    if inputs.has_few_labels or inputs.n_labelled < least * inputs.n_rows:
        return False
    is_many = inputs.is_image or inputs.n_labelled >= VECTORS_A_CLASS * inputs.n_classes
    return is_many and has_enough(inputs.n_labelled, inputs.n_classes)


def is_due(epoch: int, epochs: int, is_image: bool) -> bool:
    """Whether T is to be estimated after this epoch, of 1 to `epochs`; never after the last."""
    shares = (EARLY, *LEARNT_AT) if is_image else LEARNT_AT
    return epoch < epochs and any(epoch - 1 < share * epochs <= epoch for share in shares)


def class_noise(probs: npt.NDArray[np.float32], given: Codes) -> npt.NDArray[np.float32] | None:
    """T, (C, C), rows y, from the Guider's probabilities (n, C) and the given classes (n,).

    People's mistakes are expected from the first estimate on: too small a T would teach them. None where the network
    is too weak to tell noise from its own mistakes: T would explain all labels, and teach nothing any more.
    """
    candidates, n_classes = best_classes(probs, given), probs.shape[1]
    noise = fit_people(candidates, fit_noise(candidates, n_classes), n_classes)
    rates = mean_rates(candidates, noise, n_classes).astype(np.float32)
    agrees, kept = (probs.argmax(axis=1) == given).mean(), rates.diagonal()[given].mean()
    chance = 1 / probs.shape[1]
    tells = agrees >= LEAST_ACCURACY * kept and kept - chance >= LEAST_TOLD * (1 - chance)
    return rates if tells else None


def fit_people(candidates: Candidates, by_class: Noise, n_classes: int) -> ImageNoise:
    """The noise where people's mistakes are expected, against as many wrong labels as `by_class` expects.

    The likelihood of these is that of a network which learnt to explain them without.
    """
    n_wrong = p_mislabeled(candidates, by_class, n_classes).mean() * fit_rows(
        len(candidates.codes), n_classes
    )
    deviation = HUMAN_DEVIATION / min(max(n_wrong, 1.0), MOST_COUNTED) ** 0.5
    return fit_image_noise(candidates, by_class, n_classes, GammaPrior(HUMAN_GAMMA, deviation, HUMAN_GAMMA))

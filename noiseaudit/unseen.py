"""p_mislabeled of labels that no network was trained on, from the noise that a scan learnt.

A network repeats, more or less, the labels that it was taught; of others it says what the picture looks like. So what
noiseaudit.readings takes back of such teaching is left out here, and so are the calmer slope of wide vectors, which is
for labels learnt by heart, and what folds, unlabelled neighbours and a self-test do to the scores of a scan. What
stays is the noise between classes, the temperature, both readings of the noise where the scan had both, and the slope
of a network that is wrong about many rows for one reason.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from noiseaudit import image_noise
from noiseaudit.data.inputs import Kind
from noiseaudit.image_noise import ImageNoise
from noiseaudit.odds import mean_odds, moved
from noiseaudit.readings import Probs, second_noise, slope_of
from noiseaudit.score import Codes, Noise, Scored, best_classes, fit_noise, p_mislabeled


@dataclass(frozen=True, eq=False)
class Unseen:
    """How p_mislabeled comes of a network's probabilities."""

    by_class: Noise
    by_image: ImageNoise | None  # of the second reading, where there is one
    slope: float  # of the log-odds


def read_unseen(
    probs: Probs, given: Codes, kind: Kind, *, noise_known: bool, by_class: Noise | None = None
) -> Unseen:
    """The noise behind k given labels (k,) as probabilities (k, C) show it; `by_class` if it is fitted already.

    `kind` is of what the network was trained on; `noise_known`: through an estimate of the noise. Best are
    probabilities of networks that had not seen the labels either.
    """
    n_classes = probs.shape[1]
    by_class = by_class or fit_noise(best_classes(probs, given), n_classes)
    kind = Kind.VECTORS if kind is Kind.WIDE_VECTORS else kind
    by_image = None if noise_known else second_noise(by_class, probs, given)
    return Unseen(by_class, by_image, slope_of(kind, noise_known))


def score_unseen(noise: Unseen, probs: Probs, given: Codes) -> Scored:
    """p_mislabeled of n labels (n,) from the probabilities of their rows (n, C); each row by itself."""
    if not len(given):
        return Scored(np.zeros(0), noise.by_class)
    candidates = best_classes(probs, given)
    readings = [p_mislabeled(candidates, noise.by_class, probs.shape[1])]
    if noise.by_image is not None:
        readings.append(image_noise.p_mislabeled(candidates, noise.by_image))
    counts = tuple(float(moved(p, slope=noise.slope).sum()) for p in readings)
    p = (
        moved(mean_odds(readings), slope=noise.slope)
        if len(readings) > 1
        else moved(readings[0], slope=noise.slope)
    )
    return Scored(p, noise.by_class, counts if len(readings) > 1 else ())

"""What an audit warns of, in words."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from noiseaudit.neighbours import Believed
from noiseaudit.percent import percent

Floats = npt.NDArray[np.float64]

MOST_DOUBTS = 3.0  # labels that the network would change, in multiples of those expected wrong
LEAST_GAP = 0.05  # share of labels by which they are more
OFF = 1 / 3  # of the noise rate that was given


def about_memory(believed: Believed) -> tuple[str, ...]:
    """That labels were learnt by heart, where they were."""
    if believed.trust == 1:
        return ()
    return (
        "with so few labels the network repeats what it was told, right or wrong (about "
        f"{believed.by_heart:.0%} of the labels in doubt): they are judged by unlabelled rows like them instead "
        f"({percent(1 - believed.trust)} of the score). Expect misses, and label more if you can",
    )


def about_doubts(
    believed: Believed, p_mislabeled: Floats, given: npt.NDArray[np.int64], noise_rate: float | None
) -> tuple[str, ...]:
    """That the probabilities, (k,), are at odds with what the network prefers, or with the noise rate that was given.

    Nothing where `about_memory` has spoken.
    """
    if believed.trust < 1:
        return ()
    fitted = believed.fitted
    prefers_other = fitted.guider_mean[fitted.labelled].argmax(axis=1) != given
    found, doubted = float(p_mislabeled.mean()), float(prefers_other.mean())
    if doubted > MOST_DOUBTS * found and doubted - found > LEAST_GAP:
        return (
            f"the network prefers another class for {percent(doubted)} of the labels, but p_mislabeled expects only "
            f"{percent(found)} to be wrong: it has learnt labels by heart, or is too weak for these images. The order "
            "can still be right: look further down the rank than the suspects, or scan with fewer --epochs, or "
            "without --fine-tune",
        )
    if noise_rate is not None and abs(found - noise_rate) > OFF * noise_rate:
        return (
            f"p_mislabeled expects {percent(found)} of the labels to be wrong, and --noise-rate said "
            f"{percent(noise_rate)}: --cutoff rate={noise_rate:g} would flag that share",
        )
    return ()


def about_conflicts(conflict: npt.NDArray[np.int64]) -> tuple[str, ...]:
    """That the same content has two labels; `conflict` as duplicates.conflicts has it, (k,)."""
    n = int((conflict >= 0).sum())
    if not n:
        return ()
    return (
        f"{n} labelled rows have the same content as another one under another label: they cannot all be right",
    )

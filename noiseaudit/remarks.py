"""What an audit warns of, in words."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from noiseaudit.metrics import Interval
from noiseaudit.neighbours import Believed
from noiseaudit.percent import percent
from noiseaudit.relabelling import Relabelled

Floats = npt.NDArray[np.float64]

MOST_DOUBTS = 3.0  # labels that the network would change, in multiples of those expected wrong
LEAST_GAP = 0.05  # share of labels by which they are more
OFF = 1 / 3  # of the noise rate that was given
MOST_SHOWN = 3  # pairs of samples


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
            f"{percent(found)} to be wrong: it has learnt labels by heart (then fewer --epochs help, or no "
            "--fine-tune), or is too weak for these images (then more do). The order can still be "
            "right: look further down the rank than the suspects",
        )
    if noise_rate is not None and abs(found - noise_rate) > OFF * noise_rate:
        return (
            f"p_mislabeled expects {percent(found)} of the labels to be wrong, and --noise-rate said "
            f"{percent(noise_rate)}: --cutoff rate={noise_rate:g} would flag that share",
        )
    return ()


def about_noise_weight(asked: Mapping[str, object], noise_known: bool, folds: int) -> tuple[str, ...]:
    """That the setting was asked for and did nothing, in one of the networks of `folds` (0: one network) at least;
    `asked` are the method's settings that were.
    """
    if noise_known or float(str(asked.get("noise_weight", 0))) == 0:
        return ()
    why = "too weak to tell the noise of its labels from its own mistakes, or trained for one epoch"
    if folds:
        return (
            f"--set noise_weight had no effect in at least one of the networks of the folds: it was {why}",
        )
    return (f"--set noise_weight had no effect: the network was {why}",)


def about_conflicts(conflict: npt.NDArray[np.int64], names: npt.NDArray[np.object_]) -> tuple[str, ...]:
    """That the same content has two labels; `conflict` as duplicates.conflicts has it, (k,), `names` the samples'."""
    rows = np.flatnonzero(conflict >= 0)
    if not len(rows):
        return ()
    pairs = dict.fromkeys(tuple(sorted((int(row), int(conflict[row])))) for row in rows)
    shown = [f"{names[a]} and {names[b]}" for a, b in list(pairs)[:MOST_SHOWN]]
    more = ", ..." if len(pairs) > MOST_SHOWN else ""
    return (
        f"{len(rows)} labelled rows have the same content as another one under another label, so they cannot all be "
        f"right: {', '.join(shown)}{more}",
    )


def about_self_test(recall: Interval, expected: float | None) -> tuple[str, ...]:
    """That the self-test found fewer errors than the audit expects to have found."""
    if expected is None or recall.value is None or recall.high is None or recall.high >= expected:
        return ()
    return (
        f"the audit expects to have found {percent(expected)} of the wrong labels, and the self-test found "
        f"{percent(recall.value)} of those that it planted: believe the self-test, and look further down the rank "
        "than the suspects",
    )


def about_relabelling(found: Relabelled) -> tuple[str, ...]:
    """That more labels may be spoiled than mended where all suspects are relabelled without a look."""
    if not found.may_harm:
        return ()
    which = f"all {found.n:,} suspects" if found.n > 1 else "the one suspect"
    change = f"the right ones change by {found.net.low:,.0f} to {found.net.high:,.0f}"
    return (
        f"relabelling {which} without a look may spoil more labels than it mends ({change}): look at them first, or "
        "flag fewer with --target-precision 0.9",
    )

"""Schedules as functions of the step or of training progress; no state."""

from __future__ import annotations

import math


def guider_decay(step: int, progress: float, early: float, late: float, switch: float) -> float:
    """gamma of Eq. 7 at step t = 0, 1, ...: min(limit, 1 - 1 / (t + 1)).

    The limit is `early` until `switch` of the schedule has passed, then `late` (Tarvainen and Valpola 2017 use
    0.99, then 0.999). The second argument of min makes the first steps a plain mean of the Learner's.
    """
    limit = late if progress >= switch else early
    return min(limit, 1 - 1 / (step + 1))


def sigmoid_rampup(progress: float, length: float) -> float:
    """exp(-5 (1 - t)^2) with t = progress / length in [0, 1] (Laine and Aila 2017); 1 from `length` on."""
    if length <= 0 or progress >= length:
        return 1.0
    return math.exp(-5.0 * (1.0 - progress / length) ** 2)


def cosine_decay(progress: float, start: float) -> float:
    """1 until `start` of the schedule, then half a cosine down to 0 at its end."""
    if progress <= start:
        return 1.0
    return 0.5 * (1.0 + math.cos(math.pi * (progress - start) / (1.0 - start)))

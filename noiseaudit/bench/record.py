"""What a run's line holds: its curves over the epochs, and how well it found the wrong labels."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from noiseaudit.bench.draw import Draw
from noiseaudit.course import EpochRecord, Fitted
from noiseaudit.neighbours import believe
from noiseaudit.threshold import choose_cutoff

Bools = npt.NDArray[np.bool_]
Numbers = dict[str, float | None]
DIGITS = 6  # after the point, of the recorded shares
CURVE_POINTS = 12  # epochs after which the default score is measured, evenly spaced, the last among them


class Recorder:
    """One run's epochs."""

    def __init__(self, draw: Draw, *, has_guider: bool, epochs: int, knows_trusted: bool = False) -> None:
        """`knows_trusted`: the method was told which labels are right, and is not measured on those."""
        self.draw, self.has_guider = draw, has_guider
        self.judged = ~draw.trusted if knows_trusted else np.ones(len(draw.rows), np.bool_)
        self.measured = {math.ceil(epochs * i / CURVE_POINTS) for i in range(1, CURVE_POINTS + 1)}
        self.errors: dict[str, list[float]] = {"learner": [], "guider": []}
        self.detection: dict[str, list[float | None]] = {}
        self.default: dict[str, list[float | None]] = {}
        self.seconds = 0.0

    def on_epoch(self, record: EpochRecord, so_far: Callable[[], Fitted]) -> None:
        """Take in an epoch; `so_far` gives what it would leave behind by itself."""
        assert record.test_error is not None
        for name, error in zip(self.errors, record.test_error, strict=True):
            self.errors[name].append(round(error, DIGITS))
        self.seconds += record.seconds
        if self.has_guider:
            found = epsilon_rule(self.draw.corrupted, record.epsilon) | zeros(
                record.epsilon, record.p_given_guider
            )
            _append(self.detection, found)
        if record.epoch in self.measured:
            scores = believe(so_far(), self.draw.given).p_mislabeled
            found = by_score(self.draw.corrupted, scores, self.judged)
            _append(self.default, {"epoch": record.epoch} | found)

    def line(self, fitted: Fitted) -> dict[str, Any]:
        """The results, after the last epoch. Errors and detection measures are shares, None where undefined."""
        believed = believe(fitted, self.draw.given)
        final = {
            "default": by_score(self.draw.corrupted, believed.p_mislabeled, self.judged),
            "own": by_score(self.draw.corrupted, believed.p_alone, self.judged),
        }
        if self.has_guider:
            final["epsilon"] = {name: values[-1] for name, values in self.detection.items()}
        if not np.isnan(fitted.step_epsilon).all():
            final["step_epsilon"] = epsilon_rule(self.draw.corrupted, fitted.step_epsilon)
        return {
            "test_error": {name: values[-1] for name, values in self.errors.items()},
            "curve": self.errors,
            "epsilon_curve": self.detection or None,
            "default_curve": self.default,
            "final": final,
            "seconds": round(self.seconds, 3),
        }


def _append(curves: dict[str, list[float | None]], values: Numbers) -> None:
    for name, value in values.items():
        curves.setdefault(name, []).append(value)


def epsilon_rule(corrupted: Bools, epsilon: npt.NDArray[np.float32]) -> Numbers:
    """The paper's rule, epsilon above 0, of k labelled rows; rows that were in no step (NaN) are not flagged."""
    return measures(corrupted, epsilon > 0)


def zeros(epsilon: npt.NDArray[np.float32], p_given: npt.NDArray[np.float32]) -> Numbers:
    """Rows with an epsilon of exactly 0: given labels' probability exactly 1, exactly 0, and any other."""
    equal = epsilon == 0
    return {
        "saturated": int((equal & (p_given == 1)).sum()),
        "underflown": int((equal & (p_given == 0)).sum()),
        "equal": int((equal & (p_given != 0) & (p_given != 1)).sum()),
    }


def by_score(corrupted: Bools, scores: npt.NDArray[np.float64], judged: Bools) -> Numbers:
    """The cut-off that `scan` has by default, on the scores of k labelled rows; measured on those that are `judged`."""
    from sklearn.metrics import average_precision_score

    flagged = choose_cutoff("auto", scores, None).flagged
    corrupted, flagged, scores = corrupted[judged], flagged[judged], scores[judged]
    found = measures(corrupted, flagged)
    ranked = float(average_precision_score(corrupted, scores)) if corrupted.any() else None
    return found | {"average_precision": None if ranked is None else round(ranked, DIGITS)}


def measures(corrupted: Bools, flagged: Bools) -> Numbers:
    """Recall, precision and F1 of flags, None where undefined, and how many rows are flagged."""
    found, n_flagged, n_corrupted = int((corrupted & flagged).sum()), int(flagged.sum()), int(corrupted.sum())
    return {
        "recall": _ratio(found, n_corrupted),
        "precision": _ratio(found, n_flagged),
        "f1": _ratio(2 * found, n_flagged + n_corrupted),
        "flagged": n_flagged,
    }


def _ratio(part: int, whole: int) -> float | None:
    return round(part / whole, DIGITS) if whole else None

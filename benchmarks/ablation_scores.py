"""Ways to make suspects of one network's predictions: as scan does, and without one ingredient after another."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import numpy as np

from noiseaudit import readings
from noiseaudit.calibration import calibration
from noiseaudit.compare.run import measured
from noiseaudit.compare.verdict import Verdict
from noiseaudit.course import Fitted
from noiseaudit.data.inputs import Kind
from noiseaudit.odds import moved
from noiseaudit.score import best_classes, fit_noise, p_mislabeled, score_with_noise
from noiseaudit.threshold import choose_cutoff

AS_SCAN, BY_ARGMAX = "as scan has it", "1 - q, argmax differs"
Values = np.ndarray[Any, Any]


def in_other_ways(
    fitted: Fitted, last: Values, given: Values, wrong: Values, kind: Kind
) -> dict[str, dict[str, float | None]]:
    """Measures of each way. `last` are the Guider's probabilities after training, (m, C); `given` and `wrong` (k,)."""
    q, of_last = fitted.guider_mean[fitted.labelled], last[fitted.labelled]
    known, strength = fitted.noise_known, readings.labels_strength(len(given), len(last))

    def scan_would(probs: Values, taught: float = strength, through_noise: bool = known) -> Values:
        return readings.score_readings(probs, given, kind, noise_known=through_noise, taught=taught).p

    as_scan = scan_would(q)
    found = {AS_SCAN: as_scan, "last epoch, not the mean": scan_would(of_last)}
    found["without the slope"] = moved(as_scan, slope=1 / readings.slope_of(kind, known))
    if known:
        found["without the pull"] = scan_would(q, 0.0)
        with patch.object(readings, "PULL_OF_GAMMA", 0.0):
            found["pull of planted noise"] = scan_would(q)
        if strength > 1:
            found["pull without the root"] = scan_would(q, 1.0)
        found["two readings, no pull"] = scan_would(q, through_noise=False)
    n_classes, candidates = q.shape[1], best_classes(q, given)
    found["T and tau"] = score_with_noise(q, given).p
    found["T"] = p_mislabeled(candidates, fit_noise(candidates, n_classes, 1.0), n_classes)
    everything = np.ones(len(given), np.bool_)
    lines = {}
    for name, p in found.items():
        verdict = Verdict(p, choose_cutoff("auto", p, None).flagged)
        about = calibration(p, wrong)
        lines[name] = measured(verdict, wrong, everything) | {
            "ece": about.ece,
            "count_ratio": about.count_ratio,
        }
    doubt = 1 - q[np.arange(len(given)), given].astype(np.float64)
    lines[BY_ARGMAX] = measured(Verdict(doubt, q.argmax(1) != given), wrong, everything)
    return lines

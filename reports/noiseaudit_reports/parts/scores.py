"""How the scores are spread."""

from __future__ import annotations

from typing import Any

import numpy as np

from noiseaudit_reports.view_parts import EpsilonHistogram, Histogram

P_EDGES = np.linspace(0, 1, 41)
EPSILON_EDGES = 10.0 ** np.arange(-12, 0.5, 0.5)


def histogram(
    values: np.ndarray[Any, Any],
    edges: np.ndarray[Any, Any],
    use: np.ndarray[Any, Any],
    flagged: np.ndarray[Any, Any],
) -> Histogram:
    bounded = np.clip(values, edges[0], edges[-1])
    rows = np.histogram(bounded[use], edges)[0]
    suspects = np.histogram(bounded[use & flagged], edges)[0]
    return Histogram(tuple(edges.tolist()), tuple(rows.tolist()), tuple(suspects.tolist()))


def epsilon_histogram(
    epsilon: np.ndarray[Any, Any], flagged: np.ndarray[Any, Any]
) -> EpsilonHistogram | None:
    if np.isnan(epsilon).all():
        return None
    zero = epsilon == 0
    above = histogram(epsilon, EPSILON_EDGES, epsilon > 0, flagged)
    return EpsilonHistogram(above, int(zero.sum()), int((zero & flagged).sum()))

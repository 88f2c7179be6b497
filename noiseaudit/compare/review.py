"""What a review in a tool's order finds."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from noiseaudit.compare.verdict import Verdict
from noiseaudit.cost import points, reached

POINTS = 200

Bools = npt.NDArray[np.bool_]


def review_curve(verdict: Verdict, wrong: Bools, known: Bools) -> dict[str, list[int]]:
    """Wrong labels `found` after so many images `reviewed`, from the highest score on, equal ones in the order given.

    Over the rows whose truth is known, all (k,). At most POINTS or so of them, with each that reaches one of
    `cost.SHARES` of the wrong labels.
    """
    hits = wrong[known][np.argsort(-verdict.scores[known], kind="stable")]
    found = np.append(0, np.cumsum(hits, dtype=np.int64))
    keep = points(len(hits), *reached(found), most=POINTS)
    return {"reviewed": keep.tolist(), "found": found[keep].tolist()}

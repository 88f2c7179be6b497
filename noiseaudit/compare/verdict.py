"""What a tool says."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt


class Verdict(NamedTuple):
    """About the k labelled rows."""

    scores: npt.NDArray[np.float64]  # (k,), high = suspicious
    flagged: npt.NDArray[np.bool_]  # (k,), by the tool's own cut-off

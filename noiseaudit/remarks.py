"""What an audit warns of, in words."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from noiseaudit.neighbours import Believed
from noiseaudit.percent import percent


def about_memory(believed: Believed) -> tuple[str, ...]:
    """That labels were learnt by heart, where they were."""
    if believed.trust == 1:
        return ()
    return (
        "with so few labels the network repeats what it was told, right or wrong (about "
        f"{believed.by_heart:.0%} of the labels in doubt): they are judged by unlabelled rows like them instead "
        f"({percent(1 - believed.trust)} of the score). Expect misses, and label more if you can",
    )


def about_conflicts(conflict: npt.NDArray[np.int64]) -> tuple[str, ...]:
    """That the same content has two labels; `conflict` as duplicates.conflicts has it, (k,)."""
    n = int((conflict >= 0).sum())
    if not n:
        return ()
    return (
        f"{n} labelled rows have the same content as another one under another label: they cannot all be right",
    )

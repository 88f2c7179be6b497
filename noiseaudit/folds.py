"""Parts of the labelled rows that are held out in turn."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from noiseaudit.duplicates import same_content

Codes = npt.NDArray[np.int64]


def spread_folds(
    x: torch.Tensor, rows: Codes, given: Codes, parts: int, rng: np.random.Generator
) -> list[Codes]:
    """k `rows` of x with labels `given` (k,) in at most `parts` folds, indices into (k,), none of them empty.

    Each class is spread evenly, however rare. Rows with the same content are in one fold: a network that has seen one
    knows the other's label. So it does of near copies, which are not looked for.
    """
    parts = min(parts, len(given))
    order = rng.permutation(len(given))
    by_class = order[np.argsort(given[order], kind="stable")]
    part = np.empty(len(given), np.int64)
    part[by_class] = np.arange(len(by_class)) % max(1, parts)
    _, first, group = np.unique(same_content(x, rows), return_index=True, return_inverse=True)
    folds = [np.flatnonzero(part[first[group]] == number) for number in range(parts)]
    return [rows for rows in folds if len(rows)]

"""The cut-off that spares rare classes: of no class is a much larger share of the right labels flagged than of all.

Where a class is rare and labels are swapped, most labels that name it are wrong, so the few right ones look wrong as
well: flagging where F1 is best takes a larger share of them than of other classes. What is flagged is taken from the
rule `auto`, and cut short class by class, by the probabilities alone. docs/method.md has what that costs.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int64]

MOST_TIMES = 2.0  # the share of right labels that is flagged of a class, to that of all


def least_by_class(p_mislabeled: Floats, flagged: Flags, given: Codes) -> Floats:
    """What a row of each given class must have at least to stay flagged, inf where none does: (C,).

    All are (n,), `given` codes from 0. Rows with the same probability and class stay or go together.
    """
    least = np.full(given.max(initial=-1) + 1, np.inf)
    right = 1 - p_mislabeled
    if not flagged.any():
        return least
    allowed = MOST_TIMES * right[flagged].sum() / max(right.sum(), np.finfo(np.float64).tiny)
    order = np.lexsort(
        (-p_mislabeled, given)
    )  # class after class, most suspicious first: classes can be thousands
    for of_class in np.split(order, np.flatnonzero(np.diff(given[order])) + 1):
        ranked = p_mislabeled[of_class][flagged[of_class]]
        # Rounding must not cost a row where the class has just what is allowed.
        fits = np.cumsum(1 - ranked) <= allowed * right[of_class].sum() * (1 + 1e-12)
        n_kept = int(fits.sum())
        while 0 < n_kept < len(ranked) and ranked[n_kept - 1] == ranked[n_kept]:
            n_kept -= 1
        if n_kept:
            least[given[of_class[0]]] = ranked[n_kept - 1]
    return least

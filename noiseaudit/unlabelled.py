"""The rows without a label, by how sure the audit is of the label that it suggests for each.

`p_suggested` is the Guider's probability of its most probable class, which is what is suggested where no label was
given; docs/audit-format.md says over which networks it is a mean.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from noiseaudit.arrays import class_codes
from noiseaudit.ordering import check_classes, gathered, highest, pieces_of
from noiseaudit.result import Audited

UNLABELLED = "unlabelled"  # the status of a row without a label whose image was read
SURENESS = "p_suggested"


def is_unlabelled(table: pa.Table) -> npt.NDArray[np.bool_]:
    """Which rows have no label, and an image that was read, (n,); `table` has the column `status`."""
    return np.asarray(class_codes(table.column("status"), [UNLABELLED]) == 0)


def unlabelled_tables(
    audit: Audited, columns: Sequence[str], *, top: int | None = None, suggested: Sequence[str] = ()
) -> Iterator[pa.Table]:
    """`columns` of the rows without a label whose image was read, surest suggestion first, ties by row.

    The first `top` (None: all), with `suggested` those for which one of these classes is, in tables as
    `ranked_tables` has them. Raises ConfigError if the audit has no such class.
    """
    check_classes(suggested, audit.meta.classes, "--suggested")
    only = {"status": [UNLABELLED]} | ({"suggested_label": [*suggested]} if suggested else {})
    order, scores, _ = highest(audit, SURENESS, top, only)
    known = {"row": order, SURENESS: scores}
    found = gathered(audit, [name for name in columns if name not in known], np.sort(order))
    yield from pieces_of(found, order, known, columns)

"""The rows of an audit in order of suspicion, and which classes its suspects confuse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa

from noiseaudit.arrays import class_codes
from noiseaudit.audit_checks import CHANGED
from noiseaudit.errors import ConfigError, DataError
from noiseaudit.ordering import Floats, check_classes, gathered, highest, pieces_of
from noiseaudit.parquet import is_true, to_numpy
from noiseaudit.result import Audited, Rows

LEAST_SUSPECTS = 10  # fewer say nothing about a pair of classes
Score = Literal["p_mislabeled", "epsilon"]


@dataclass(frozen=True)
class Pair:
    """Suspects with this given label and this suggestion."""

    given_label: str
    suggested_label: str
    count: int


def ranked_tables(
    audit: Audited,
    columns: Sequence[str],
    *,
    by: Score = "p_mislabeled",
    top: int | None = None,
    given: Sequence[str] = (),
    suggested: Sequence[str] = (),
) -> Iterator[pa.Table]:
    """`columns` of the rows that have a score, highest first, ties by row; the first `top` (None: all).

    With `given` those with one of these labels, with `suggested` those for which one of them is suggested; in tables
    of up to PIECE rows. The score is read of all rows, other columns are held of those in the answer.

    Raises ConfigError if the audit has no such score or class, DataError if a `rank` in the answer is
    not the row's place by p_mislabeled.
    """
    check_classes(given, audit.meta.classes, "--class")
    check_classes(suggested, audit.meta.classes, "--suggested")
    asked = {"given_label": given, "suggested_label": suggested}
    only = {name: labels for name, labels in asked.items() if labels}
    order, scores = _order(audit, by, top, only)
    known, rows = {"row": order, by: scores}, np.sort(order)
    found = gathered(audit, [name for name in columns if name not in known], rows)
    if by == "p_mislabeled" and not only and "rank" in columns:
        _check_ranks(found.column("rank"), order, rows, audit.path)
    yield from pieces_of(found, order, known, columns)


def suspect_pairs(audit: Audited) -> list[Pair]:
    """How many suspects each pair of given and suggested label has: most first, ties by the classes' order."""
    return _suspect_pairs(audit)[1]


def dominant_pair(audit: Audited) -> Pair | None:
    """The pair that holds more than half of all suspects, if these are LEAST_SUSPECTS or more.

    Perhaps one class is systematically taken for another, by the annotators or by the model.
    """
    n_suspects, pairs = _suspect_pairs(audit)
    if n_suspects < LEAST_SUSPECTS or not pairs or 2 * pairs[0].count <= n_suspects:
        return None
    return pairs[0]


def _order(
    audit: Audited, by: Score, top: int | None, only: Mapping[str, Sequence[str]]
) -> tuple[Rows, Floats]:
    """The `top` rows that have a score, and these labels, highest first, ties by row; and their scores."""
    order, scores, n_scored = highest(audit, by, top, only)
    if by == "epsilon" and not n_scored:
        raise ConfigError("this audit's method records no epsilon", fix="Use --by p_mislabeled.")
    return order, scores


def _check_ranks(column: pa.ChunkedArray, order: Rows, rows: Rows, path: Path | None) -> None:
    """Raise DataError unless the ranks of `rows`, rising numbers, are 1, 2, 3 ... in `order`."""
    rank = to_numpy(column)[np.searchsorted(rows, order)]
    for place in np.flatnonzero(rank != np.arange(1, len(order) + 1))[:1]:
        raise DataError(
            f"{rank[place]:.0f} is not its place by p_mislabeled (1 = most suspicious, ties by row)",
            file=path,
            row=int(order[place]),
            column="rank",
            fix=CHANGED,
        )


def _suspect_pairs(audit: Audited) -> tuple[int, list[Pair]]:
    """How many suspects there are, and the pairs of those that have both labels."""
    classes, n = audit.meta.classes, 0
    counts: dict[int, int] = {}
    for _, table in audit.tables(["is_label_issue", "given_label", "suggested_label"]):
        flagged = is_true(table.column("is_label_issue"))
        n += int(flagged.sum())
        given, other = (
            class_codes(table.column(name), classes) for name in ("given_label", "suggested_label")
        )
        use = flagged & (given >= 0) & (other >= 0)
        found, times = np.unique(given[use].astype(np.int64) * len(classes) + other[use], return_counts=True)
        for pair, count in zip(found.tolist(), times.tolist(), strict=True):
            counts[pair] = counts.get(pair, 0) + count
    ordered = sorted(counts, key=lambda pair: (-counts[pair], pair))
    places = [divmod(pair, len(classes)) for pair in ordered]
    return n, [Pair(classes[g], classes[s], counts[p]) for p, (g, s) in zip(ordered, places, strict=True)]

"""What reading an audit checks beyond the types of its columns: a file that was edited or damaged is refused."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from noiseaudit.arrays import codes
from noiseaudit.errors import DataError
from noiseaudit.parquet import is_true, is_valid, to_numpy

Bools = npt.NDArray[np.bool_]

CHANGED = "The file was changed after the scan; scan again."
SCAN_AGAIN = "Give a run folder or its audit.parquet; if it is that, run `noiseaudit scan` again."
ROUNDING = 1e-5  # by which a float32 probability may leave [0, 1]
_NOT_A_PROBABILITY = "{value!r} is not a probability from 0 to 1"
_UNFIT = "{value!r} does not fit the row's status"
_NOT_A_CLASS = "{value!r} is not among the audit's classes"
_OF_SCORED = ("p_given", "p_mislabeled", "is_label_issue", "rank")
_OF_READ = ("suggested_label", "p_suggested", "top_labels", "top_probs")


class _Violation(NamedTuple):
    column: str
    wrong: Bools  # (n,)
    problem: str  # may show the cell as {value!r}


def check_table(
    table: pa.Table,
    classes: Sequence[str],
    statuses: Sequence[str],
    file: Path,
    *,
    rows: npt.NDArray[np.int64] | None = None,
) -> None:
    """Raise DataError naming the first column, and its first row, that no scan writes.

    Of a whole audit, or of those of its `rows`, numbers, that `table` has, as far as its columns tell; what only all
    rows together tell (ids that stand twice, ranks) is then left out. Column by column rather than row by row, so
    that millions of rows take seconds.
    """
    for column, wrong, problem in _violations(table, frozenset(classes), statuses, rows):
        if wrong.any():
            row = int(wrong.argmax())
            raise DataError(
                problem.format(value=table.column(column)[row].as_py()),
                file=file,
                row=row if rows is None else int(rows[row]),
                column=column,
                fix=CHANGED,
            )


def _violations(
    table: pa.Table, classes: frozenset[str], statuses: Sequence[str], rows: npt.NDArray[np.int64] | None
) -> Iterator[_Violation]:
    there = frozenset(table.column_names)
    if "row" in there:
        row = to_numpy(table.column("row"))
        numbers = np.arange(len(row)) if rows is None else rows
        yield _Violation("row", row != numbers, "{value!r}, but rows are numbered 0, 1, 2 ...")
    if rows is None:
        yield _Violation("sample_id", _repeats(table.column("sample_id")), "{value!r} stands twice")
    if "status" in there:
        unknown = ~_among(table.column("status"), statuses)
        yield _Violation("status", unknown, f"{{value!r}} is not one of {', '.join(statuses)}")
    yield from _cells_that_are_there(table, there)
    for name in _held(there, "given_label", "suggested_label"):
        column = table.column(name)
        yield _Violation(name, is_valid(column) & ~_among(column, classes), _NOT_A_CLASS)
    for name in _held(there, "epsilon", "p_given", "p_suggested", "p_mislabeled"):
        column = table.column(name)
        yield _Violation(name, is_valid(column) & ~_within_0_and_1(column), _NOT_A_PROBABILITY)
    if there >= {"top_labels", "top_probs"}:
        yield from _top_classes(table, classes)
    if "is_label_issue" in there:
        flagged = is_true(table.column("is_label_issue"))
        for name in _held(there, "evidence", "issue_kind"):
            wrong = is_valid(table.column(name)) != flagged
            yield _Violation(name, wrong, "{value!r}, but is_label_issue says otherwise")
    if rows is None:
        problem = "{value!r} is not its place by p_mislabeled (1 = most suspicious, ties by row)"
        yield _Violation("rank", _misranked(table), problem)


def _cells_that_are_there(table: pa.Table, there: frozenset[str]) -> Iterator[_Violation]:
    """Which cells are null follows from label and status."""
    if there >= {"is_labelled", "given_label"}:
        wrong = to_numpy(table.column("is_labelled")) != is_valid(table.column("given_label"))
        yield _Violation("is_labelled", wrong, "{value!r}, but given_label says otherwise")
    if "status" not in there:
        return
    status = table.column("status")
    is_scored, is_read = _among(status, ("ok",)), _among(status, ("ok", "unlabelled"))
    if "is_labelled" in there:
        wrong = is_read & (is_scored != to_numpy(table.column("is_labelled")))
        yield _Violation("status", wrong, "{value!r}, but is_labelled says otherwise")
    if "epsilon" in there:
        has_epsilon = is_valid(table.column("epsilon"))
        yield _Violation("epsilon", has_epsilon != (is_scored & has_epsilon.any()), _UNFIT)
    for names, has_cell in ((_OF_SCORED, is_scored), (_OF_READ, is_read)):
        for name in _held(there, *names):
            yield _Violation(name, is_valid(table.column(name)) != has_cell, _UNFIT)


def _held(there: frozenset[str], *names: str) -> list[str]:
    return [name for name in names if name in there]


def _top_classes(table: pa.Table, classes: frozenset[str]) -> Iterator[_Violation]:
    labels, probs = table.column("top_labels"), table.column("top_probs")
    lengths = np.nan_to_num(to_numpy(pc.list_value_length(labels))).astype(np.int64)
    others = np.nan_to_num(to_numpy(pc.list_value_length(probs)))
    yield _Violation("top_probs", lengths != others, "not as many as top_labels")
    places = np.repeat(np.arange(len(lengths)), lengths)  # the row of each list item
    unknown = places[~_among(pc.list_flatten(labels), classes)]
    yield _Violation("top_labels", _marked(unknown, len(lengths)), _NOT_A_CLASS)
    beyond = places[~_within_0_and_1(pc.list_flatten(probs))]
    yield _Violation("top_probs", _marked(beyond, len(lengths)), _NOT_A_PROBABILITY)


def _misranked(table: pa.Table) -> Bools:
    score, rank = to_numpy(table.column("p_mislabeled")), to_numpy(table.column("rank"))
    scored = np.flatnonzero(~np.isnan(score))
    ordered = scored[np.argsort(-score[scored], kind="stable")]
    return _marked(ordered[rank[ordered] != np.arange(1, len(ordered) + 1)], len(score))


def _repeats(column: pa.ChunkedArray) -> Bools:
    """True first at the first repeat: until then, each text's place is its row."""
    places, _ = codes(column)
    return np.asarray(places != np.arange(len(places)))


def _among(column: pa.ChunkedArray, allowed: Container[str]) -> Bools:
    """Where the text is one of `allowed`, (n,); False where it is null."""
    places, distinct = codes(column)
    return np.array([*(name in allowed for name in distinct.to_pylist()), False], dtype=np.bool_)[places]


def _within_0_and_1(column: pa.ChunkedArray) -> Bools:
    values = to_numpy(column)
    return np.asarray((values >= -ROUNDING) & (values <= 1 + ROUNDING))


def _marked(rows: npt.NDArray[np.int64], n: int) -> Bools:
    mask = np.zeros(n, dtype=np.bool_)
    mask[rows] = True
    return mask

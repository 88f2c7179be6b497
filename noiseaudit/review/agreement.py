"""How far reviewers agree about the rows that more than one of them judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from noiseaudit.review.board import Said

Row = TypeVar("Row", int, str)  # its number or its sample_id

KAPPA, ALPHA = "Cohen's kappa", "Krippendorff's alpha"
_ABSENT = -1


@dataclass(frozen=True)
class Agreement:
    """Over the rows that two reviewers or more judged; None where it is not defined."""

    n_reviewers: int
    n_rows: int
    share: float | None  # of pairs of answers about the same row that are equal
    measure: str | None = None  # KAPPA for two reviewers, ALPHA for more
    value: float | None = None  # None as well where all answers are of one kind: chance explains them


def agreement(answers: Mapping[Row, Mapping[str, Said]], given: Mapping[Row, str | None]) -> Agreement:
    """`answers`: row -> reviewer -> decision; `given`: the given label of these rows.

    An answer is the label that a reviewer thinks right, or that none can be told; skipped rows do not count.
    """
    judged = {row: _labels(said, given[row]) for row, said in answers.items()}
    judged = {row: labels for row, labels in judged.items() if len(labels) > 1}
    reviewers = sorted({name for labels in judged.values() for name in labels})
    if not judged:
        return Agreement(len(reviewers), 0, None)
    codes: dict[tuple[str | None], int] = {}
    table = np.full((len(reviewers), len(judged)), _ABSENT, np.int64)
    for column, labels in enumerate(judged.values()):
        for name, label in labels.items():
            table[reviewers.index(name), column] = codes.setdefault((label,), len(codes))
    share = _share(table)
    measure = KAPPA if len(reviewers) == 2 else ALPHA
    if len(codes) == 1:
        return Agreement(len(reviewers), len(judged), share, measure)
    value = _kappa(table) if len(reviewers) == 2 else _alpha(table)
    return Agreement(len(reviewers), len(judged), share, measure, value)


def agreements(
    answers: Mapping[Row, Mapping[str, Said]], given: Mapping[Row, str | None]
) -> tuple[Agreement, Agreement]:
    """`agreement` about the rows that have a label, and about those that have none.

    To find a label is another question than to judge one, and the surest suggestions are easy: together they would
    tell of neither.
    """
    labelled = {row: said for row, said in answers.items() if given[row] is not None}
    others = {row: said for row, said in answers.items() if given[row] is None}
    return agreement(labelled, given), agreement(others, given)


def agreement_text(found: Agreement) -> str:
    """For people, in one clause; "" where no row was judged twice."""
    if found.share is None or found.measure is None:
        return ""
    rows = "1 row" if found.n_rows == 1 else f"{found.n_rows:,} rows"
    text = f"{100 * found.share:.0f} % of answers equal on {rows} that several of {found.n_reviewers} reviewers judged"
    return f"{text}, {found.measure} {'not defined' if found.value is None else f'{found.value:.3f}'}"


def _labels(answers: Mapping[str, Said], given: str | None) -> dict[str, str | None]:
    """The label that each reviewer thinks right; None: ambiguous."""
    labels: dict[str, str | None] = {}
    for name, said in answers.items():
        if said.decision != "skip":
            labels[name] = {"keep": given, "relabel": said.new_label}.get(said.decision)
    return labels


def _share(table: npt.NDArray[np.int64]) -> float:
    equal = pairs = 0
    for first in range(len(table)):
        both = (table[first] != _ABSENT) & (table[first + 1 :] != _ABSENT)
        pairs += int(both.sum())
        equal += int((both & (table[first] == table[first + 1 :])).sum())
    return equal / pairs


def _kappa(table: npt.NDArray[np.int64]) -> float:
    """From counts as well; scikit-learn's makes an array of labels by labels."""
    n = table.shape[1]
    first, second = (np.bincount(row, minlength=int(table.max()) + 1) / n for row in table)
    chance = float(first @ second)
    return (float((table[0] == table[1]).mean()) - chance) / (1 - chance)


def _alpha(table: npt.NDArray[np.int64]) -> float:
    """Nominal, from counts of each row's values: no array of rows by labels or labels by labels.

    The coincidence matrix enters by its diagonal and its margins alone.
    """
    _, columns = (table != _ABSENT).nonzero()
    values = table[table != _ABSENT]
    by_row = np.bincount(columns)  # each has two or more
    (rows, _), counts = np.unique([columns, values], axis=1, return_counts=True)
    equal = float((counts * (counts - 1) / (by_row[rows] - 1)).sum())
    margins = np.bincount(values).astype(np.float64)
    n = float(margins.sum())
    expected = float((margins * (n - margins)).sum()) / (n - 1)
    return 1 - (n - equal) / expected

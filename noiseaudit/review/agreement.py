"""How far reviewers agree about the rows that more than one of them judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from noiseaudit.review.board import Said

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


def agreement(answers: Mapping[int, Mapping[str, Said]], given: Mapping[int, str | None]) -> Agreement:
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
    from sklearn.metrics import cohen_kappa_score

    return float(cohen_kappa_score(table[0], table[1]))


def _alpha(table: npt.NDArray[np.int64]) -> float:
    import krippendorff

    data = np.where(table == _ABSENT, np.nan, table)
    return float(krippendorff.alpha(reliability_data=data, level_of_measurement="nominal"))

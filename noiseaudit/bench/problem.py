"""What methods are compared on: samples with true labels, to be learnt from and to be tested on."""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from noiseaudit.bench.grids import Scale

Codes = npt.NDArray[np.int64]
Pixels = npt.NDArray[Any]  # uint8 (n, channels, H, W)

SUBSET_STREAM = 20211  # of data sets of the user's own: one choice of rows for every seed
BACKBONES = {"mnist": "mlp", "svhn": "conv13", "cifar10": "conv13"}  # section 4.1


@dataclass(frozen=True, eq=False)
class Problem:
    """n rows to train on and t to test on."""

    dataset: str  # its name in results
    x: Pixels  # (n, channels, H, W) uint8
    truth: Codes  # (n,) true classes; -1: never labelled
    test_x: Pixels  # (t, channels, H, W)
    test_truth: Codes  # (t,)
    n_classes: int
    backbone: str  # a key of BACKBONES
    source: str  # who read it, for the record
    fingerprint: str  # of all rows
    is_own: bool = False  # the user's own: all of it is labelled where every row is, and its parts are drawn


def make_problem(
    dataset: str,
    x: Pixels,
    truth: Codes,
    test_x: Pixels,
    test_truth: Codes,
    *,
    backbone: str,
    source: str,
    is_own: bool = False,
) -> Problem:
    """A problem whose every row can have a label: images (n, channels, H, W) uint8 and true classes from 0."""
    n_classes = int(max(truth.max(), test_truth.max())) + 1
    return Problem(
        dataset,
        x,
        truth,
        test_x,
        test_truth,
        n_classes,
        backbone,
        source,
        fingerprint(x, truth, test_x, test_truth),
        is_own,
    )


def scaled(problem: Problem, scale: Scale, *, all_labelled: bool) -> Problem:
    """A part of a problem, as many rows as the scale has; fewer still where every row of the paper's is labelled.

    Of the paper's data sets the first rows; of the user's own, which may be sorted by class, rows drawn at random,
    in their order and the same for every seed.
    """
    rows = (
        scale.rows
        if not all_labelled or problem.is_own
        else min(scale.all_labelled_rows, scale.rows or 10**9)
    )
    train, test = _part(problem, len(problem.x), rows), _part(problem, len(problem.test_x), scale.test_rows)
    return dataclasses.replace(
        problem,
        x=problem.x[train],
        truth=problem.truth[train],
        test_x=problem.test_x[test],
        test_truth=problem.test_truth[test],
    )


def _part(problem: Problem, n: int, rows: int | None) -> Codes | slice:
    """Which of n rows; a slice copies none of them."""
    if not problem.is_own or rows is None or rows >= n:
        return slice(rows)
    return np.sort(np.random.default_rng(SUBSET_STREAM).choice(n, size=rows, replace=False))


def fingerprint(*arrays: npt.NDArray[Any]) -> str:
    """A hash of shapes, types and values."""
    found = hashlib.sha256()
    for array in arrays:
        found.update(f"{array.dtype.str}{array.shape}".encode())
        found.update(np.ascontiguousarray(array).data)
    return found.hexdigest()

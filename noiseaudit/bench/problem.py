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
    is_own: bool = False  # a data set of the user's own: no part of it is left out


def make_problem(
    dataset: str, x: Pixels, truth: Codes, test_x: Pixels, test_truth: Codes, *, backbone: str, source: str
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
    )


def scaled(problem: Problem, scale: Scale, *, all_labelled: bool) -> Problem:
    """The first rows of a problem, as many as the scale has; fewer still where every row is labelled."""
    rows = (
        scale.rows
        if not all_labelled or problem.is_own
        else min(scale.all_labelled_rows, scale.rows or 10**9)
    )
    return dataclasses.replace(
        problem,
        x=problem.x[:rows],
        truth=problem.truth[:rows],
        test_x=problem.test_x[: scale.test_rows],
        test_truth=problem.test_truth[: scale.test_rows],
    )


def fingerprint(*arrays: npt.NDArray[Any]) -> str:
    """A hash of shapes, types and values."""
    found = hashlib.sha256()
    for array in arrays:
        found.update(f"{array.dtype.str}{array.shape}".encode())
        found.update(np.ascontiguousarray(array).data)
    return found.hexdigest()

"""Cross-fitting by label hiding, where labels are so few that a network on features learns them by heart.

The network is trained again for each of some folds of the labelled rows, with the fold's labels hidden: its rows still
teach, as unlabelled ones, and what is predicted of them owes nothing to their labels. A network that saw a label
repeats it too often; one that did not has fewer to learn from, and doubts too many. So a labelled row's prediction
becomes the normalised geometric mean of both, a logarithmic opinion pool (Genest and Zidek 1986), and an unlabelled
row's the mean of all. docs/method.md has what it is worth.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch

from noiseaudit.config import AuditConfig
from noiseaudit.course import Fitted
from noiseaudit.data.training import TrainingData
from noiseaudit.folds import spread_folds
from noiseaudit.neighbours import UNLABELLED_PER_LABELLED
from noiseaudit.seeds import derive_seed

Floats = npt.NDArray[np.float32]
Codes = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

FOLDS = 5
MOST_LABELS = 2_000  # beyond it labels of features are hardly learnt by heart
LEAST_OF_CLASS = FOLDS  # labels of a class of fewer are not hidden: too much of the class would be
SMALLEST = 1e-12  # probabilities below it are one and the same


def choose_folds(
    config: AuditConfig, shape: tuple[int, ...], given: Codes, n_unlabelled: int, trusted: Flags | None = None
) -> int:
    """As asked, else FOLDS for few labels of features, 0 (none) otherwise; `given` are the k labels, (k,).

    None where unlabelled rows judge (noiseaudit.neighbours), or a second stage follows, or nothing may be hidden.
    """
    judged_by_others = n_unlabelled >= UNLABELLED_PER_LABELLED * len(given)
    wanted = len(shape) == 1 and len(given) <= MOST_LABELS and not judged_by_others and not config.fine_tune
    folds = config.folds if config.folds is not None else FOLDS * wanted
    most = int(may_be_hidden(given, trusted).sum()) if folds else 0
    return min(folds, most) if most > 1 else 0


def may_be_hidden(given: Codes, trusted: Flags | None) -> Flags:
    """Which of k labels, (k,): none of a class with few, and none that is trusted."""
    may: Flags = np.bincount(given)[given] >= LEAST_OF_CLASS
    return may if trusted is None else may & ~trusted


def cross_fit(
    fitted: Fitted, data: TrainingData, folds: int, seed: int, train: Callable[[TrainingData, int], Fitted]
) -> tuple[Fitted, int]:
    """`fitted` with other predictions, as above, and how many folds there were.

    `train` takes data and the number of the fold, from 1. Trusted labels, and those of classes with few, are not
    hidden, and their predictions stay.
    """
    labelled, codes = fitted.labelled, data.codes.numpy()
    may = may_be_hidden(codes[labelled], None if data.trusted is None else data.trusted.numpy()[labelled])
    if not may.any():
        return fitted, 0
    rows = labelled[may]
    rng = np.random.default_rng(derive_seed(seed, "folds"))
    probs = fitted.guider_mean.copy()
    unlabelled = codes < 0
    parts = spread_folds(data.x, data.usable.numpy()[rows], codes[rows], folds, rng)
    parts = parts if len(parts) > 1 else []  # one part: all have the same content
    for number, part in enumerate(parts, 1):
        hidden, left = rows[part], data.codes.clone()
        left[torch.from_numpy(hidden)] = -1
        apart = train(dataclasses.replace(data, codes=left), number).guider_mean
        probs[hidden] = pooled(fitted.guider_mean[hidden], apart[hidden])
        probs[unlabelled] += (apart[unlabelled] - probs[unlabelled]) / (number + 1)
    return dataclasses.replace(fitted, guider_mean=probs), len(parts)


def pooled(first: Floats, second: Floats) -> Floats:
    """The normalised geometric mean of two predictions, (k, C) each: (k, C)."""
    product = np.sqrt(first.clip(SMALLEST) * second.clip(SMALLEST), dtype=np.float64)
    return np.asarray(product / product.sum(axis=1, keepdims=True), np.float32)

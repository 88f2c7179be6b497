"""Cross-fitting by label hiding, where labels are so few that a network on features learns them by heart, or so few of
those of images are wrong that learning some of these by heart spoils the top of the ranking.

The network is trained again for each of some folds of the labelled rows, with the fold's labels hidden: its rows still
teach, as unlabelled ones, and what is predicted of them owes nothing to their labels. A network that saw a label
repeats it too often; one that did not has fewer to learn from, and doubts too many. So a labelled row's prediction
becomes the normalised geometric mean of both, a logarithmic opinion pool (Genest and Zidek 1986), and of features the
labels that are expected to be wrong are as many as the geometric mean of what each of them expects. docs/method.md has
what it is worth.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from noiseaudit.choose import DENSE_BACKBONES
from noiseaudit.config import AuditConfig
from noiseaudit.course import Fitted
from noiseaudit.data.inputs import Inputs, Kind
from noiseaudit.data.training import TrainingData
from noiseaudit.folds import spread_folds
from noiseaudit.neighbours import UNLABELLED_PER_LABELLED, Believed, believe
from noiseaudit.odds import moved, shift_to
from noiseaudit.readings import labels_strength, score_readings
from noiseaudit.score import Scored
from noiseaudit.seeds import derive_seed

Floats = npt.NDArray[np.float32]
Codes = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

FOLDS = 5
FEW_WRONG = 0.01  # expected share of the labels of images: below it folds are worth their time,
MOST_IMAGES = 20_000  # up to so many labels, on dense backbones; of others it was not measured
LEAST_OF_CLASS = FOLDS  # labels of a class of fewer are not hidden: too much of the class would be
SMALLEST = 1e-12  # probabilities below it are one and the same
FOLDS_SURENESS = (
    0.7  # the log-odds of the pool's p_mislabeled are multiplied by it: few labels teach few shades
)
LEAST_COUNT = (
    0.05  # of the other's: a network that repeats all of its labels says nothing of how many are wrong
)


class CrossFitted(NamedTuple):
    """What came of the folds, for m rows, k of them labelled."""

    fitted: Fitted  # with the pooled predictions
    folds: int
    alone: Floats  # (k, C), of the first network, which saw all labels
    apart: Floats  # (k, C), of networks that did not see the row's own; `alone` where it was never hidden
    hidden: Flags  # (k,), whether it was


def not_crossed(fitted: Fitted) -> CrossFitted:
    """One training, without folds."""
    none = fitted.guider_mean[:0]
    return CrossFitted(fitted, 0, none, none, np.zeros(len(fitted.labelled), np.bool_))


def choose_folds(
    config: AuditConfig,
    inputs: Inputs,
    given: Codes,
    trusted: Flags | None = None,
    *,
    looks_clean: bool = False,
) -> int:
    """As asked, else FOLDS for few labels of features or where `looks_clean` is so, 0 (none) otherwise; `given` are the
    k labels, (k,).

    None where unlabelled rows judge (noiseaudit.neighbours), or a second stage follows, or nothing may be hidden.
    """
    n_unlabelled = inputs.n_rows - inputs.n_labelled
    judged_by_others = n_unlabelled >= UNLABELLED_PER_LABELLED * inputs.n_labelled
    wanted = (inputs.has_few_labels or looks_clean) and not judged_by_others and not config.fine_tune
    folds = config.folds if config.folds is not None else FOLDS * wanted
    most = int(may_be_hidden(given, trusted).sum()) if folds else 0
    return min(folds, most) if most > 1 else 0


def looks_clean(p_mislabeled: npt.NDArray[np.float64], inputs: Inputs, backbone: str) -> bool:
    """Whether the first training takes so few labels of images, (k,), to be wrong that folds are worth their time."""
    measured = inputs.is_image and backbone in DENSE_BACKBONES and len(p_mislabeled) <= MOST_IMAGES
    return measured and float(p_mislabeled.mean()) < FEW_WRONG


def may_be_hidden(given: Codes, trusted: Flags | None) -> Flags:
    """Which of k labels, (k,): none of a class with few, and none that is trusted."""
    may: Flags = np.bincount(given)[given] >= LEAST_OF_CLASS
    return may if trusted is None else may & ~trusted


def cross_fit(
    fitted: Fitted, data: TrainingData, folds: int, seed: int, train: Callable[[TrainingData, int], Fitted]
) -> CrossFitted:
    """`fitted` with other predictions: of each row the mean of all networks that saw what it has for a label, pooled
    with the one that did not.

    `train` takes data and the number of the fold, from 1. Trusted labels are not hidden, nor those of classes with few.
    """
    labelled, codes = fitted.labelled, data.codes.numpy()
    may = may_be_hidden(codes[labelled], None if data.trusted is None else data.trusted.numpy()[labelled])
    rows = labelled[may]
    rng = np.random.default_rng(derive_seed(seed, "folds"))
    parts = spread_folds(data.x, data.usable.numpy()[rows], codes[rows], folds, rng) if len(rows) else []
    parts = parts if len(parts) > 1 else []  # one part: all have the same content
    seen, apart = fitted.guider_mean.copy(), fitted.guider_mean.copy()
    n_saw = np.ones((len(codes), 1), np.float32)
    known = fitted.noise_known  # a fold may have been too weak to tell it; then no network is read so
    for number, part in enumerate(parts, 1):
        without, left = rows[part], data.codes.clone()
        left[torch.from_numpy(without)] = -1
        other = train(dataclasses.replace(data, codes=left), number)
        probs, known = other.guider_mean, known and other.noise_known
        apart[without] = probs[without]
        saw = np.setdiff1d(np.arange(len(codes)), without)
        n_saw[saw] += 1
        seen[saw] += (probs[saw] - seen[saw]) / n_saw[saw]
    if parts:
        seen[rows] = pooled(seen[rows], apart[rows])
    found = dataclasses.replace(fitted, guider_mean=seen, noise_known=known)
    hidden = may & (len(parts) > 0)
    return CrossFitted(found, len(parts), fitted.guider_mean[labelled], apart[labelled], hidden)


def pooled(seen: Floats, apart: Floats) -> Floats:
    """The normalised geometric mean of two predictions, (k, C) each: (k, C)."""
    product = np.sqrt(seen.clip(SMALLEST) * apart.clip(SMALLEST), dtype=np.float64)
    return np.asarray(product / product.sum(axis=1, keepdims=True), np.float32)


def believe_folds(crossed: CrossFitted, given: Codes, kind: Kind) -> Believed:
    """`noiseaudit.neighbours.believe` of the pool, its log-odds moved to the count between both networks', or on images
    to that of the first network, which is not far off where most labels are not learnt by heart.

    `kind` is of x. Wide vectors are read as others: half of the pool has not learnt the label by heart.
    """
    if crossed.folds and kind is Kind.WIDE_VECTORS:
        kind = Kind.VECTORS
    strength = labels_strength(len(given), len(crossed.fitted.guider_mean))

    def score(probs: Floats, given: Codes, unseen: float) -> Scored:
        """`unseen`: the share of the log-odds of a hidden row that is of the network which did not see its label."""
        taught = strength * np.where(crossed.hidden, 1 - unseen, 1.0)
        return score_readings(probs, given, kind, noise_known=crossed.fitted.noise_known, taught=taught)

    believed = believe(crossed.fitted, given, partial(score, unseen=0.5))
    if not crossed.folds or believed.trust < 1:
        return believed
    counts = tuple(
        float(score(probs, given, unseen).p.sum())
        for probs, unseen in ((crossed.alone, 0.0), (crossed.apart, 1.0))
    )
    calmed = moved(believed.p_mislabeled, slope=FOLDS_SURENESS)
    floor = LEAST_COUNT * max(counts)
    between = math.sqrt(math.prod(max(count, floor) for count in counts))
    p = moved(calmed, shift_to(calmed, counts[0] if kind is Kind.IMAGES else between))
    return dataclasses.replace(believed, p_mislabeled=p, counts=(*believed.counts, *counts))

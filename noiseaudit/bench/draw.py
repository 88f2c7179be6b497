"""Which rows of a problem have a label in a run, which of those are wrong, and which are known to be right.

The labelled rows depend on the seed alone, so that all methods, rates and kinds of noise of a seed share them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F

from noiseaudit import noise
from noiseaudit.bench.problem import Codes, Pixels, Problem
from noiseaudit.errors import ConfigError
from noiseaudit.seeds import derive_seed

Bools = npt.NDArray[np.bool_]
TRUSTED_SHARE = 0.1  # of the labels of each class, at least one
FEATURE_SIDE = 16  # pixels of the images that instance-dependent noise looks at


@dataclass(frozen=True, eq=False)
class Draw:
    """The labels of one run."""

    rows: Codes  # (k,) which of the n rows are labelled, ascending
    given: Codes  # (k,) their labels, some of them wrong
    corrupted: Bools  # (k,)
    trusted: Bools  # (k,) labels known to be right


def draw_labels(problem: Problem, *, labels: int | None, kind: str, rate: float, seed: int) -> Draw:
    """`labels` rows, the same number of each class (None: every row that may have one), `rate` of them wrong.

    Exactly round(rate * n_c) labels of each class c are wrong where the noise is symmetric or asymmetric, and drawn
    anew where it is uniform.

    The trusted labels are a tenth of those of each class, one at least, drawn from the ones that stayed right: the
    method that needs some is told which of the same labels it can believe, and gets no label beyond the others'.

    Raises ConfigError if a class has too few rows.
    """
    rows = _labelled_rows(problem, labels, _stream(seed, "labelled rows"))
    truth = problem.truth[rows]
    rng = _stream(seed, f"corruption {kind} {rate}")
    given = _corrupt(problem, rows, kind, rate, rng).labels
    corrupted = given != truth
    trusted = choose_trusted(truth, corrupted, _stream(seed, f"trusted {kind} {rate}"))
    return Draw(rows, given, corrupted, trusted)


def _stream(seed: int, name: str) -> np.random.Generator:
    return np.random.default_rng(derive_seed(seed, f"bench {name}"))


def check_labels(problem: Problem, labels: int | None) -> None:
    """Raise ConfigError unless every class has as many rows as `draw_labels` would take of it."""
    if labels is not None:
        _labelled_rows(problem, labels, _stream(0, "labelled rows"))


def check_trusted(problem: Problem, *, labels: int | None, kind: str, rate: float, seed: int) -> None:
    """Raise ConfigError if `draw_labels` would leave no label that can be trusted."""
    if not draw_labels(problem, labels=labels, kind=kind, rate=rate, seed=seed).trusted.any():
        raise ConfigError(
            f"at a rate of {rate:g} no label is right, so none can be trusted",
            fix="Choose a lower rate, or leave reweight out.",
        )


def n_labelled(problem: Problem, labels: int | None) -> int:
    """How many rows `draw_labels` labels."""
    if labels is None:
        return int((problem.truth >= 0).sum())
    return labels // problem.n_classes * problem.n_classes


def _labelled_rows(problem: Problem, labels: int | None, rng: np.random.Generator) -> Codes:
    allowed = np.flatnonzero(problem.truth >= 0)
    if labels is None:
        return allowed
    per_class = labels // problem.n_classes
    chosen = []
    for code in range(problem.n_classes):
        rows = np.flatnonzero(problem.truth == code)
        if per_class < 1 or len(rows) < per_class:
            raise ConfigError(
                f"{labels} labels are {per_class} of each of {problem.n_classes} classes, "
                f"but class {code} has {len(rows)} rows"
            )
        chosen.append(rng.choice(rows, size=per_class, replace=False))
    return np.sort(np.concatenate(chosen))


def _corrupt(
    problem: Problem, rows: Codes, kind: str, rate: float, rng: np.random.Generator
) -> noise.Corruption:
    truth, n_classes = problem.truth[rows], problem.n_classes
    if kind in noise.BY_CLASS:
        return noise.BY_CLASS[kind](truth, n_classes, rate, rng)
    return noise.instance_dependent(truth, _features(problem.x[rows]), n_classes, rate, rng)


def _features(x: Pixels) -> npt.NDArray[np.float32]:
    """Small grey images, each pixel with mean 0 and standard deviation 1, or 0 where it is constant: (k, d)."""
    grey = torch.tensor(x).float().mean(1, keepdim=True)
    small = F.adaptive_avg_pool2d(grey, FEATURE_SIDE).flatten(1).numpy()
    deviation = small.std(axis=0)
    scaled: npt.NDArray[np.float32] = (small - small.mean(axis=0)) / np.where(
        deviation > 1e-3, deviation, np.inf
    )
    return scaled


def choose_trusted(truth: Codes, corrupted: Bools, rng: np.random.Generator) -> Bools:
    """A tenth of each class's labels, one at least, of those that stayed right: (k,), (k,) -> (k,)."""
    trusted = np.zeros(len(truth), np.bool_)
    for code in np.unique(truth):
        right = np.flatnonzero((truth == code) & ~corrupted)
        wanted = max(1, round(TRUSTED_SHARE * int((truth == code).sum())))
        trusted[rng.choice(right, size=min(wanted, len(right)), replace=False)] = True
    return trusted

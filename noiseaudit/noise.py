"""Planted label noise: symmetric, uniform, asymmetric and instance-dependent. NumPy only.

Labels are codes 0 .. n_classes - 1; rows with code -1 are unlabelled and stay so. Equal generators give equal
corruptions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from noiseaudit.errors import ConfigError, DataError

Codes = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
INSTANCE_RATE_SD = 0.1  # Xia et al. 2020


@dataclass(frozen=True)
class Corruption:
    """Labels after noise, as class codes of n rows."""

    labels: Codes  # (n,) after corruption
    flipped: npt.NDArray[np.bool_]  # (n,) True where the label changed


def symmetric(codes: Codes, n_classes: int, rate: float, rng: np.random.Generator) -> Corruption:
    """Flip exactly round(rate * n_c) rows of each class c to one of the other classes, uniformly.

    Every flip is to a wrong class, so the share of wrong labels is `rate`; see `uniform` for the other reading.
    Raises ConfigError if the rate is outside [0, 1] or n_classes < 2.
    """
    _check(codes, n_classes, rate)
    labels = codes.copy()
    for code, rows in _rows_by_class(codes):
        chosen = _choose(rows, rate, rng)
        labels[chosen] = (code + rng.integers(1, n_classes, len(chosen))) % n_classes
    return Corruption(labels, labels != codes)


def uniform(codes: Codes, n_classes: int, rate: float, rng: np.random.Generator) -> Corruption:
    """Draw a label anew for exactly round(rate * n_c) rows of each class c, uniformly from all C classes.

    The row's own class is among them (as in the public code of Tanaka et al. 2018), so that the share of wrong
    labels is rate * (C - 1) / C on average. Raises ConfigError if the rate is outside [0, 1] or n_classes < 2.
    """
    _check(codes, n_classes, rate)
    labels = codes.copy()
    for _, rows in _rows_by_class(codes):
        chosen = _choose(rows, rate, rng)
        labels[chosen] = rng.integers(0, n_classes, len(chosen))
    return Corruption(labels, labels != codes)


def wrong_share(kind: str, n_classes: int, rate: float) -> float:
    """The share of labels that a kind of noise is expected to make wrong: below the rate if own classes are drawn."""
    return rate * (n_classes - 1) / n_classes if kind == "uniform" else rate


def asymmetric(
    codes: Codes,
    n_classes: int,
    rate: float,
    rng: np.random.Generator,
    pairs: Mapping[int, int] | None = None,
) -> Corruption:
    """Flip exactly round(rate * n_c) rows of each class c to pairs[c], by default to (c + 1) mod C.

    Classes that are no key of `pairs` stay clean. Raises ConfigError if the rate is outside [0, 1], n_classes
    < 2, or a pair is outside the classes or maps a class to itself.
    """
    _check(codes, n_classes, rate)
    targets = {code: (code + 1) % n_classes for code in range(n_classes)} if pairs is None else pairs
    for code, target in targets.items():
        if code == target or not (0 <= code < n_classes and 0 <= target < n_classes):
            raise ConfigError(f"class pair {code} -> {target} is not a flip among {n_classes} classes")
    labels = codes.copy()
    for code, rows in _rows_by_class(codes):
        if code in targets:
            labels[_choose(rows, rate, rng)] = targets[code]
    return Corruption(labels, labels != codes)


BY_CLASS: dict[str, Callable[[Codes, int, float, np.random.Generator], Corruption]] = {
    "symmetric": symmetric,
    "uniform": uniform,
    "asymmetric": asymmetric,
}
KINDS = (*BY_CLASS, "instance")


def instance_dependent(
    codes: Codes,
    features: npt.NDArray[np.floating[Any]],
    n_classes: int,
    rate: float,
    rng: np.random.Generator,
) -> Corruption:
    """Noise that depends on the sample: Xia et al. 2020, "Part-dependent Label Noise", Algorithm 2.

    Row i flips with its own probability q_i, drawn from the normal N(rate, 0.1^2) truncated to [0, 1]; it
    flips to class j != y_i with probability softmax_j(x_i W_{y_i}), W_c being a (d, C) standard normal matrix
    per class. `features` is (n, d); standardise it, for the softmax to be neither flat nor one-hot. The
    number of flips is random, and above `rate` on average where the truncation at 0 bites (0.129 at rate
    0.1).

    Raises ConfigError if the rate is outside [0, 1] or n_classes < 2, DataError if the features of a labelled
    row are not finite or not (n, d).
    """
    _check(codes, n_classes, rate)
    _check_features(features, codes)
    flips = rng.random(len(codes)) < _truncated_normal(rate, INSTANCE_RATE_SD, len(codes), rng)
    draws = rng.random(len(codes))
    labels = codes.copy()
    for code, rows in _rows_by_class(codes):
        projection = rng.standard_normal((features.shape[1], n_classes))
        chosen = rows[flips[rows]]
        logits = features[chosen].astype(np.float64) @ projection
        logits[:, code] = -np.inf
        labels[chosen] = _sample(logits, draws[chosen])
    return Corruption(labels, labels != codes)


def _rows_by_class(codes: Codes) -> Iterator[tuple[int, npt.NDArray[np.int64]]]:
    """Each class that occurs, ascending, with its rows in order."""
    order = np.argsort(codes, kind="stable")
    present, starts = np.unique(codes[order], return_index=True)
    for code, rows in zip(present.tolist(), np.split(order, starts)[1:], strict=True):
        if code >= 0:
            yield code, rows


def _choose(rows: npt.NDArray[np.int64], rate: float, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    return rng.choice(rows, size=round(rate * len(rows)), replace=False)


def _truncated_normal(mean: float, sd: float, size: int, rng: np.random.Generator) -> Floats:
    """Draws of N(mean, sd^2) truncated to [0, 1], by rejection: about half or more are accepted."""
    values = rng.normal(mean, sd, size)
    while (outside := np.flatnonzero((values < 0) | (values > 1))).size:
        values[outside] = rng.normal(mean, sd, outside.size)
    return values


def _sample(logits: Floats, uniform: Floats) -> Codes:
    """One class a row from softmax(logits), by inverting the cumulative distribution at `uniform`."""
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    cumulative = np.cumsum(weights, axis=1)
    drawn: Codes = np.argmax(cumulative > uniform[:, None] * cumulative[:, -1:], axis=1)
    return drawn


def _check(codes: Codes, n_classes: int, rate: float) -> None:
    if not 0 <= rate <= 1:
        raise ConfigError(f"noise rate {rate} is not between 0 and 1")
    if n_classes < 2:
        raise ConfigError(f"{n_classes} classes, but a label can only flip among at least two")
    if codes.size and (codes.max() >= n_classes or codes.min() < -1):
        raise DataError(f"label codes must lie between -1 and {n_classes - 1}")


def _check_features(features: npt.NDArray[np.floating[Any]], codes: Codes) -> None:
    if features.ndim != 2 or len(features) != len(codes):
        raise DataError(f"features of shape {features.shape}, but ({len(codes)}, d) is needed")
    if not np.isfinite(features[codes >= 0]).all():
        raise DataError("features of a labelled row are not finite")

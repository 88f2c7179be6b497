"""p_mislabeled: how probable it is that a given label is wrong, from the Guider and what it learnt about the noise.

With q(y|x) the Guider's probabilities and T[y, y_hat] = p(y_hat | y) the noise between classes, Bayes' rule gives

    p(y | x, y_hat)  is proportional to  q(y|x)^(1/tau) T[y, y_hat],      p_mislabeled = 1 - p(y = y_hat | x, y_hat).

T and the temperature tau are fitted to the given labels alone, by maximum likelihood: T by expectation-maximisation
(Dawid and Skene 1979, with one annotator), tau by a line search. The Guider's probabilities are averaged over the
later epochs. Only the given class and the best others of each row are kept one by one, which is exact up to
CANDIDATES + 1 classes and keeps memory at n x CANDIDATES beyond. docs/method.md measures each ingredient.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

CANDIDATES = 10  # classes beside the given one
EM_STEPS = 30
PSEUDO_COUNT = 1.0  # of labels a class is given before any is seen, spread evenly over all classes
LOG_TEMPERATURE_BOUNDS = (math.log(0.25), math.log(16.0))
FIT_ROWS = 100_000  # T and tau are fitted on at most so many rows, evenly spaced
SMALLEST = 1e-30  # probabilities below it are one and the same


class Candidates(NamedTuple):
    """Each row's given class (column 0), its best others, best first, and the rest of the classes together."""

    codes: Codes  # (n, K)
    log_probs: Floats  # (n, K), and a last column for the mean of the rest's classes if there is a rest
    n_rest: int  # classes in the rest


@dataclass(frozen=True)
class Noise:
    """The fitted noise model: T of class pairs, and the temperature."""

    pairs: Codes  # (P,), y * n_classes + y_hat of the pairs that occur among the candidates, ascending
    log_rates: Floats  # (P,), their log T
    log_background: Floats  # (C,) over y_hat; log T of any other pair is log_background[y_hat] - log_total[y]
    log_total: Floats  # (C,) over y
    log_rest: Floats  # (C,) over y_hat, log of the mean T where y is one of the rest
    temperature: float


def score_labels(probs: npt.NDArray[np.float32], given: Codes) -> Floats:
    """p_mislabeled of n labelled rows, (n,), from the Guider's probabilities (n, C) and the given classes (n,)."""
    if not len(given):
        return np.zeros(0)
    candidates = best_classes(probs, given)
    noise = fit_noise(candidates, probs.shape[1])
    return p_mislabeled(candidates, noise, probs.shape[1])


def best_classes(probs: npt.NDArray[np.float32], given: Codes) -> Candidates:
    """The given class and the best `CANDIDATES` others of each row, with what is left beside them."""
    n_classes, rows = probs.shape[1], np.arange(len(given))[:, None]
    others = probs.copy()
    others[rows[:, 0], given] = -1.0  # sorts last
    n_others = min(CANDIDATES, n_classes - 1)
    n_rest = n_classes - 1 - n_others
    best = np.argsort(-others, axis=1, kind="stable")[:, :n_others]
    codes = np.concatenate([given[:, None], best], axis=1)
    kept = probs[rows, codes].astype(np.float64)
    if n_rest:
        others[rows, codes] = 0.0
        kept = np.column_stack([kept, others.sum(axis=1, dtype=np.float64) / n_rest])
    return Candidates(codes, np.log(np.maximum(kept, SMALLEST)), n_rest)


def fit_noise(candidates: Candidates, n_classes: int, temperature: float | None = None) -> Noise:
    """T and tau that make the given labels most likely; T alone if a temperature is given."""
    part = _evenly(len(candidates.codes), FIT_ROWS)
    sample = candidates._replace(codes=candidates.codes[part], log_probs=candidates.log_probs[part])
    if temperature is not None:
        return _fit_rates(sample, n_classes, temperature)[0]

    def misfit(log_temperature: float) -> float:
        return -_fit_rates(sample, n_classes, math.exp(log_temperature))[1]

    found = minimize_scalar(misfit, bounds=LOG_TEMPERATURE_BOUNDS, method="bounded", options={"xatol": 0.02})
    return _fit_rates(sample, n_classes, math.exp(float(found.x)))[0]


def p_mislabeled(candidates: Candidates, noise: Noise, n_classes: int) -> Floats:
    """1 - p(y = y_hat | x, y_hat), summed over the other classes so that small values stay exact: (n,)."""
    codes = candidates.codes
    pairs = _pair_ids(codes, n_classes)
    where = np.minimum(np.searchsorted(noise.pairs, pairs), len(noise.pairs) - 1)
    unseen = noise.log_background[codes[:, :1]] - noise.log_total[codes]
    log_rates = np.where(noise.pairs[where] == pairs, noise.log_rates[where], unseen)
    log_joint = _tempered(candidates, noise.temperature) + _with_rest(log_rates, candidates, noise.log_rest)
    joint, _ = _posterior(log_joint)
    return np.asarray(joint[:, 1:].sum(axis=1))


def _fit_rates(candidates: Candidates, n_classes: int, temperature: float) -> tuple[Noise, float]:
    """T by expectation-maximisation at one temperature, and the mean log-likelihood of the given labels."""
    log_q, codes = _tempered(candidates, temperature), candidates.codes
    pairs, index = np.unique(_pair_ids(codes, n_classes), return_inverse=True)
    index = index.reshape(codes.shape)
    is_right = pairs // n_classes == pairs % n_classes
    other = 0.1 / max(1, n_classes - 1)
    noise = Noise(
        pairs=pairs,
        log_rates=np.log(np.where(is_right, 0.9, other)),
        log_background=np.full(n_classes, math.log(other)),
        log_total=np.zeros(n_classes),
        log_rest=np.full(n_classes, math.log(other)),
        temperature=temperature,
    )
    for _ in range(EM_STEPS):
        log_rates = _with_rest(noise.log_rates[index], candidates, noise.log_rest)
        posterior, _ = _posterior(log_q + log_rates)
        part = posterior[:, : codes.shape[1]]
        counts = np.bincount(index.ravel(), weights=part.ravel(), minlength=len(pairs))
        beside = posterior[:, codes.shape[1] :].sum(axis=1)
        stray = np.bincount(codes[:, 0], weights=beside, minlength=n_classes) / max(1, n_classes - 1)
        noise = _rates(pairs, np.asarray(counts), np.asarray(stray), temperature)
    log_rates = _with_rest(noise.log_rates[index], candidates, noise.log_rest)
    return noise, float(_posterior(log_q + log_rates)[1].mean())


def _rates(pairs: Codes, counts: Floats, stray: Floats, temperature: float) -> Noise:
    """T from the expected counts of the pairs, (P,), and of each y_hat with any one class of the rest, (C,)."""
    n_classes = len(stray)
    true, given = pairs // n_classes, pairs % n_classes
    background = stray + PSEUDO_COUNT / n_classes
    per_class = np.bincount(true, weights=counts, minlength=n_classes)
    total = per_class + stray.sum() - stray + PSEUDO_COUNT
    rates = (counts + background[given] - np.where(true == given, stray[given], 0.0)) / total[true]
    seen_wrong = np.bincount(
        given, weights=np.where(true == given, 0.0, counts / total[true]), minlength=n_classes
    )
    all_wrong = seen_wrong + background * ((1 / total).sum() - 1 / total)
    return Noise(
        pairs=pairs,
        log_rates=np.log(rates),
        log_background=np.log(background),
        log_total=np.log(total),
        log_rest=np.log(all_wrong / max(1, n_classes - 1)),
        temperature=temperature,
    )


def _with_rest(log_rates: Floats, candidates: Candidates, log_rest: Floats) -> Floats:
    """`log_rates` of the named candidates, and beside them that of the rest if there is one."""
    if not candidates.n_rest:
        return log_rates
    return np.column_stack([log_rates, log_rest[candidates.codes[:, 0]]])


def _posterior(log_joint: Floats) -> tuple[Floats, Floats]:
    """Rows normalised to probabilities (n, K), and the logarithm of what they summed to (n,)."""
    top = log_joint.max(axis=1, keepdims=True)
    joint = np.exp(log_joint - top)
    total = joint.sum(axis=1, keepdims=True)
    return joint / total, (np.log(total) + top)[:, 0]


def _tempered(candidates: Candidates, temperature: float) -> Floats:
    """Logarithm of q^(1/tau), normalised over all classes.

    Without the rest, a high temperature would favour the given class for being a candidate in every row.
    """
    scaled = candidates.log_probs / temperature
    if candidates.n_rest:
        scaled[:, -1] += math.log(candidates.n_rest)
    return scaled - _posterior(scaled)[1][:, None]


def _pair_ids(codes: Codes, n_classes: int) -> Codes:
    """y * n_classes + y_hat for every candidate y of each row."""
    return codes * n_classes + codes[:, :1]


def _evenly(n: int, limit: int) -> Codes:
    return np.linspace(0, n - 1, min(n, limit)).astype(np.int64)

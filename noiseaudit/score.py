"""p_mislabeled: how probable it is that a given label is wrong, from the Guider and what it learnt about the noise.

With q(y|x) the Guider's probabilities and T[y, y_hat] = p(y_hat | y) the noise between classes, Bayes' rule gives

    p(y | x, y_hat)  is proportional to  q(y|x)^(1/tau) T[y, y_hat],      p_mislabeled = 1 - p(y = y_hat | x, y_hat).

T and the temperature tau are fitted to the given labels alone, by maximum likelihood: T by expectation-maximisation
(Dawid and Skene 1979, with one annotator), tau by a line search. The Guider's probabilities are averaged over the
later epochs. Only the given class and the best others of each row are kept one by one, which is exact up to
CANDIDATES + 1 classes and keeps memory at n x CANDIDATES beyond. `scan` has another reading of the noise, too
(noiseaudit.readings); the paper's tables are made with this one alone. docs/method.md measures each ingredient.
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
SORT_VALUES = 2**22  # probabilities that are sorted at once: 16 MiB, and twice that for their order
FIT_ROWS = 100_000  # T and tau are fitted on at most so many rows, drawn at random but always the same
SMALLEST = 1e-30  # probabilities below it are one and the same


class Candidates(NamedTuple):
    """Each row's given class (column 0), its best others, best first, and last the rest together, if there is one.

    The rest counts as one more class, numbered C, which becomes any label at the mean rate of wrong labels.
    """

    codes: Codes  # (n, K)
    log_probs: Floats  # (n, K); of the rest, the mean over its classes
    n_rest: int  # classes in the rest


@dataclass(frozen=True)
class Noise:
    """The fitted noise model: log T of the class pairs that occur, and the temperature."""

    pairs: Codes  # (P,), y * n_classes + y_hat, ascending
    log_rates: Floats  # (P,)
    log_unseen: Floats  # (C + 1,) over y, log T[y, y_hat] of any other pair
    temperature: float

    def log_rate(self, true: Codes, given: Codes, n_classes: int) -> Floats:
        """log T[true, given] of pairs of classes, the arrays of one shape."""
        pairs = true * n_classes + given
        where = np.minimum(np.searchsorted(self.pairs, pairs), len(self.pairs) - 1)
        return np.where(self.pairs[where] == pairs, self.log_rates[where], self.log_unseen[true])


class Scored(NamedTuple):
    """What is made of n given labels."""

    p: Floats  # (n,) p_mislabeled
    noise: Noise | None  # that was fitted; None where there is no row
    counts: tuple[float, ...] = ()  # other estimates of the sum of p


def score_with_noise(probs: npt.NDArray[np.float32], given: Codes) -> Scored:
    """p_mislabeled of n labelled rows, (n,), from the Guider's probabilities (n, C) and the given classes (n,), and the
    noise model that was fitted.
    """
    if not len(given):
        return Scored(np.zeros(0), None)
    candidates = best_classes(probs, given)
    noise = fit_noise(candidates, probs.shape[1])
    return Scored(p_mislabeled(candidates, noise, probs.shape[1]), noise)


def best_classes(probs: npt.NDArray[np.float32], given: Codes) -> Candidates:
    """The given class and the best `CANDIDATES` others of each row, with what is left beside them."""
    parts = [_best_of_some(probs[part], given[part]) for part in _parts(probs)]
    codes, log_probs = (
        np.concatenate([getattr(part, name) for part in parts]) for name in Candidates._fields[:2]
    )
    return Candidates(codes, log_probs, parts[0].n_rest)


def _best_of_some(probs: npt.NDArray[np.float32], given: Codes) -> Candidates:
    n_classes, rows = probs.shape[1], np.arange(len(given))[:, None]
    others = probs.copy()
    others[rows[:, 0], given] = -1.0  # sorts last
    n_rest = max(0, n_classes - 1 - CANDIDATES)
    codes = np.concatenate([given[:, None], _best_few(others, n_classes - 1 - n_rest)], axis=1)
    kept = probs[rows, codes].astype(np.float64)
    if n_rest:
        others[rows, codes] = 0.0
        kept = np.column_stack([kept, others.sum(axis=1, dtype=np.float64) / n_rest])
        codes = np.column_stack([codes, np.full(len(codes), n_classes)])
    return Candidates(codes, np.log(np.maximum(kept, SMALLEST)), n_rest)


def _parts(probs: npt.NDArray[np.float32]) -> list[slice]:
    """Rows that are sorted together, at least one part: of many classes, all would take several times what they do."""
    rows = max(1, SORT_VALUES // max(1, probs.shape[1]))
    return [slice(start, start + rows) for start in range(0, max(1, len(probs)), rows)]


def best_first(probs: npt.NDArray[np.float32], k: int) -> Codes:
    """The k most probable classes of each row, best first: (n, C) -> (n, k)."""
    return np.concatenate([_best_few(probs[part], k) for part in _parts(probs)])


def _best_few(probs: npt.NDArray[np.float32], k: int) -> Codes:
    n_classes = probs.shape[1]
    few = np.argpartition(-probs, k - 1, axis=1)[:, :k] if k < n_classes else np.arange(n_classes)[None, :]
    few = np.sort(np.broadcast_to(few, (len(probs), k)), axis=1)  # so that ties go by class
    order = np.argsort(-np.take_along_axis(probs, few, axis=1), axis=1, kind="stable")
    best: Codes = np.take_along_axis(few, order, axis=1)
    return best


def fit_noise(candidates: Candidates, n_classes: int, temperature: float | None = None) -> Noise:
    """T and tau that make the given labels most likely; T alone if a temperature is given."""
    part = some(len(candidates.codes), FIT_ROWS)
    sample = candidates._replace(codes=candidates.codes[part], log_probs=candidates.log_probs[part])
    pairs, index = np.unique(_pair_ids(sample.codes, n_classes), return_inverse=True)
    index = index.reshape(sample.codes.shape)

    def fit(temperature: float) -> tuple[Noise, float]:
        return _fit_rates(sample, pairs, index, n_classes, temperature)

    def misfit(log_temperature: float) -> float:
        return -fit(math.exp(log_temperature))[1]

    if temperature is not None:
        return fit(temperature)[0]
    found = minimize_scalar(misfit, bounds=LOG_TEMPERATURE_BOUNDS, method="bounded", options={"xatol": 0.02})
    return fit(math.exp(float(found.x)))[0]


def p_mislabeled(candidates: Candidates, noise: Noise, n_classes: int) -> Floats:
    """1 - p(y = y_hat | x, y_hat), summed over the other classes so that small values stay exact: (n,)."""
    log_rates = noise.log_rate(candidates.codes, candidates.codes[:, :1], n_classes)
    joint, _ = posterior(tempered(candidates, noise.temperature) + log_rates)
    return np.asarray(joint[:, 1:].sum(axis=1)).clip(max=1.0)  # a sum of shares can round to just above 1


def _fit_rates(
    candidates: Candidates, pairs: Codes, index: Codes, n_classes: int, temperature: float
) -> tuple[Noise, float]:
    """T by expectation-maximisation at one temperature, and the mean log-likelihood of the given labels.

    `pairs` are the P class pairs that occur, `index` (n, K) which of them each candidate and its row's label are.
    """
    log_q = tempered(candidates, temperature)
    true_class, kept = pairs // n_classes, pairs // n_classes == pairs % n_classes
    log_rates = np.log(np.where(kept, 0.9, 0.1 / max(1, n_classes - 1)))
    for _ in range(EM_STEPS):
        shares, _ = posterior(log_q + log_rates[index])
        counts = np.bincount(index.ravel(), weights=shares.ravel(), minlength=len(pairs))
        per_class = np.bincount(true_class, weights=counts, minlength=n_classes + 1)
        rates = (counts + PSEUDO_COUNT / n_classes) / (per_class[true_class] + PSEUDO_COUNT)
        mean_wrong = (counts[~kept].sum() + PSEUDO_COUNT) / (len(log_q) * (n_classes - 1))
        log_rates = np.log(np.where(true_class == n_classes, mean_wrong, rates))
    _, log_likelihood = posterior(log_q + log_rates[index])
    log_unseen = np.log(PSEUDO_COUNT / n_classes / (per_class + PSEUDO_COUNT))
    return Noise(pairs, log_rates, log_unseen, temperature), float(log_likelihood.mean())


def posterior(log_joint: Floats) -> tuple[Floats, Floats]:
    """Rows normalised to probabilities (n, K), and the logarithm of what they summed to (n,)."""
    top = log_joint.max(axis=1, keepdims=True)
    joint = np.exp(log_joint - top)
    total = joint.sum(axis=1, keepdims=True)
    return joint / total, (np.log(total) + top)[:, 0]


def tempered(candidates: Candidates, temperature: float) -> Floats:
    """Logarithm of q^(1/tau), normalised over all classes.

    Without the rest, a high temperature would favour the given class for being a candidate in every row.
    """
    scaled = candidates.log_probs / temperature
    if candidates.n_rest:
        scaled[:, -1] += math.log(candidates.n_rest)
    return scaled - posterior(scaled)[1][:, None]


def _pair_ids(codes: Codes, n_classes: int) -> Codes:
    """y * n_classes + y_hat for every candidate y of each row."""
    return codes * n_classes + codes[:, :1]


def some(n: int, limit: int) -> Codes:
    """At most `limit` of n rows, ascending: every n-th would follow a pattern in their order."""
    if n <= limit:
        return np.arange(n)
    return np.sort(np.random.default_rng(0).choice(n, limit, replace=False))

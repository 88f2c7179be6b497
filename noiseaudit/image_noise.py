"""Noise that depends on the image, too: annotators slip most where a class looks plausible.

noiseaudit.score takes p(y_hat | y) to be the same for all images of a class, which is how noise is planted. People's
mistakes are not spread so: a cat that looks like a dog is called a dog, others are not. Here

    p(y_hat | y, x) = T[y, y_hat] q(y_hat|x)^gamma / sum_j T[y, j] q(j|x)^gamma

with tempered q. gamma = 0 is noiseaudit.score's model. T, the temperature and gamma are fitted to the given labels
by maximum likelihood, the last two with priors, of which the temperature's is about what noiseaudit.score found: labels
say little of gamma, because a network that errs where people err explains them as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from noiseaudit.score import PSEUDO_COUNT, SMALLEST, Candidates, Noise, posterior, some, tempered

Floats = npt.NDArray[np.float64]

FIT_ROWS = 8_000  # fitted on so many, drawn at random but always the same; more where there are many classes
ROWS_A_CLASS = 100  # with fewer, T, which has a number for each pair of classes, fits chance
MOST_CLASSES = 100  # beyond it a fit would take minutes
SEARCH_STEPS, FINAL_STEPS = 5, 30  # of T's fit, which a search goes on with from point to point
EVALUATIONS = 40  # points of the search
LOG_TEMPERATURE_DEVIATION = 0.3  # of its prior
SHRINKAGE = 20.0  # labels
CHUNK = 20_000  # rows scored together


@dataclass(frozen=True, eq=False)
class ImageNoise:
    """The fitted model."""

    rates: Floats  # (C + 1, C + 1), T; of the last class, the rest, what noiseaudit.score says
    temperature: float
    gamma: float


class GammaPrior(NamedTuple):
    """A normal distribution, cut off at 0 and at the most that is taken."""

    mean: float = 0.0
    deviation: float = 0.2
    most: float = 1.0


LITTLE_GAMMA = GammaPrior()


class _Rows(NamedTuple):
    """Candidates at one temperature and gamma."""

    codes: npt.NDArray[np.int64]  # (n, K)
    log_q: Floats  # (n, K), tempered
    log_given: Floats  # (n, 1), log q(y_hat|x)^gamma
    weight: Floats  # (n, C + 1), q(j|x)^gamma, less that of the rest: 0 where j is no candidate
    rest: Floats  # (n,), q^gamma of a class that is not among the candidates, 0 if there is none


def has_enough(n_labels: int, n_classes: int) -> bool:
    """Whether so many labels can tell this model from noiseaudit.score's."""
    return n_classes <= MOST_CLASSES and n_labels >= ROWS_A_CLASS * n_classes


def fit_rows(n_labels: int, n_classes: int) -> int:
    """Of so many labels, how many are fitted to."""
    return min(n_labels, max(FIT_ROWS, ROWS_A_CLASS * n_classes))


def fit_image_noise(
    candidates: Candidates, noise: Noise, n_classes: int, prior: GammaPrior = LITTLE_GAMMA
) -> ImageNoise:
    """Fit from where `noise`, the model without gamma, begins."""
    part = some(len(candidates.codes), fit_rows(len(candidates.codes), n_classes))
    sample = candidates._replace(codes=candidates.codes[part], log_probs=candidates.log_probs[part])
    start = np.log(noise.temperature)
    rates = _start(noise, n_classes)

    def misfit(parameters: Floats) -> float:
        nonlocal rates
        log_temperature, gamma = parameters
        rows = _rows(sample, n_classes, np.exp(log_temperature), gamma)
        rates, log_likelihood = _fit_rates(rows, rates, SEARCH_STEPS)
        far = (log_temperature - start) / LOG_TEMPERATURE_DEVIATION, (gamma - prior.mean) / prior.deviation
        return float((far[0] ** 2 + far[1] ** 2) / 2 - log_likelihood)

    simplex = [(start, 0.02), (start - 0.2, 0.02), (start, min(0.2, prior.most))]
    found = minimize(
        misfit,
        simplex[0],
        method="Nelder-Mead",
        bounds=[(start - 2, start + 2), (0, prior.most)],
        options={"initial_simplex": simplex, "xatol": 0.01, "fatol": 0.1, "maxfev": EVALUATIONS},
    ).x
    temperature, gamma = float(np.exp(found[0])), float(found[1])
    rates, _ = _fit_rates(_rows(sample, n_classes, temperature, gamma), _start(noise, n_classes), FINAL_STEPS)
    return ImageNoise(rates, temperature, gamma)


def p_mislabeled(candidates: Candidates, noise: ImageNoise) -> Floats:
    """1 - p(y = y_hat | x, y_hat), summed over the other classes so that small values stay exact: (n,)."""
    found = [joint[:, 1:].sum(axis=1).clip(max=1.0) for _, joint in _posteriors(candidates, noise)]
    return np.concatenate([np.zeros(0), *found])


def mean_rates(candidates: Candidates, noise: ImageNoise, n_classes: int) -> Floats:
    """p(y_hat | y), averaged over the images that look like y: (C, C), rows y.

    Each row is drawn to the mean share of labels that are kept, the others spread evenly, as by SHRINKAGE labels: of a
    class that is rare, or not recognised yet, its own would say that any label will do.
    """
    n = n_classes + 1  # the rest is the last
    counts = np.zeros(n * n)
    for codes, joint in _posteriors(candidates, noise):
        counts += np.bincount((codes * n + codes[:, :1]).ravel(), weights=joint.ravel(), minlength=n * n)
    found = counts.reshape(n, n)[:-1, :-1]
    kept = found.trace() / found.sum()
    usual = np.full((n_classes, n_classes), (1 - kept) / max(1, n_classes - 1))
    np.fill_diagonal(usual, kept)
    return np.asarray((found + SHRINKAGE * usual) / (found.sum(axis=1, keepdims=True) + SHRINKAGE))


def _posteriors(candidates: Candidates, noise: ImageNoise) -> Iterator[tuple[npt.NDArray[np.int64], Floats]]:
    """Candidates and p(y | x, y_hat) of each, (rows, K) both, of CHUNK rows at a time."""
    for first in range(0, len(candidates.codes), CHUNK):
        part = slice(first, first + CHUNK)
        cut = candidates._replace(codes=candidates.codes[part], log_probs=candidates.log_probs[part])
        rows = _rows(cut, len(noise.rates) - 1, noise.temperature, noise.gamma)
        yield rows.codes, posterior(rows.log_q + _log_likelihood(rows, noise.rates)[0])[0]


def _start(noise: Noise, n_classes: int) -> Floats:
    """T of the model without gamma, dense; rows of classes sum to 1."""
    classes = np.arange(n_classes + 1)
    true, given = np.meshgrid(classes, classes, indexing="ij")
    rates = np.exp(noise.log_rate(true, given, n_classes))
    rates[:-1, -1] = 0
    rates[:-1] /= rates[:-1].sum(axis=1, keepdims=True)
    return np.asarray(rates)


def _rows(candidates: Candidates, n_classes: int, temperature: float, gamma: float) -> _Rows:
    codes, log_q = candidates.codes, tempered(candidates, temperature)
    weight, rest = np.exp(gamma * log_q), np.zeros(len(log_q))
    if candidates.n_rest:
        rest = np.exp(gamma * (log_q[:, -1] - np.log(candidates.n_rest)))
        weight[:, -1] = rest
    return _Rows(
        codes, log_q, gamma * log_q[:, :1], _spread(codes, weight - rest[:, None], n_classes + 1), rest
    )


def _spread(codes: npt.NDArray[np.int64], values: Floats, n: int) -> Floats:
    """Values of candidates, (rows, K), by class: (rows, n), 0 where a class is no candidate."""
    spread = np.zeros((len(codes), n))
    np.put_along_axis(spread, codes, values, axis=1)
    return spread


def _log_likelihood(rows: _Rows, rates: Floats) -> tuple[Floats, Floats]:
    """log p(y_hat | y, x) for each candidate y, and what it is normalised by: sum_j T[y, j] q(j|x)^gamma; (n, K) both.

    Weights are what candidates have beyond the rest, which all classes have: T's rows sum to 1.
    """
    total = np.take_along_axis(rows.weight @ rates.T, rows.codes, axis=1) + rows.rest[:, None]
    total = np.maximum(total, SMALLEST)
    log_rate = np.log(rates[rows.codes, rows.codes[:, :1]])
    is_rest = rows.codes == len(rates) - 1
    return np.where(is_rest, log_rate, log_rate + rows.log_given - np.log(total)), total


def _fit_rates(rows: _Rows, rates: Floats, steps: int) -> tuple[Floats, float]:
    """T by so many steps from `rates`, and the log-likelihood of the given labels before the last of them.

    A step multiplies T by observed over expected counts of each pair, with noiseaudit.score's pseudo-counts, and
    normalises; the rest stays.
    """
    n, k = len(rates), len(rates) - 1
    observed_pairs = (rows.codes * n + rows.codes[:, :1]).ravel()
    log_likelihood = 0.0
    for _ in range(steps):
        log_label, total = _log_likelihood(rows, rates)
        shares, log_sum = posterior(rows.log_q + log_label)
        log_likelihood = float(log_sum.sum())
        per_total = _spread(rows.codes, shares / total, n)
        observed = np.bincount(observed_pairs, weights=shares.ravel(), minlength=n * n).reshape(n, n)
        expected = rates * (per_total.T @ rows.weight + (per_total.T @ rows.rest)[:, None])
        given = rates[:k, :k]
        fitted = given * (observed[:k, :k] + PSEUDO_COUNT / k) / (expected[:k, :k] + PSEUDO_COUNT * given)
        rates = rates.copy()
        rates[:k, :k] = fitted / fitted.sum(axis=1, keepdims=True)
    return rates, log_likelihood

"""Wrong labels that look like those already there, planted to see how many of them are found.

Label y of row x becomes j with a weight of T[y, j] (q(j given x) / q(y given x))^gamma: T is the fitted noise between
classes, q the tempered prediction. Gamma says how much plausible errors are preferred: 0 is noise that depends on the
class alone, 1 takes rows and classes as the model confuses them. It is estimated from the labels in doubt: the mean of
log q(j given x) / q(y given x) over planted flips is to be that over the doubted labels, weighted by p_mislabeled.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq

from noiseaudit.score import SMALLEST, Candidates, Noise, best_classes, tempered

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

RIGHT = 0.5  # labels with a p_mislabeled from here on are taken to be wrong already
DOUBTED, FEWEST_DOUBTED = 0.2, 10  # labels that say what errors look like, from this p_mislabeled on
MOST_PLAUSIBLE = 4.0  # gamma is looked for up to here
LOG_ODDS = 20.0  # beyond it, a class is impossible or certain and differences mean nothing


class Planted(NamedTuple):
    """m rows that get a wrong label."""

    rows: Codes  # (m,), ascending
    labels: Codes  # (m,)
    preference: float  # gamma


def plant(
    probs: npt.NDArray[np.float32],
    given: Codes,
    p_mislabeled: Floats,
    noise: Noise,
    count: int,
    rng: np.random.Generator,
) -> Planted:
    """Draw `count` rows, or as many as can be, of the k labelled ones, and wrong labels for them.

    `probs` is (k, C), `given` and `p_mislabeled` are (k,). Only labels taken to be right are changed.
    """
    n_classes = probs.shape[1]
    candidates = best_classes(probs, given)
    log_odds, log_rates = flips(candidates, noise, n_classes)
    gamma = preference(candidates, noise, n_classes, p_mislabeled)
    weights = np.exp(log_rates + gamma * log_odds) * (p_mislabeled < RIGHT)[:, None]
    per_row = weights.sum(axis=1)
    count = min(count, int((per_row > 0).sum()))
    if not count:
        return Planted(np.zeros(0, np.int64), np.zeros(0, np.int64), gamma)
    rows = np.sort(rng.choice(len(given), count, replace=False, p=per_row / per_row.sum()))
    cumulative = np.cumsum(weights[rows], axis=1)
    columns = (cumulative > rng.random(count)[:, None] * cumulative[:, -1:]).argmax(axis=1)
    labels = _drawn_from_rest(candidates.codes[rows], columns + 1, n_classes, rng)
    return Planted(rows, labels, gamma)


def flips(candidates: Candidates, noise: Noise, n_classes: int) -> tuple[Floats, Floats]:
    """log q(j) / q(given) and log T[given, j] for each other candidate j: (n, K - 1) both."""
    log_q = tempered(candidates, noise.temperature)
    others = candidates.codes[:, 1:]
    given = np.broadcast_to(candidates.codes[:, :1], others.shape)
    log_rates = noise.log_rate(given, np.minimum(others, n_classes - 1), n_classes)
    log_odds = np.clip(log_q[:, 1:] - log_q[:, :1], -LOG_ODDS, LOG_ODDS)
    if candidates.n_rest:  # as many classes with equal shares; they get what the candidates leave
        kept = noise.log_rate(candidates.codes[:, 0], candidates.codes[:, 0], n_classes)
        left = 1 - np.exp(kept) - np.exp(log_rates[:, :-1]).sum(axis=1)
        log_rates[:, -1] = np.log(np.maximum(left, SMALLEST))
        log_odds[:, -1] -= np.log(candidates.n_rest)
    return log_odds, log_rates


def preference(candidates: Candidates, noise: Noise, n_classes: int, p_mislabeled: Floats) -> float:
    """Gamma, from 0 to MOST_PLAUSIBLE, of n labels with their p_mislabeled, (n,); 0 where few are in doubt.

    The best other class of a doubted label is taken for its true one.
    """
    doubted = p_mislabeled >= DOUBTED
    if doubted.sum() < FEWEST_DOUBTED:
        return 0.0
    log_odds, log_rates = flips(candidates, noise, n_classes)
    wanted = float(np.average(-log_odds[doubted, 0], weights=p_mislabeled[doubted]))
    log_right = np.log(np.maximum(1 - p_mislabeled, SMALLEST))[:, None]
    return matching(log_odds, log_rates + log_right, wanted)


def matching(log_odds: Floats, log_weights: Floats, wanted: float) -> float:
    """Gamma from 0 to MOST_PLAUSIBLE at which flips, (n, K - 1), have log-odds of mean `wanted`."""

    def excess(gamma: float) -> float:
        tilted = log_weights + gamma * log_odds
        weights = np.exp(tilted - tilted.max())
        return float((weights * log_odds).sum() / weights.sum()) - wanted

    if excess(0.0) >= 0:
        return 0.0
    return float(brentq(excess, 0.0, MOST_PLAUSIBLE)) if excess(MOST_PLAUSIBLE) > 0 else MOST_PLAUSIBLE


def _drawn_from_rest(codes: Codes, columns: Codes, n_classes: int, rng: np.random.Generator) -> Codes:
    """The class in each row's column; the rest stands for any class that is no candidate of the row."""
    labels = codes[np.arange(len(codes)), columns]
    for i in np.flatnonzero(labels == n_classes):
        labels[i] = rng.choice(np.setdiff1d(np.arange(n_classes), codes[i]))
    return labels

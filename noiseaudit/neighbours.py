"""What unlabelled rows like a labelled one say about it, for networks that learn their labels by heart.

A network that sees few labels again and again repeats them in the end, the wrong ones too, although it is right about
other rows. Unlabelled rows have no label to repeat. So the prediction of a labelled row is compared with the mean
prediction of its nearest unlabelled rows in the Guider's latent space. The neighbours are believed where two things
hold: the network repeats labels that they doubt, and they doubt more labels than their own mistakes explain, which are
seen on unlabelled rows, where the network has nothing to repeat. docs/method.md has the formulas.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from noiseaudit.course import Fitted
from noiseaudit.score import Noise, Scored, score_with_noise
from noiseaudit.seeds import derive_seed

Floats = npt.NDArray[np.float32]
Codes = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

NEIGHBOURS = 50  # at most, and no more than
SHARE_OF_CLASS = 0.1  # of the unlabelled rows that look like the row's class
LEAST_NEIGHBOURS = 5  # a row of a class that cannot give so many twice is not judged by neighbours
UNLABELLED_PER_LABELLED = 4  # below it, too few rows around one have no label of their own
MOST_WITNESSES = 100_000  # unlabelled rows that are searched
MOST_TRIALS = 5_000  # unlabelled rows on which the neighbours are tried
HARMLESS, HOPELESS = 0.05, 0.2  # by heart: up to the first the network is believed, from the second not
IDLE, SOUND = (
    0.2,
    0.5,
)  # reliability: up to the first the neighbours are not believed, from the second they are
LEAST_REPEATED = 3  # doubtful labels that the network repeats; fewer may be chance


@dataclass(frozen=True)
class Believed:
    """What a run comes to, with the neighbourhood's word in place of what was learnt by heart."""

    fitted: Fitted  # its predictions of labelled rows are those believed
    p_mislabeled: npt.NDArray[np.float64]  # (k,)
    p_alone: npt.NDArray[np.float64]  # (k,) what it would be without neighbours
    noise: Noise | None  # behind p_alone
    by_heart: float  # estimated share of the doubtful labels that the network repeats, 0 if unknown
    trust: float  # weight of the network's own predictions, from 0 to 1
    by_neighbours: Flags  # (k,) rows in whose score the neighbours have a say
    counts: tuple[float, ...] = ()  # other estimates of how many labels are wrong (noiseaudit.doubt)


def believe(
    fitted: Fitted, given: Codes, score: Callable[[Floats, Codes], Scored] = score_with_noise
) -> Believed:
    """Score the k labelled rows of a run; `given` is (k,), `score` takes their predictions (k, C) and it."""
    own = fitted.guider_mean[fitted.labelled]
    scored, witnesses = score(own, given), choose_witnesses(fitted)
    scores, noise, nobody = scored.p, scored.noise, np.zeros(len(given), np.bool_)
    alone = Believed(fitted, scores, scores, noise, 0.0, 1.0, nobody, scored.counts)
    if witnesses is None:
        return alone
    counts = neighbour_counts(fitted, witnesses, given)
    asked = counts > 0
    around = neighbours_mean(fitted, witnesses, fitted.labelled, counts)
    by_heart = share_by_heart(own[asked], around[asked], given[asked])
    sound = reliability(around[asked], given[asked], mistakes(fitted, witnesses))
    trust = 1 - _ramp(by_heart, HARMLESS, HOPELESS) * _ramp(sound, IDLE, SOUND)
    if trust == 1:
        return dataclasses.replace(alone, by_heart=by_heart)
    weight = np.where(asked, trust, 1.0)
    # Where a row lies was learnt from its label, too: no noise model on top, it would count the label twice.
    doubts = 1 - around[np.arange(len(given)), given].astype(np.float64)
    share = weight.astype(np.float32)[:, None]
    probs = fitted.guider_mean.copy()
    probs[fitted.labelled] = share * own + (1 - share) * around
    return Believed(
        dataclasses.replace(fitted, guider_mean=probs),
        np.clip(weight * scores + (1 - weight) * doubts, 0, 1),
        scores,
        noise,
        by_heart,
        trust,
        asked,
        scored.counts,
    )


def choose_witnesses(fitted: Fitted) -> Codes | None:
    """The unlabelled rows that are searched, ascending; None where they are too few."""
    unlabelled = np.setdiff1d(np.arange(len(fitted.guider_mean)), fitted.labelled)
    if not len(fitted.labelled) or len(unlabelled) < UNLABELLED_PER_LABELLED * len(fitted.labelled):
        return None
    return _some(unlabelled, MOST_WITNESSES, "witnesses")


def neighbour_counts(fitted: Fitted, witnesses: Codes, classes: Codes) -> Codes:
    """How many neighbours are asked about a row of each of `classes`, (k,) -> (k,); 0 where the class is too rare."""
    found = np.bincount(fitted.guider_mean[witnesses].argmax(1), minlength=fitted.guider_mean.shape[1])
    counts = np.clip(np.round(SHARE_OF_CLASS * found), LEAST_NEIGHBOURS, NEIGHBOURS).astype(np.int64)
    return np.asarray(np.where(found >= 2 * LEAST_NEIGHBOURS, counts, 0)[classes])


def neighbours_mean(fitted: Fitted, witnesses: Codes, rows: Codes, counts: Codes) -> Floats:
    """The mean prediction of the `counts` nearest witnesses of each of `rows`, itself left out: (k, C); 0 if none."""
    from sklearn.neighbors import NearestNeighbors

    total = np.zeros((len(rows), fitted.guider_mean.shape[1]), np.float32)
    most = min(int(counts.max(initial=0)) + 1, len(witnesses))
    search = NearestNeighbors(n_neighbors=most).fit(fitted.latent[witnesses])
    nearest = witnesses[search.kneighbors(fitted.latent[rows], return_distance=False)]
    asked = np.zeros(len(rows), np.int64)
    for column in nearest.T:  # one neighbour at a time: (k, K, C) would not fit in memory
        wanted = (column != rows) & (asked < counts)
        total[wanted] += fitted.guider_mean[column[wanted]]
        asked += wanted
    return np.asarray(total / np.maximum(asked, 1).astype(np.float32)[:, None])


def share_by_heart(own: Floats, around: Floats, given: Codes) -> float:
    """Of the labels that the neighbourhood doubts, the share that the network repeats: (k, C), (k, C), (k,).

    Labels that the network doubts and the neighbourhood does not are set against them.
    """
    repeated, supported = own.argmax(1) == given, around.argmax(1) == given
    more = int((repeated & ~supported).sum()) - int((supported & ~repeated).sum())
    return more / int((~supported).sum()) if more >= LEAST_REPEATED else 0.0


def mistakes(fitted: Fitted, witnesses: Codes) -> float:
    """How often the neighbourhood of an unlabelled row has another class than the network."""
    rows = _some(witnesses, MOST_TRIALS, "trials")
    classes = fitted.guider_mean[rows].argmax(1)
    counts = neighbour_counts(fitted, witnesses, classes)
    around = neighbours_mean(fitted, witnesses, rows, counts)
    tried = counts > 0
    return float((around.argmax(1) != classes)[tried].mean()) if tried.any() else 1.0


def reliability(around: Floats, given: Codes, mistakes: float) -> float:
    """The share of the neighbourhood's doubts, (k, C) and (k,), that its own rate of mistakes does not explain."""
    doubted = int((around.argmax(1) != given).sum())
    return max(0.0, 1 - mistakes * len(given) / doubted) if doubted else 0.0


def _ramp(value: float, low: float, high: float) -> float:
    return float(np.clip((value - low) / (high - low), 0, 1))


def _some(rows: Codes, most: int, name: str) -> Codes:
    """At most so many of `rows`, the same every time, ascending: every n-th would follow a pattern in their order."""
    if len(rows) <= most:
        return rows
    chosen = np.random.default_rng(derive_seed(0, f"neighbours {name}")).choice(rows, most, replace=False)
    return np.sort(chosen)

"""What unlabelled rows like a labelled one say about it, for networks that learn their labels by heart.

A network that sees few labels again and again repeats them in the end, the wrong ones too, although it is right about
other rows (docs/method.md measures it). Unlabelled rows have no label to repeat. So the prediction of a labelled row is
compared with the mean prediction of its nearest unlabelled rows in the Guider's latent space, and where labels agree
more with the first than with the second, the second is believed.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from noiseaudit.course import Fitted
from noiseaudit.score import score_labels

Floats = npt.NDArray[np.float32]
Codes = npt.NDArray[np.int64]

NEIGHBOURS = 50  # at most, and at most
SHARE_OF_CLASS = 0.1  # of the unlabelled rows of a class of mean size
LEAST_NEIGHBOURS = 5
UNLABELLED_PER_LABELLED = 4  # below it, too few rows around one have no label of their own
MOST_WITNESSES = 100_000  # unlabelled rows that are searched, evenly spaced
HARMLESS, HOPELESS = (
    0.05,
    0.2,
)  # shares learnt by heart: up to the first the network is believed, from the second not


@dataclass(frozen=True)
class Believed:
    """What a run comes to, with the neighbourhood's word in place of what was learnt by heart."""

    fitted: Fitted  # its predictions of labelled rows are those believed
    p_mislabeled: npt.NDArray[np.float64]  # (k,)
    by_heart: (
        float  # estimated share of the doubtful labels that the network repeats, 0 where it is not known
    )
    trust: float  # weight of the network's own predictions, from 0 to 1


def believe(fitted: Fitted, given: Codes) -> Believed:
    """Score the k labelled rows of a run; `given` is (k,)."""
    own = fitted.guider_mean[fitted.labelled]
    scores, around = score_labels(own, given), neighbours_mean(fitted)
    if around is None:
        return Believed(fitted, scores, 0.0, 1.0)
    by_heart = share_by_heart(own, around, given)
    trust = float(np.clip((HOPELESS - by_heart) / (HOPELESS - HARMLESS), 0, 1))
    if trust == 1:
        return Believed(fitted, scores, by_heart, trust)
    # Where a row lies was learnt from its label, too: no noise model on top, it would count the label twice.
    doubts = 1 - around[np.arange(len(given)), given].astype(np.float64)
    probs = fitted.guider_mean.copy()
    probs[fitted.labelled] = np.float32(trust) * own + np.float32(1 - trust) * around
    return Believed(
        dataclasses.replace(fitted, guider_mean=probs),
        np.clip(trust * scores + (1 - trust) * doubts, 0, 1),
        by_heart,
        trust,
    )


def neighbours_mean(fitted: Fitted) -> Floats | None:
    """The mean prediction of each labelled row's nearest unlabelled rows, (k, C); None where these are too few."""
    from sklearn.neighbors import NearestNeighbors

    unlabelled = np.setdiff1d(np.arange(len(fitted.guider_mean)), fitted.labelled)
    if not len(fitted.labelled) or len(unlabelled) < UNLABELLED_PER_LABELLED * len(fitted.labelled):
        return None
    witnesses = unlabelled[:: -(-len(unlabelled) // MOST_WITNESSES)]
    wanted = round(SHARE_OF_CLASS * len(witnesses) / fitted.guider_mean.shape[1])
    count = min(NEIGHBOURS, max(LEAST_NEIGHBOURS, wanted), len(witnesses))
    search = NearestNeighbors(n_neighbors=count).fit(fitted.latent[witnesses])
    nearest = search.kneighbors(fitted.latent[fitted.labelled], return_distance=False)
    total = np.zeros((len(nearest), fitted.guider_mean.shape[1]), np.float32)
    for column in nearest.T:  # one neighbour at a time: (k, K, C) would not fit in memory
        total += fitted.guider_mean[witnesses[column]]
    return total / np.float32(count)


def share_by_heart(own: Floats, around: Floats, given: Codes) -> float:
    """Of the labels that the neighbourhood doubts, the share that the network repeats: (k, C), (k, C), (k,).

    Labels that the network doubts and the neighbourhood does not are set against them.
    """
    repeated, supported = own.argmax(1) == given, around.argmax(1) == given
    doubted = int((~supported).sum())
    if not doubted:
        return 0.0
    return max(0, int((repeated & ~supported).sum()) - int((supported & ~repeated).sum())) / doubted

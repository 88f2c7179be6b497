"""Why a row is a suspect: facts with a kind, a number and what it refers to. noiseaudit.why puts them into words.

kind                    value                                            reference
guider                  the Guider's probability of the suggestion       the suggested label
peak                    the most it ever gave the given label            the number of epochs
learnt_late             share of the labels that were believed earlier   the epoch in which this one was first believed
class_pair              how often that class gets this label here        the suggested label
labelled_neighbours     share of the nearest labelled rows that have     the suggested label
                        the suggested label
unlabelled_neighbours   weight of what unlabelled rows say               none
duplicate               0: the same content                              sample_id of the row with another label
near_duplicate          how much they differ (noiseaudit.lookalikes)     sample_id of the row with another label
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

import numpy as np
import numpy.typing as npt

from noiseaudit.course import Fitted
from noiseaudit.lookalikes import Lookalikes
from noiseaudit.score import Noise

Codes = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

NEIGHBOURS = 10
LATE = 0.95  # later than so many labels
PAIR_RATE, PAIR_RATIO, PAIR_SUSPECTS = 0.05, 3.0, 3  # of a pair of classes that is worth naming
PLAUSIBLE = 0.2  # probability of each of two labels that both may be right
KNOWN = 0.5  # probability of a class that the network is sure enough of to name


class Evidence(TypedDict):
    """One fact about a row; the table above says what it means."""

    kind: str
    value: float
    reference: str | None


@dataclass(frozen=True)
class Grounds:
    """What the facts are taken from, about k labelled rows."""

    fitted: Fitted
    given: Codes  # (k,)
    suggested: Codes  # (k,)
    classes: tuple[str, ...]
    sample_id: npt.NDArray[np.object_]  # (k,)
    conflict: Codes  # (k,) a row with the same content and another label, or -1
    noise: Noise | None = None  # None: the score did not use it
    lookalikes: Lookalikes | None = None  # of the k rows; None: not to be looked for
    asked: Flags | None = None  # (k,) rows in whose score unlabelled neighbours have a say
    neighbours_weight: float = 0.0


def gather(grounds: Grounds, flagged: Flags) -> list[list[Evidence] | None]:
    """The facts about each flagged row, None for the others: k."""
    rows = np.flatnonzero(flagged)
    found: list[list[Evidence] | None] = [None] * len(flagged)
    pairs, nearest = _pair_rates(grounds, rows), _nearest(grounds, rows)
    around = _shares_around(grounds, rows, nearest)
    late = _shares_learnt_before(grounds.fitted.learnt_epoch)
    for place, row in enumerate(rows):
        facts = _facts(grounds, int(row), pairs[place], around[place], float(late[row]))
        found[row] = facts + _near_duplicate(grounds, int(row), nearest[place])
    return found


def issue_kind(p_given: float, p_suggested: float, facts: list[Evidence]) -> str:
    """duplicate_conflict, class_pair, ambiguous, unsure or mislabeled: the first that fits.

    An unsure network does not say that no class fits: benchmarks/out_of_class.py measures how often that is so.
    """
    kinds = {fact["kind"] for fact in facts}
    if kinds & {"duplicate", "near_duplicate"}:
        return "duplicate_conflict"
    if "class_pair" in kinds:
        return "class_pair"
    if min(p_given, p_suggested) >= PLAUSIBLE:
        return "ambiguous"
    return "mislabeled" if max(p_given, p_suggested) >= KNOWN else "unsure"


def _facts(grounds: Grounds, row: int, pair: float, around: float, late: float) -> list[Evidence]:
    fitted, other = grounds.fitted, grounds.classes[grounds.suggested[row]]
    p_other = float(fitted.guider_mean[fitted.labelled[row], grounds.suggested[row]])
    facts = [Evidence(kind="guider", value=p_other, reference=other)]
    peak = float(fitted.peak_p_given[row])
    if peak == peak:  # NaN: nobody watched it learn the row
        facts.append(Evidence(kind="peak", value=peak, reference=str(fitted.last.epoch)))
    if late >= LATE:
        facts.append(Evidence(kind="learnt_late", value=late, reference=str(fitted.learnt_epoch[row])))
    if pair:
        facts.append(Evidence(kind="class_pair", value=pair, reference=other))
    if around:
        facts.append(Evidence(kind="labelled_neighbours", value=around, reference=other))
    if grounds.asked is not None and grounds.asked[row]:
        facts.append(Evidence(kind="unlabelled_neighbours", value=grounds.neighbours_weight, reference=None))
    if grounds.conflict[row] >= 0:
        facts.append(
            Evidence(kind="duplicate", value=0.0, reference=str(grounds.sample_id[grounds.conflict[row]]))
        )
    return facts


def _pair_rates(grounds: Grounds, rows: Codes) -> npt.NDArray[np.float64]:
    """T[suggested, given] of each row where that is a systematic confusion, else 0."""
    n_classes, noise = len(grounds.classes), grounds.noise
    if noise is None or n_classes < 3:
        return np.zeros(len(rows))
    true, given = grounds.suggested[rows], grounds.given[rows]
    rate, kept = (np.exp(noise.log_rate(true, labels, n_classes)) for labels in (given, true))
    elsewhere = np.maximum(1 - kept - rate, 0) / (n_classes - 2)
    pair = true * n_classes + given
    _, index, counts = np.unique(pair, return_inverse=True, return_counts=True)
    is_rule = (rate >= PAIR_RATE) & (rate >= PAIR_RATIO * elsewhere) & (counts[index] >= PAIR_SUSPECTS)
    return np.asarray(np.where(is_rule, rate, 0.0))


def _nearest(grounds: Grounds, rows: Codes) -> Codes:
    """The nearest other labelled rows of each of `rows` in latent space, nearest first: (m, at most NEIGHBOURS)."""
    from sklearn.neighbors import NearestNeighbors

    k = min(NEIGHBOURS, len(grounds.given) - 1)
    if not k or not len(rows):
        return np.zeros((len(rows), 0), np.int64)
    latent = grounds.fitted.latent[grounds.fitted.labelled]
    found = NearestNeighbors(n_neighbors=k + 1).fit(latent).kneighbors(latent[rows], return_distance=False)
    others = found != rows[:, None]
    others[others.all(axis=1), -1] = False  # itself is beyond k + 1 rows at its place
    nearest: Codes = found[others].reshape(len(rows), k)
    return nearest


def _shares_around(grounds: Grounds, rows: Codes, nearest: Codes) -> npt.NDArray[np.float64]:
    """Share of the nearest labelled rows with the suggested label, where that is more than have the given one."""
    labels = grounds.given[nearest]
    suggested, own = (
        (labels == wanted[rows, None]).sum(axis=1) / max(1, nearest.shape[1])
        for wanted in (grounds.suggested, grounds.given)
    )
    return np.asarray(np.where(suggested > own, suggested, 0.0))


def _near_duplicate(grounds: Grounds, row: int, nearest: Codes) -> list[Evidence]:
    """The nearest row that is almost the same and has another label; none beside one with the same content."""
    if grounds.lookalikes is None or grounds.conflict[row] >= 0:
        return []
    differs = grounds.given[nearest] != grounds.given[row]
    found = grounds.lookalikes.near_duplicate(row, nearest, differs)
    if found is None:
        return []
    other, distance = found
    return [Evidence(kind="near_duplicate", value=distance, reference=str(grounds.sample_id[other]))]


def _shares_learnt_before(epochs: Codes) -> npt.NDArray[np.float64]:
    """Share of the labels that were believed in an earlier epoch, (k,); 0 for one that never was (epoch 0)."""
    believed = np.sort(epochs[epochs > 0])
    earlier = np.searchsorted(believed, epochs) / max(1, len(epochs))
    return np.asarray(np.where(epochs > 0, earlier, 0.0))

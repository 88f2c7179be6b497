"""The cut-off: which of the ranked rows are called suspects."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from noiseaudit.audit_meta import Cutoff
from noiseaudit.errors import ConfigError
from noiseaudit.even_cutoff import Codes, least_by_class

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

LEAST_PROBABILITY = 0.2  # `auto` flags no row that is right four times out of five

_NUMBERED = re.compile(r"(?:(budget)=(\d{1,15})|(rate|precision|recall)=(\d*\.?\d+(?:e-?\d+)?)( ?%)?)")


class Judged(NamedTuple):
    """The flags of n labelled rows, and the rule behind them."""

    flagged: Flags  # (n,)
    cutoff: Cutoff


def check_cutoff(rule: str) -> None:
    """Raise ConfigError unless `rule` is one of those in `choose_cutoff`."""
    _parsed(rule)


def choose_cutoff(
    rule: str, p_mislabeled: Floats, epsilon: npt.NDArray[np.float32] | None, given: Codes | None = None
) -> Judged:
    """Flag rows by `rule`; `p_mislabeled`, `epsilon` and `given`, which "even" needs, are (n,), in the order that
    breaks ties.

    auto: the best expected F1. even: that, but fewer of classes of which too many right labels would be flagged.
    epsilon: the paper's. budget=N: N rows. rate=R: that share of the rows.
    precision=P: as many as keep the expected precision at P. recall=R: as few as bring the expected recall to R.

    Raises ConfigError for an unknown rule, or for the epsilon rule where a method has no epsilon.
    """
    kind, number = _parsed(rule)
    if kind == "epsilon":
        return _by_epsilon(rule, epsilon)
    if kind == "auto":
        return _by_expected_f1(p_mislabeled)
    if kind == "even":
        assert given is not None
        return _evenly(_by_expected_f1(p_mislabeled), p_mislabeled, given)
    ranked = -np.sort(-p_mislabeled)
    if kind == "precision":
        return _by_count(rule, p_mislabeled, *_count_for_precision(ranked, number))
    if kind == "recall":
        return _by_count(rule, p_mislabeled, *_count_for_recall(ranked, number))
    if kind == "budget":
        return _by_count(rule, p_mislabeled, int(number), "as many as are to be reviewed")
    return _by_count(rule, p_mislabeled, round(number * len(ranked)), "the share that was asked for")


def _parsed(rule: str) -> tuple[str, float]:
    """Kind and number of a rule, the number 0 where it has none."""
    if rule in ("auto", "even", "epsilon"):
        return rule, 0.0
    found = _NUMBERED.fullmatch(rule)
    count, share = (int(found[2] or 0), float(found[4] or 0) / (100 if found[5] else 1)) if found else (0, 0)
    if found and count > 0:
        return found[1], count
    if found and 0 < share < 1:
        return found[3], share
    raise ConfigError(
        f"--cutoff {rule!r} is not a rule",
        fix="Use auto, even, epsilon, budget=N (N rows to review), rate=R (share of labelled rows, as 0.1 or 10%), "
        "precision=P or recall=R (expected, as 0.9 or 90%).",
    )


def _count_for_precision(ranked: Floats, target: float) -> tuple[int, str]:
    """How many of the ranked probabilities have a mean of at least `target`, and a phrase for people."""
    means = np.cumsum(ranked) / np.arange(1, len(ranked) + 1)
    # They fall; rounding must neither break that nor cost a row that meets the target exactly.
    count = int(np.flatnonzero(means >= target * (1 - 1e-12)).max(initial=-1)) + 1
    if not count:
        best = f"{means[0]:.2f}" if len(means) else "0"
        return 0, f"because a precision of {target:g} cannot be met: even the most suspicious row has {best}"
    return count, f"the most whose expected precision is {target:g} or more"


def _count_for_recall(ranked: Floats, target: float) -> tuple[int, str]:
    """How many of the ranked probabilities make up `target` of their sum, and a phrase for people."""
    sums = np.cumsum(ranked)
    if not len(sums) or sums[-1] == 0:
        return 0, "because no label is expected to be wrong"
    # Rounding in the sum must not ask for a row more.
    count = int(np.searchsorted(sums, target * sums[-1] * (1 - 1e-12))) + 1
    return count, f"the fewest that hold {target:g} of the wrong labels, as expected"


def expected_f1(p_mislabeled: Floats) -> Floats:
    """Expected F1 of flagging the k most suspicious rows, for k = 1..n, if the probabilities are right: (n,).

    2 x expected hits / (flagged + expected number of wrong labels).
    """
    ranked = -np.sort(-p_mislabeled)
    flagged = np.arange(1, len(ranked) + 1)
    return np.asarray(2 * np.cumsum(ranked) / (flagged + max(ranked.sum(), 1e-12)))


def _by_expected_f1(p_mislabeled: Floats) -> Judged:
    if not len(p_mislabeled):
        return Judged(
            np.zeros(0, np.bool_), Cutoff("auto", "p_mislabeled", 1.0, "No labelled row could be scored.")
        )
    curve = expected_f1(p_mislabeled)
    best = float(-np.sort(-p_mislabeled)[curve.argmax()])
    threshold = max(best, LEAST_PROBABILITY)
    estimate = "above 0.99" if curve.max() > 0.99 else f"{curve.max():.2f}"
    reason = f"Chosen without any known truth, where F1 is highest by the model's own estimate ({estimate})."
    if best < LEAST_PROBABILITY:
        reason = f"No row below {LEAST_PROBABILITY} is flagged: most such labels are right."
    return Judged(p_mislabeled >= threshold, Cutoff("auto", "p_mislabeled", threshold, reason))


def _evenly(auto: Judged, p_mislabeled: Floats, given: Codes) -> Judged:
    least = least_by_class(p_mislabeled, auto.flagged, given)
    flagged = auto.flagged & (p_mislabeled >= least[given])
    fewer = len(np.unique(given[auto.flagged & ~flagged]))
    reason = (
        f"{auto.cutoff.reason} Of {fewer} {'class' if fewer == 1 else 'classes'} fewer rows are flagged than so: of no "
        "class is more than twice the share of right labels expected to be flagged that it is of all."
    )
    return Judged(flagged, Cutoff("even", "p_mislabeled", auto.cutoff.threshold, reason))


def _by_epsilon(rule: str, epsilon: npt.NDArray[np.float32] | None) -> Judged:
    if epsilon is None:
        raise ConfigError(
            "--cutoff epsilon: this method has no Guider, so no epsilon", fix="Use --cutoff auto."
        )
    reason = "The paper's rule: epsilon above 0 after the last epoch (section 4.3)."
    return Judged(epsilon > 0, Cutoff(rule, "epsilon", 0.0, reason))


def _by_count(rule: str, p_mislabeled: Floats, count: int, why: str) -> Judged:
    order = np.argsort(-p_mislabeled, kind="stable")[:count]
    flagged = np.zeros(len(p_mislabeled), np.bool_)
    flagged[order] = True
    threshold = float(p_mislabeled[order[-1]]) if len(order) else 1.0
    reason = f"The {len(order)} most suspicious rows, {why}." if len(order) else f"No row, {why}."
    return Judged(flagged, Cutoff(rule, "p_mislabeled", threshold, reason))

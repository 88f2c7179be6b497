"""The cut-off: which of the ranked rows are called suspects."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from noiseaudit.errors import ConfigError
from noiseaudit.result import Cutoff

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

LEAST_PROBABILITY = 0.2  # `auto` flags no row that is right four times out of five

_BUDGET = re.compile(r"budget=(\d+)")
_RATE = re.compile(r"rate=(\d*\.?\d+)")


class Judged(NamedTuple):
    """The flags of n labelled rows, and the rule behind them."""

    flagged: Flags  # (n,)
    cutoff: Cutoff


def check_cutoff(rule: str) -> None:
    """Raise ConfigError unless `rule` is auto, epsilon, budget=N with N > 0, or rate=R with 0 < R < 1."""
    budget, rate = _BUDGET.fullmatch(rule), _RATE.fullmatch(rule)
    if rule in ("auto", "epsilon") or (budget and int(budget[1]) > 0) or (rate and 0 < float(rate[1]) < 1):
        return
    raise ConfigError(
        f"--cutoff {rule!r} is not a rule",
        fix="Use auto, epsilon, budget=N (N rows to review) or rate=R (share of labelled rows, as 0.1).",
    )


def choose_cutoff(rule: str, p_mislabeled: Floats, epsilon: npt.NDArray[np.float32] | None) -> Judged:
    """Flag rows by `rule`; `p_mislabeled` and `epsilon` are (n,), in the order that breaks ties.

    Raises ConfigError for an unknown rule, or for the epsilon rule where a method has no epsilon.
    """
    check_cutoff(rule)
    if rule == "epsilon":
        return _by_epsilon(rule, epsilon)
    if rule == "auto":
        return _by_expected_f1(p_mislabeled)
    budget, rate = _BUDGET.fullmatch(rule), _RATE.fullmatch(rule)
    if budget:
        return _by_count(rule, p_mislabeled, int(budget[1]), "as many as are to be reviewed")
    assert rate
    return _by_count(
        rule, p_mislabeled, round(float(rate[1]) * len(p_mislabeled)), "the share that was asked for"
    )


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
    reason = f"The {len(order)} most suspicious rows, {why}."
    return Judged(flagged, Cutoff(rule, "p_mislabeled", threshold, reason))

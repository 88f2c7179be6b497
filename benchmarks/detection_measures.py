"""What detection.py measures of p_mislabeled beside what every tool is measured by: targets and classes."""

from __future__ import annotations

from typing import Any

import numpy as np

from noiseaudit.doubt import Doubt
from noiseaudit.expected import expected_of
from noiseaudit.threshold import choose_cutoff

TARGET = 0.9  # of --target-precision
RAREST = 3  # classes
Values = np.ndarray[Any, Any]


def at_target(scores: Values, wrong: Values) -> dict[str, float | None]:
    """What --target-precision realises, and its recall against that of the best cut with this precision."""
    flagged = choose_cutoff(f"precision={TARGET}", scores, None).flagged
    hits = np.cumsum(wrong[np.argsort(-scores, kind="stable")])
    reached = np.flatnonzero(hits / np.arange(1, len(hits) + 1) >= TARGET)
    best = hits[reached[-1]] if len(reached) else 0
    return {
        "target_precision": float(wrong[flagged].mean()) if flagged.any() else None,
        "target_recall_share": float(wrong[flagged].sum() / best) if best else None,
    }


def within(scores: Values, wrong: Values, given: Values) -> dict[str, dict[str, bool | list[int]]]:
    """Whether the truth is in the intervals that an audit states, with the plain doubt; of classes in how many."""
    flagged, classes = choose_cutoff("auto", scores, None).flagged, np.unique(given)
    codes = np.searchsorted(classes, given)
    found = expected_of(scores, flagged, codes, [str(each) for each in classes], Doubt())
    truth = {"noise_rate": wrong.mean(), "precision": wrong[flagged].mean() if flagged.any() else None}
    truth["recall"] = wrong[flagged].sum() / wrong.sum()
    inside: dict[str, bool | list[int]] = {
        name: bool(getattr(found, name).low <= value <= getattr(found, name).high)
        for name, value in truth.items()
        if value is not None
    }
    held = [
        each.low <= wrong[codes == code].mean() <= each.high
        for code, each in enumerate(found.noise_rate_by_class.values())
    ]
    return {"within": inside | {"by_class": [int(sum(held)), len(held)]}}


def by_class(scores: Values, wrong: Values, given: Values) -> dict[str, float | None]:
    """Mean F1 over the given classes that hold errors, at the own cut-off, at the best one for all together and at
    `--cutoff even`; and how much more often a right label of the three rarest classes is flagged than one of any class.
    """
    order = np.argsort(-scores, kind="stable")
    f1 = 2 * np.cumsum(wrong[order]) / (np.arange(1, len(order) + 1) + wrong.sum())
    best = np.zeros(len(order), np.bool_)
    best[order[: int(f1.argmax()) + 1]] = True
    flagged, even = (choose_cutoff(rule, scores, None, given).flagged for rule in ("auto", "even"))
    classes, counts = np.unique(given, return_counts=True)
    rare = np.isin(given, classes[np.argsort(counts, kind="stable")[:RAREST]]) & ~wrong
    return {
        "macro_f1": _macro_f1(flagged, wrong, given),
        "oracle_macro_f1": _macro_f1(best, wrong, given),
        "even_macro_f1": _macro_f1(even, wrong, given),
        "rare_false_flags": _times(flagged, rare, ~wrong),
        "even_rare_false_flags": _times(even, rare, ~wrong),
    }


def _times(flagged: Values, few: Values, all_right: Values) -> float | None:
    """The share of `few` that is flagged, to that of `all_right`."""
    overall = float(flagged[all_right].mean()) if all_right.any() else 0.0
    return float(flagged[few].mean()) / overall if overall and few.any() else None


def _macro_f1(flagged: Values, wrong: Values, given: Values) -> float | None:
    of_class = [given == label for label in np.unique(given[wrong])]
    counts = [((flagged & wrong)[c].sum(), flagged[c].sum() + wrong[c].sum()) for c in of_class]
    return float(np.mean([2 * hits / total for hits, total in counts])) if counts else None

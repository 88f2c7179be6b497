"""What an audit expects of itself: precision and recall of its suspects, and how many labels are wrong.

If every row i is wrong with probability p_i, independently, the number of wrong rows in a set is Poisson-binomial: mean
sum p_i, variance sum p_i (1 - p_i). The intervals are normal ones of it, widened to those that p has at either end of
the audit's doubt (noiseaudit.doubt). noiseaudit.estimate measures the same by checking rows.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from noiseaudit.arrays import class_codes
from noiseaudit.doubt import Doubt, recorded
from noiseaudit.interval import Range
from noiseaudit.odds import moved
from noiseaudit.parquet import is_valid
from noiseaudit.percent import counted, percent
from noiseaudit.result import AuditResult

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int64]

SINGLE = ("mislabeled", "noise_rate", "precision", "recall")
FEW_LABELS = 2_000  # with fewer, trials on digits and on photographs found p_mislabeled too sure of itself
Z = 1.959963984540054  # of a 95 % interval


@dataclass(frozen=True)
class Expected:
    """With intervals, as above; None where there is no suspect, no label to judge, or no wrong label expected."""

    mislabeled: Range  # rows
    noise_rate: Range  # share of the labels that were judged
    precision: Range
    recall: Range
    noise_rate_by_class: dict[str, Range]  # of the given label


def expect(audit: AuditResult) -> Expected:
    """What the audit's p_mislabeled say, and its doubt about them."""
    p = audit.column("p_mislabeled")
    scored = ~np.isnan(p)
    codes = class_codes(audit.table.column("given_label"), audit.meta.classes)
    return expected_of(
        p[scored], audit.suspects()[scored], codes[scored], audit.meta.classes, recorded(audit.meta.config)
    )


def expected_of(p: Floats, flagged: Flags, codes: Codes, classes: Sequence[str], doubt: Doubt) -> Expected:
    """What p_mislabeled of n labels say, (n,), with which are flagged and the given classes, (n,)."""
    by_class = np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes[by_class], np.arange(len(classes) + 1))
    rows = {name: by_class[bounds[i] : bounds[i + 1]] for i, name in enumerate(classes)}
    plain = _of_reading(p, flagged)  # one reading at a time: of millions of rows each array counts
    others = [_of_reading(moved(p, by), flagged) for by in doubt]
    rates = [_by_class(p, rows), *(_by_class(moved(p, by), rows) for by in doubt.of_class)]
    return Expected(
        **{name: _widened([each[name] for each in (plain, *others)]) for name in SINGLE},
        noise_rate_by_class={name: _widened([each[name] for each in rates]) for name in rows},
    )


def _of_reading(p: Floats, flagged: Flags) -> dict[str, Range]:
    """What p says of SINGLE."""
    return {
        "mislabeled": wrong_rows(p),
        "noise_rate": _share(p),
        "precision": _share(p[flagged]),
        "recall": _recall(p, flagged),
    }


def _by_class(p: Floats, rows: Mapping[str, Codes]) -> dict[str, Range]:
    """What p says of each class of the given label, which has these rows."""
    return {name: _share(p[own]) for name, own in rows.items()}


def _widened(found: Sequence[Range]) -> Range:
    """The first value, with an interval that holds all."""
    return Range(found[0].value, min(each.low for each in found), max(each.high for each in found))


def wrong_rows(p: Floats) -> Range:
    """How many of n rows are wrong, (n,)."""
    mean, deviation = float(p.sum()), math.sqrt((p * (1 - p)).sum())
    return Range(mean, max(0.0, mean - Z * deviation), min(float(len(p)), mean + Z * deviation))


def sentence_of(audit: AuditResult, expected: Expected) -> str:
    """`sentence` of an audit, and of what `expect` makes of it."""
    return sentence(as_json(expected), int(is_valid(audit.table.column("p_mislabeled")).sum()))


def contradicted(expected: Expected, measured: Mapping[str, Range]) -> list[str]:
    """Those of SINGLE whose measured interval has nothing in common with what was expected."""
    return [
        name
        for name, found in measured.items()
        if found.value is not None
        and (own := getattr(expected, name)).value is not None
        and (found.low > own.high or found.high < own.low)
    ]


def as_json(expected: Expected) -> dict[str, Any]:
    """For run.json."""
    single = {name: dataclasses.asdict(getattr(expected, name)) for name in SINGLE}
    by_class = {name: dataclasses.asdict(found) for name, found in expected.noise_rate_by_class.items()}
    return single | {"noise_rate_by_class": by_class}


def sentence(expected: Mapping[str, Any], n_labels: int) -> str:
    """What `as_json` gives, for people: `precision 93 % (90 % to 95 %), recall ..., if p_mislabeled is about right`."""
    few = f" (with {n_labels:,} labels it may be too sure, and miscount)"
    caution = few if n_labels < FEW_LABELS else ""
    return f"{shares(expected)}, if p_mislabeled is about right{caution}"


def shares(expected: Mapping[str, Any]) -> str:
    """The figures of `sentence` alone."""
    names = ("precision", "recall", "noise_rate")
    return ", ".join(_text(name.replace("_", " "), expected[name]) for name in names)


def found_and_missed(
    n_suspects: int, precision: float | None, n_wrong: float, by: str = "By the model's own estimate"
) -> str:
    """How many of the suspects are wrong, and how many other labels; the two make up `n_wrong`, rounded.

    `By the model's own estimate about 281 of these are wrong, and about 126 more that it did not flag.`
    """
    wrong = round(n_wrong)
    found = min(wrong, round(n_suspects * (precision or 0)))
    missed = f"about {wrong - found:,}" if wrong > found else "hardly any"
    if not n_suspects:
        return f"{by} {missed} {'is' if wrong == 1 else 'are'} wrong that it did not flag."
    own = f"about {found:,}" if found else "hardly any"
    own = "nearly all" if 1 < n_suspects == found else own
    more = " more" if found and wrong > found else ""
    return (
        f"{by} {own} of these {'is' if found == 1 else 'are'} wrong, and {missed}{more} that it did not flag."
    )


def self_test_sentence(tested: Mapping[str, Any] | None) -> str:
    """`found 41 of 50 planted errors, 82 % (69 % to 90 %); ...` of a noiseaudit.selftest; "" without one."""
    if tested is None:
        return ""
    if not tested["planted"]:
        return "found no label that it takes to be right, and planted none"
    recall = tested["recall"]
    return (
        f"found {tested['found']:,} of {tested['planted']:,} planted errors, {counted(recall['value'])} "
        f"({percent(recall['low'])} to {percent(recall['high'])}), and calibrated p_mislabeled on them; real errors "
        "more plausible than those found are missed more often"
    )


def _text(name: str, found: Mapping[str, Any]) -> str:
    if found["value"] is None:
        return f"no {name}"
    if found["high"] == 0:  # as of nothing that is flagged: no estimate
        return f"{name} 0 %"
    return f"{name} {percent(found['value'])} ({percent(found['low'])} to {percent(found['high'])})"


def _share(p: Floats) -> Range:
    if not len(p):
        return Range(None, 0.0, 1.0)
    rows = wrong_rows(p)
    assert rows.value is not None
    return Range(rows.value / len(p), rows.low / len(p), rows.high / len(p))


def _recall(p: Floats, flagged: Flags) -> Range:
    """Flagged wrong rows / wrong rows, by the delta method: the two parts are independent."""
    found, missed = float(p[flagged].sum()), float(p[~flagged].sum())
    if found + missed == 0:
        return Range(None, 0.0, 1.0)
    recall = found / (found + missed)
    spread = p * (1 - p)
    variance = (missed**2 * spread[flagged].sum() + found**2 * spread[~flagged].sum()) / (found + missed) ** 4
    reach = Z * math.sqrt(variance)
    return Range(recall, max(0.0, recall - reach), min(1.0, recall + reach))

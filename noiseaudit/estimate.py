"""How good an audit is and how many labels are wrong, from the answers to a random sample (noiseaudit.sample).

The point estimates weigh each part's share of wrong labels by its size, so they do not depend on p_mislabeled being
right. The intervals are of a Bayesian model of the finite population: in each part, the wrong labels among the rows
that were not checked are beta-binomial, with the prior Beta(1/3, 1/3) (Kerman 2011), whose median hardly leans to
either side. docs/verified-audit.md has their coverage.

A part whose rows are all ambiguous is left to the prior: half of it counts as wrong, the middle of what is possible.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from noiseaudit.decisions import Decision, run_id
from noiseaudit.errors import DataError
from noiseaudit.interval import Range
from noiseaudit.one_answer import one_each
from noiseaudit.result import AuditResult
from noiseaudit.sample import Strata, stratify
from noiseaudit.seeds import derive_seed
from noiseaudit.tally import Tally, check_enough, tally

Codes = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

PRIOR = 1 / 3
DRAWS = 20_000
LEVEL = 0.95


@dataclass(frozen=True)
class Estimate:
    """What the answers come to."""

    n_scored: int  # rows of the audit that the estimates are about
    n_flagged: int
    n_answers: int  # keep or relabel
    n_ambiguous: int
    n_open: int  # drawn, and skipped or not answered
    n_agreed: int  # rows that several answers agree about; each counts once
    n_not_drawn: int  # answers about rows that were not drawn at random; left out
    n_unjudged: int  # rows of parts all of which is ambiguous; half of them count as wrong
    noise_rate: Range
    mislabeled: Range  # rows
    precision: Range
    recall: Range
    f1: Range
    wanted_width: float
    more_answers: (
        int  # about so many more until the intervals of precision and recall are as narrow as wanted
    )

    @property
    def is_enough(self) -> bool:
        return self.more_answers == 0

    @property
    def has_unjudged_suspects(self) -> bool:
        """Whether there are suspects, and none could be judged."""
        return self.n_flagged > 0 and self.precision.value is None

    def to_dict(self) -> dict[str, Any]:
        """All fields, and `is_enough`, as JSON can hold them."""
        return dataclasses.asdict(self) | {"is_enough": self.is_enough}


def estimate(
    audit: AuditResult, decisions: Sequence[Decision], *, width: float = 0.1, files: Sequence[Path] = ()
) -> Estimate:
    """Noise rate, precision, recall and F1 of an audit from decisions on rows that `sample` drew.

    `files`: that of each decision, (n,), for messages.

    A row counts once, as all who judged it agree (noiseaudit.one_answer). Raises DataError where they contradict each
    other, if a decision is about another audit or an unknown row, or if some part of the sample has no answer yet
    and is not ambiguous throughout.
    """
    strata = stratify(audit)
    asked = [decision for decision in decisions if decision.sampling_weight is not None]
    file_of = {id(each): file for each, file in zip(decisions, files, strict=False)}
    given = _given(audit, strata)
    _check_asked(asked, given, run_id(audit), file_of)  # before people are said to contradict each other
    drawn, n_agreed = one_each(asked, given, frozenset(audit.meta.classes), file_of)
    parts = _parts(audit, strata, drawn)
    if decisions and not drawn:
        raise DataError(
            f"none of the {len(decisions)} answers is about a row that `noiseaudit sample` drew",
            fix="Draw rows with it and answer those: suspects alone say nothing of the rest.",
        )
    told = tally(strata.sizes, parts, [decision.decision for decision in drawn])
    check_enough(told, files)
    found = _ranges(strata, told)
    can_narrow = [found[name] for name in ("precision", "recall")]
    if told.unjudged[strata.flagged].all() and strata.flagged.any():
        can_narrow = [found["recall"]]  # no answer says more of the suspects
    widest = max(each.width for each in can_narrow)
    n = int(told.checked.sum())
    more = max(0, math.ceil(n * ((widest / width) ** 2 - 1)))
    return Estimate(
        n_scored=len(strata.rows),
        n_flagged=int(strata.sizes[strata.flagged].sum()),
        n_answers=n,
        n_ambiguous=int(told.unclear.sum()),
        n_open=int(told.open.sum()),
        n_agreed=n_agreed,
        n_not_drawn=len(decisions) - len(asked),
        n_unjudged=int(told.sizes[told.unjudged].sum()),
        **found,
        wanted_width=width,
        more_answers=min(more, len(strata.rows) - n),  # when all are checked, all is known
    )


def _given(audit: AuditResult, strata: Strata) -> dict[str, str | None]:
    """The label of each scored sample."""
    columns = (audit.column(name)[strata.rows] for name in ("sample_id", "given_label"))
    return dict(zip(*columns, strict=True))


def _check_asked(
    asked: Sequence[Decision], scored: Collection[str], own: str, file_of: Mapping[int, Path]
) -> None:
    """Raise DataError unless all are about the audit with the run id `own`, and about samples that it scored."""
    for decision in asked:
        if decision.run_id not in (None, own):
            raise DataError(
                f"the decision on {decision.sample_id!r} is about another audit ({decision.run_id}, this is {own})",
                file=file_of.get(id(decision)),
                fix="Give the audit that the sample was drawn from.",
            )
        if decision.sample_id not in scored:
            raise DataError(
                f"{decision.sample_id!r} has no score in the audit",
                file=file_of.get(id(decision)),
                fix="Give the audit that the sample was drawn from.",
            )


def _parts(audit: AuditResult, strata: Strata, drawn: Sequence[Decision]) -> Codes:
    """The part of each decision's row."""
    place = {str(name): i for i, name in enumerate(audit.column("sample_id")[strata.rows])}
    return strata.part[[place[decision.sample_id] for decision in drawn]].astype(np.int64)


def _ranges(strata: Strata, told: Tally) -> dict[str, Range]:
    total, flagged = strata.sizes.sum(), strata.sizes[strata.flagged].sum()
    share = np.where(told.unjudged, 0.5, told.wrong / np.maximum(told.checked, 1))
    expected = (strata.sizes * share).astype(np.float64)
    draws = _population(strata.sizes, told.checked, told.wrong)

    def ratio(part: Any, whole: Any) -> Any:
        return np.divide(part, whole, out=np.full(np.shape(part), np.nan), where=np.asarray(whole) > 0)

    def measures(counts: Floats) -> dict[str, Any]:
        """Of wrong labels in each part, (..., H)."""
        every, found = counts.sum(-1), counts[..., strata.flagged].sum(-1)
        return {
            "noise_rate": every / total,
            "mislabeled": every,
            "precision": ratio(found, np.broadcast_to(float(flagged), np.shape(found))),
            "recall": ratio(found, every),
            "f1": ratio(2 * found, flagged + every),
        }

    values, spread = measures(expected), measures(draws)
    found = {name: _range(float(values[name]), spread[name]) for name in values}
    if told.unjudged[strata.flagged].all():  # it would be the half that was put there
        found["precision"] = Range(None, 0.0, 1.0)
    return found


def _population(sizes: Codes, checked: Codes, wrong: Codes) -> Floats:
    """Draws of how many labels of each part are wrong, those that were checked among them: (DRAWS, H)."""
    rng = np.random.default_rng(derive_seed(0, "estimate"))
    rates = rng.beta(wrong + PRIOR, checked - wrong + PRIOR, size=(DRAWS, len(sizes)))
    return (wrong + rng.binomial(sizes - checked, rates)).astype(np.float64)


def _range(value: float, draws: Floats) -> Range:
    known = draws[~np.isnan(draws)]
    if not len(known):
        return Range(None, 0.0, 1.0)
    low, high = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    if math.isnan(value):
        return Range(None, float(low), float(high))
    # Where no wrong label, or none that is right, was seen, the estimate is the interval's end.
    return Range(value, min(float(low), value), max(float(high), value))

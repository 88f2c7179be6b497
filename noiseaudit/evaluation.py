"""How well an audit found the corrupted labels: the paper's rule and the audit's cut-off, side by side."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from noiseaudit.errors import DataError
from noiseaudit.metrics import (
    Bools,
    Detection,
    Interval,
    PrecisionRecall,
    detection,
    precision_recall,
    proportion,
)
from noiseaudit.parquet import is_valid
from noiseaudit.result import AuditResult
from noiseaudit.truth import Truth, as_truth, distinct, is_there

COLUMNS = (  # of an audit, that an evaluation is made from
    "status", "given_label", "is_labelled", "epsilon", "suggested_label", "p_mislabeled", "is_label_issue",
    "true_label",
)  # fmt: skip
PAPER_RULE = "paper"
DEFAULT_RULE = "default"
RULE_TITLES = {PAPER_RULE: "Paper's rule: epsilon > 0", DEFAULT_RULE: "Default: the audit's cut-off"}
METRIC_TITLES = {
    "recall": "Recall",
    "precision": "Precision",
    "f1": "F1 score",
    "average_precision": "Average precision",
    "auroc": "AUROC",
}


@dataclass(frozen=True)
class Relabelling:
    """What taking every suspect's suggested label would do, of rows whose true label is known."""

    mended: int  # wrong labels that become right
    still_wrong: int  # wrong labels that become another wrong one
    spoilt: int  # right labels that become wrong


@dataclass(frozen=True)
class Evaluation:
    """Rows that were labelled, read and have truth take part; the others are counted and left out."""

    n_rows: int
    n_with_truth: int  # rows that take part
    n_without_truth: int  # scored rows without truth
    n_corrupted: int
    rules: tuple[Detection, ...]
    curves: tuple[PrecisionRecall | None, ...]  # one for each rule; None without corrupted rows
    n_suggestions: int  # unlabelled rows whose true label is known
    suggestion_accuracy: Interval  # share of those whose suggested label is the true one
    relabelling: Relabelling | None  # None where the truth names no labels
    n_unused_classes: int  # rows that take part whose true label is a class that no row was given
    notes: tuple[str, ...]  # for people, one line each

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and strings for JSON, without the curves; None where a metric is undefined."""
        fields = dataclasses.asdict(self)
        del fields["curves"]
        fields |= {name: list(fields[name]) for name in ("rules", "notes")}
        return fields


def evaluate(audit: AuditResult, truth: Truth | Path | npt.ArrayLike) -> Evaluation:
    """Detection metrics of each rule. A method without epsilon has the default rule only.

    `truth` is a file as of `--truth`, or the true labels of the n rows in the audit's order, None where not known.
    Raises DataError if it is not readable or of another audit, or no row is labelled, read and has truth.
    """
    truth = as_truth(truth, audit)
    scored = ~np.isnan(audit.column("p_mislabeled"))
    use = scored & truth.is_known
    if not use.any():
        raise DataError(
            "no row is labelled, read and has truth, so there is nothing to evaluate",
            fix="Give the truth of labelled rows.",
        )
    is_corrupted = truth.is_corrupted[use]
    rules, curves = [], []
    for rule, flagged, score in _rules(audit, use):
        rules.append(detection(rule, is_corrupted, flagged, score))
        curves.append(precision_recall(is_corrupted, score))
    n_suggestions, accuracy = _suggestions(audit, truth)
    unused = _unused_classes(audit, truth, use)
    return Evaluation(
        n_rows=len(audit),
        n_with_truth=int(use.sum()),
        n_without_truth=int((scored & ~truth.is_known).sum()),
        n_corrupted=int(is_corrupted.sum()),
        rules=tuple(rules),
        curves=tuple(curves),
        n_suggestions=n_suggestions,
        suggestion_accuracy=accuracy,
        relabelling=_relabelling(audit, truth),
        n_unused_classes=len(unused),
        notes=(*truth.notes, *_on_unused(unused)),
    )


def table3(evaluation: Evaluation) -> list[list[str]]:
    """Rows of text laid out as the paper's Table 3: a header with the rules, then one metric a row."""
    rate = evaluation.n_corrupted / evaluation.n_with_truth
    header = [f"Corruption rate {rate:.1%}", *(RULE_TITLES[d.rule] for d in evaluation.rules)]
    rows = [
        [title, *(str(getattr(d, name)) for d in evaluation.rules)] for name, title in METRIC_TITLES.items()
    ]
    return [header, *rows]


def _rules(audit: AuditResult, use: Bools) -> Iterator[tuple[str, Bools, np.ndarray[Any, Any]]]:
    """Each rule with the flags and scores of the rows `use`; the paper's rule only where the audit has epsilon."""
    if is_valid(audit.table.column("epsilon")).any():
        epsilon = audit.column("epsilon")[use]
        yield PAPER_RULE, epsilon > 0, epsilon
    yield DEFAULT_RULE, audit.suspects()[use], audit.column("p_mislabeled")[use]


def _relabelling(audit: AuditResult, truth: Truth) -> Relabelling | None:
    if truth.true_label is None:
        return None
    rows = is_there(truth.true_label) & audit.suspects()
    was_right = (audit.column("given_label") == truth.true_label)[rows]
    is_right = (audit.column("suggested_label") == truth.true_label)[rows]
    counts = (~was_right & is_right, ~was_right & ~is_right, was_right & ~is_right)
    return Relabelling(*(int(which.sum()) for which in counts))


def _unused_classes(audit: AuditResult, truth: Truth, use: np.ndarray[Any, Any]) -> list[str]:
    """The true labels of the rows `use` that no row of the audit was given."""
    if truth.true_label is None:
        return []
    labels = truth.true_label[use]
    unknown = distinct(labels) - {*audit.meta.classes}
    which = np.logical_or.reduce([labels == name for name in unknown]) if unknown else np.zeros(0, np.bool_)
    return [str(name) for name in labels[which]] if unknown else []


def _on_unused(labels: list[str]) -> list[str]:
    if not labels:
        return []
    are = "true label is no class" if len(labels) == 1 else "true labels are no classes"
    return [f"{len(labels):,} {are} of the audit, such as {labels[0]!r}: those rows count as corrupted."]


def _suggestions(audit: AuditResult, truth: Truth) -> tuple[int, Interval]:
    if truth.true_label is None:
        return 0, proportion(0, 0)
    suggested = audit.column("suggested_label")
    rows = ~audit.column("is_labelled").astype(np.bool_) & is_there(truth.true_label) & is_there(suggested)
    right = rows & (suggested == truth.true_label)
    return int(rows.sum()), proportion(int(right.sum()), int(rows.sum()))

"""The measures that a gate can check, by name."""

from __future__ import annotations

from collections.abc import Mapping

from noiseaudit.describe_run import counts
from noiseaudit.estimate import Estimate
from noiseaudit.evaluation import DEFAULT_RULE, Evaluation
from noiseaudit.expected import SINGLE, expect
from noiseaudit.gate import Value, class_measure
from noiseaudit.interval import Range
from noiseaudit.result import AuditResult

MEASURES: Mapping[str, str] = {
    "noise_rate": "share of the labels that the audit expects to be wrong",
    "n_mislabeled": "how many it expects to be wrong",
    "expected_precision": "share of the suspects that it expects to be wrong",
    "expected_recall": "share of the wrong labels that it expects among the suspects",
    "max_class_noise_rate": "noise_rate of the class that has most",
    "n_suspects": "rows that are flagged",
    "suspects_share": "their share of the labels that were judged",
    "n_rows": "rows of the label file",
    "n_labelled": "rows with a label",
    "n_unlabelled": "rows without",
    "n_missing": "images that are not there",
    "n_unreadable": "images that cannot be decoded, or are too large",
    "n_classes": "classes",
}
WITH_INTERVALS = ("noise_rate", "n_mislabeled", "expected_precision", "expected_recall")
TRUTH_MEASURES: Mapping[str, str] = {
    "precision": "of the suspects, by --truth",
    "recall": "of the wrong labels, by --truth",
    "f1": "of the two, by --truth",
    "average_precision": "of the ranking, by --truth",
    "auroc": "of the ranking, by --truth",
}  # the audit's cut-off against known labels
CHECKED_MEASURES: Mapping[str, str] = {
    "checked_precision": "of the suspects, by --checked",
    "checked_recall": "of the wrong labels, by --checked",
    "checked_f1": "of the two, by --checked",
    "checked_noise_rate": "share of the labels that are wrong, by --checked",
}  # what people who checked a sample of `noiseaudit sample` say
N_ANSWERS = "n_answers"  # how many rows that is
BY_TRUTH = [f"{name}{end}" for name in TRUTH_MEASURES for end in ("", "_low", "_high")]
BY_CHECKS = [N_ANSWERS, *(f"{name}{end}" for name in CHECKED_MEASURES for end in ("", "_low", "_high"))]
LACKING: Mapping[str, tuple[str, str]] = dict.fromkeys(
    BY_TRUTH, ("known labels", "Give --truth FILE.")
) | dict.fromkeys(BY_CHECKS, ("rows that people checked", "Give --checked FILE."))  # for `check_names`
_EXPECTED = dict(
    zip(("n_mislabeled", "noise_rate", "expected_precision", "expected_recall"), SINGLE, strict=True)
)


def measures(
    audit: AuditResult, evaluation: Evaluation | None = None, checked: Estimate | None = None
) -> dict[str, Value]:
    """Every measure of an audit by its name; those of TRUTH_MEASURES only with an evaluation, those of
    CHECKED_MEASURES and N_ANSWERS only with what people `checked`. None: undefined.

    Those WITH_INTERVALS, by truth and by people have the limits of their 95 % interval as NAME_low and NAME_high.
    """
    expected, counted = expect(audit), counts(audit)
    by_class = {class_measure(label): found.value for label, found in expected.noise_rate_by_class.items()}
    known = [value for value in by_class.values() if value is not None]
    found: dict[str, Value] = {
        "max_class_noise_rate": max(known, default=None),
        "n_suspects": counted["suspects"],
        "suspects_share": counted["suspects"] / counted["checked"] if counted["checked"] else None,
        "n_rows": counted["rows"],
        "n_labelled": counted["labelled"],
        "n_unlabelled": counted["unlabelled"],
        "n_missing": counted["missing"],
        "n_unreadable": counted["unreadable"] + counted["too_large"],
        "n_classes": counted["classes"],
    }
    for name, attribute in _EXPECTED.items():
        found |= _with_limits(name, getattr(expected, attribute))
    if evaluation is not None:
        rule = next(rule for rule in evaluation.rules if rule.rule == DEFAULT_RULE)
        for name in TRUTH_MEASURES:
            limits = getattr(rule, name)
            found |= {name: limits.value, f"{name}_low": limits.low, f"{name}_high": limits.high}
    if checked is not None:
        found[N_ANSWERS] = checked.n_answers
        for name in CHECKED_MEASURES:
            found |= _with_limits(name, getattr(checked, name.removeprefix("checked_")))
    return found | by_class


def _with_limits(name: str, found: Range) -> dict[str, Value]:
    is_known = found.value is not None
    return {
        name: found.value,
        f"{name}_low": found.low if is_known else None,
        f"{name}_high": found.high if is_known else None,
    }

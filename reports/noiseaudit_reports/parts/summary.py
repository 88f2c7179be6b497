"""What was found, how sure that is and what to do next, in sentences for people who did not run the audit."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from noiseaudit.estimate import Estimate
from noiseaudit.evaluation import DEFAULT_RULE, Evaluation
from noiseaudit.expected import FEW_LABELS, Expected, found_and_missed
from noiseaudit.percent import counted
from noiseaudit_reports.text import count, range_text, share


def finding(n_suspects: int, n_scored: int) -> str:
    if n_suspects == 0:
        return f"None of {count(n_scored, 'label')} looks wrong"
    verb = "looks" if n_suspects == 1 else "look"
    return f"{n_suspects:,} of {count(n_scored, 'label')} {verb} wrong ({share(n_suspects, n_scored)})"


def estimate(
    expected: Expected, checked: Estimate | None, n_suspects: int, evaluation: Evaluation | None = None
) -> str:
    """How many of the suspects are wrong, and how many others: by the truth where it is that of all labels, else by
    people who `checked`, else by the model; a sentence, "" where no label was judged.
    """
    if evaluation and not evaluation.n_without_truth:
        return _by_truth(evaluation)
    found = checked or expected
    if found.mislabeled.value is None:
        return ""
    by = ("By what people checked",) if checked else ()
    return found_and_missed(n_suspects, found.precision.value, found.mislabeled.value, *by)


def _by_truth(evaluation: Evaluation) -> str:
    """`By the truth that was given 353 of these are wrong, and 6 more that it did not flag.`"""
    default = evaluation.rules[-1]
    wrong = round(default.n_flagged * (default.precision.value or 0))
    missed = evaluation.n_corrupted - wrong
    if not default.n_flagged:
        return f"By the truth that was given {count(missed, 'label')} {'is' if missed == 1 else 'are'} wrong."
    return (
        f"By the truth that was given {wrong:,} of these {'is' if wrong == 1 else 'are'} wrong, and {missed:,} more "
        "that it did not flag."
    )


def sureness(expected: Expected, evaluation: Evaluation | None, n_suspects: int, n_scored: int) -> list[str]:
    """Sentences, none with a term that has to be explained."""
    said = [_measured(evaluation)] if evaluation else []
    if expected.precision.value is not None and expected.recall.value is not None:
        said.append(
            f"Of the {count(n_suspects, 'suspect')}, {range_text(expected.precision)} should really be wrong, "
            f"and {range_text(expected.recall)} of all wrong labels should be among them."
        )
    if expected.mislabeled.value is not None and expected.noise_rate.value is not None:
        said.append(
            f"In all, about {count(round(expected.mislabeled.value), 'label')} of {n_scored:,} should be wrong: "
            f"{range_text(expected.noise_rate)}."
        )
    if n_scored:
        few = (
            f" With {count(n_scored, 'label')} it may be too sure of itself." if n_scored < FEW_LABELS else ""
        )
        said.append(
            "Where it says “should”, that is the model's own estimate, not a count, with its 95 % interval in "
            f"brackets.{few}"
        )
    return said


def cleaned(found: Mapping[str, Any] | None, folder: Path) -> str:
    """One sentence on the cleaned file of a scan in `folder`, of which `found` is what run.json says."""
    if found is None:
        return ""
    wrote = f"The scan wrote {folder / found['file']} with {count(found['changed'], 'suspect')} relabelled"
    if not found["protected"]:
        return f"{wrote}."
    spared = count(found["protected"], "suspect")
    return f"{wrote}; {spared} in test or validation splits kept the given label (--include-test)."


def _measured(evaluation: Evaluation) -> str:
    default = next(found for found in evaluation.rules if found.rule == DEFAULT_RULE)
    parts = []
    if default.precision.value is not None:
        parts.append(f"{counted(default.precision.value)} of the suspects are wrong")
    if default.recall.value is not None:
        parts.append(f"{counted(default.recall.value)} of all wrong labels are among the suspects")
    parts.append(f"{evaluation.n_corrupted:,} are wrong in all")
    return (
        f"Checked against the known truth of {count(evaluation.n_with_truth, 'label')}: {'; '.join(parts)}."
    )

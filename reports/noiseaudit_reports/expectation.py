"""What an audit expects of itself, for people, beside what is known by now."""

from __future__ import annotations

from noiseaudit.evaluation import DEFAULT_RULE, Evaluation
from noiseaudit.expected import FEW_LABELS, Expected, as_json, self_test_sentence, shares
from noiseaudit.percent import counted
from noiseaudit.result import AuditResult
from noiseaudit_reports.text import count

_PROVISO = (
    "These figures are as good as its probabilities: of ten labels, each wrong with a probability of 70 %, about seven "
    "should be wrong"
)


def expectation(audit: AuditResult, expected: Expected, evaluation: Evaluation | None, n_scored: int) -> str:
    """The end of a sentence that begins with "The model expects", and what that rests on, without the last full
    stop.
    """
    tested = self_test_sentence(audit.meta.config.get("chosen", {}).get("self_test"))
    few = "; with so few labels they may be too sure, and these figures off" if n_scored < FEW_LABELS else ""
    text = f"{shares(as_json(expected))}. {_PROVISO}{few}"
    text += f". The self-test {tested}" if tested else ""
    return text if evaluation is None else f"{text}. {_measured(evaluation)}"


def _measured(evaluation: Evaluation) -> str:
    default = next(found for found in evaluation.rules if found.rule == DEFAULT_RULE)
    values = {
        "precision": default.precision.value,
        "recall": default.recall.value,
        "noise rate": evaluation.n_corrupted / evaluation.n_with_truth,
    }
    found = ", ".join(f"{name} {counted(value)}" for name, value in values.items() if value is not None)
    return f"The known truth of {count(evaluation.n_with_truth, 'label')} says {found}"

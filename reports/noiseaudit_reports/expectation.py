"""What an audit expects of itself, for people, beside what is known by now."""

from __future__ import annotations

from noiseaudit.evaluation import DEFAULT_RULE, Evaluation
from noiseaudit.expected import Expected, self_test_sentence, sentence_of
from noiseaudit.percent import counted
from noiseaudit.result import AuditResult
from noiseaudit_reports.text import count


def expectation(audit: AuditResult, expected: Expected, evaluation: Evaluation | None) -> str:
    """The end of a sentence that begins with "It expects", without its full stop."""
    tested = self_test_sentence(audit.meta.config.get("chosen", {}).get("self_test"))
    text = sentence_of(audit, expected) + (f". The self-test {tested}" if tested else "")
    return text if evaluation is None else f"{text}. {_measured(evaluation)}"


def _measured(evaluation: Evaluation) -> str:
    default = next(found for found in evaluation.rules if found.rule == DEFAULT_RULE)
    shares = {
        "precision": default.precision.value,
        "recall": default.recall.value,
        "noise rate": evaluation.n_corrupted / evaluation.n_with_truth,
    }
    found = ", ".join(f"{name} {counted(value)}" for name, value in shares.items() if value is not None)
    return f"The known truth of {count(evaluation.n_with_truth, 'label')} says {found}"

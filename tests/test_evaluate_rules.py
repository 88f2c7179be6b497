"""Both rules are measured on the right rows and agree with scikit-learn; what is reported of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, f1_score, precision_score, recall_score

from noiseaudit.errors import DataError
from noiseaudit.evaluation import DEFAULT_RULE, PAPER_RULE, Relabelling, evaluate, table3
from noiseaudit.result import SCHEMA, AuditResult
from noiseaudit.truth import Truth, truth_from_audit

MakeAudit = Callable[..., AuditResult]


def edited(audit: AuditResult, name: str, values: list[Any]) -> AuditResult:
    column = pa.array(values, SCHEMA.field(name).type)
    table = audit.table.set_column(SCHEMA.get_field_index(name), SCHEMA.field(name), column)
    return AuditResult(table, audit.meta)


def test_both_rules_agree_with_scikit_learn(make_audit: MakeAudit) -> None:
    audit = make_audit(400)
    frame = audit.to_pandas()
    frame = frame[frame.p_mislabeled.notna()]
    truth = frame.true_label != frame.given_label
    evaluation = evaluate(audit, truth_from_audit(audit))
    paper, default = evaluation.rules
    assert (paper.rule, default.rule) == (PAPER_RULE, DEFAULT_RULE)
    for got, flagged, score in (
        (paper, frame.epsilon > 0, frame.epsilon),
        (default, frame.is_label_issue.astype(bool), frame.p_mislabeled),
    ):
        assert got.n == len(frame) == evaluation.n_with_truth
        assert got.n_corrupted == truth.sum()
        assert got.recall.value == pytest.approx(recall_score(truth, flagged))
        assert got.precision.value == pytest.approx(precision_score(truth, flagged))
        assert got.f1.value == pytest.approx(f1_score(truth, flagged))
        assert got.average_precision.value == pytest.approx(average_precision_score(truth, score))


def test_truth_may_be_a_file_or_labels_in_the_audits_order(make_audit: MakeAudit, tmp_path: Path) -> None:
    audit = make_audit(60)
    labels = audit.to_pandas()["true_label"]
    file = tmp_path / "truth.csv"
    audit.to_pandas()[["sample_id", "true_label"]].to_csv(file, index=False)
    wanted = evaluate(audit, truth_from_audit(audit))
    for truth in (labels, labels.to_numpy(), labels.where(labels.notna(), np.nan).tolist(), file, str(file)):
        assert evaluate(audit, truth).to_dict() == wanted.to_dict()
    with pytest.raises(DataError, match="there are 59 true labels for 60 rows of the audit"):
        evaluate(audit, labels[1:])
    with pytest.raises(DataError, match="no true label is a class"):
        evaluate(audit, ["cow"] * 60)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.booleans(), min_size=60, max_size=60))
def test_only_scored_rows_with_truth_count(rows: list[bool], make_audit: MakeAudit) -> None:
    audit = make_audit()
    known = np.array(rows)
    truth = Truth(known, np.zeros(60, dtype=np.bool_), None)
    scored = np.arange(60) < 53
    if not (known & scored).any():
        with pytest.raises(DataError, match="nothing to evaluate"):
            evaluate(audit, truth)
        return
    evaluation = evaluate(audit, truth)
    assert evaluation.n_with_truth == (known & scored).sum()
    assert evaluation.n_without_truth == (~known & scored).sum()


def test_a_method_without_epsilon_has_the_default_rule_only(make_audit: MakeAudit) -> None:
    audit = make_audit(has_epsilon=False)
    evaluation = evaluate(audit, truth_from_audit(audit))
    assert [rule.rule for rule in evaluation.rules] == [DEFAULT_RULE]
    assert [len(row) for row in table3(evaluation)] == [2] * 6


def test_suggestions_on_unlabelled_rows_are_checked(make_audit: MakeAudit) -> None:
    audit = make_audit(n_unlabelled=4)
    suggested = audit.column("suggested_label").tolist()
    suggested[53] = next(name for name in audit.meta.classes if name != suggested[53])
    evaluation = evaluate(edited(audit, "suggested_label", suggested), truth_from_audit(audit))
    assert evaluation.n_suggestions == 4
    assert evaluation.suggestion_accuracy.value == 0.75
    no_labels = Truth(np.ones(60, dtype=np.bool_), np.zeros(60, dtype=np.bool_), None)
    assert evaluate(audit, no_labels).n_suggestions == 0


def test_what_relabelling_would_do(make_audit: MakeAudit) -> None:
    """Of the suspects: every wrong label is suggested its true one, but for one; the right ones lose theirs."""
    audit = make_audit(400)
    flagged = audit.column("is_label_issue") == True  # noqa: E712
    wrong = audit.column("given_label") != audit.column("true_label")
    suggested = audit.column("suggested_label").tolist()
    spoilt = int((flagged & ~wrong).sum())
    one = int(np.flatnonzero(flagged & wrong)[0])
    suggested[one] = next(
        name for name in audit.meta.classes if name not in (audit.column("true_label")[one], suggested[one])
    )
    found = evaluate(edited(audit, "suggested_label", suggested), truth_from_audit(audit)).relabelling
    assert found == Relabelling(mended=int((flagged & wrong).sum()) - 1, still_wrong=1, spoilt=spoilt)
    assert spoilt > 0
    only_flags = Truth(np.ones(400, dtype=np.bool_), wrong, None)
    assert evaluate(audit, only_flags).relabelling is None


def test_table_3_layout(make_audit: MakeAudit) -> None:
    audit = make_audit(400)
    evaluation = evaluate(audit, truth_from_audit(audit))
    header, *rows = table3(evaluation)
    rate = evaluation.n_corrupted / evaluation.n_with_truth
    assert header == [
        f"Corruption rate {rate:.1%}",
        "Paper's rule: epsilon > 0",
        "Default: the audit's cut-off",
    ]
    assert [row[0] for row in rows] == ["Recall", "Precision", "F1 score", "Average precision", "AUROC"]
    f1 = evaluation.rules[1].f1
    assert rows[2][2] == f"{f1.value:.3f} [{f1.low:.3f}, {f1.high:.3f}]"


def test_json_holds_plain_numbers(make_audit: MakeAudit) -> None:
    audit = make_audit(noise_rate=0.0)
    evaluation = evaluate(audit, truth_from_audit(audit))
    fields = json.loads(json.dumps(evaluation.to_dict(), allow_nan=False))
    assert fields["n_corrupted"] == 0
    assert fields["rules"][0]["rule"] == "paper"
    assert fields["rules"][1]["recall"] == {"value": None, "low": None, "high": None}
    assert "curves" not in fields

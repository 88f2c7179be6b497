"""The cost curve: by hand, thinned, and with truth."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from noiseaudit.cost import POINTS, CostCurve, cost_curve
from noiseaudit.result import SCHEMA, AuditResult
from noiseaudit.truth import Truth, truth_from_audit

MakeAudit = Callable[..., AuditResult]


def with_scores(audit: AuditResult, p: Sequence[float], cutoff: float) -> AuditResult:
    """All rows of `audit` scored `p`."""
    scores, table = np.array(p), audit.table
    rank = np.empty(len(scores), np.int64)
    rank[np.argsort(-scores, kind="stable")] = np.arange(1, len(scores) + 1)
    for name, cells in (("p_mislabeled", scores), ("rank", rank), ("is_label_issue", scores >= cutoff)):
        place = SCHEMA.get_field_index(name)
        table = table.set_column(place, SCHEMA.field(name), [cells.tolist()])
    return AuditResult(table, audit.meta)


@pytest.fixture
def audit(make_audit: MakeAudit) -> AuditResult:
    whole = make_audit(5, n_unlabelled=0, n_unread=0)
    return with_scores(whole, [0.1, 0.9, 0.0, 0.6, 0.4], 0.5)


def curve(audit: AuditResult, truth: Truth | None = None) -> CostCurve:
    found = cost_curve(audit, truth)
    assert found is not None
    return found


def test_a_curve_by_hand(audit: AuditResult) -> None:
    found = curve(audit)
    assert found.n == 5
    assert found.reviewed == (0, 1, 2, 3, 4, 5)
    assert found.expected == pytest.approx((0, 0.9, 1.5, 1.9, 2.0, 2.0))
    assert found.known is None
    at = found.at_cutoff
    assert at is not None
    assert (at.reviewed, at.expected, at.share, at.random) == pytest.approx((2, 1.5, 0.75, 3.75))
    assert [each.reviewed for each in found.milestones] == [2, 3, 3, 3]  # of 1.0, 1.6, 1.8 and 1.9
    assert [each.share for each in found.milestones] == pytest.approx([0.75, 0.95, 0.95, 0.95])


def test_the_truth_of_some_rows_has_these_alone(audit: AuditResult) -> None:
    known = np.array([True, True, True, False, True])
    truth = Truth(known, np.array([True, True, False, False, False]), None)
    found = curve(audit, truth)
    assert found.reviewed == (0, 1, 2, 3, 4)
    assert found.expected == pytest.approx((0, 0.9, 1.3, 1.4, 1.4))
    assert found.known == (0, 1, 1, 2, 2)
    assert found.at_cutoff is not None
    assert (found.at_cutoff.reviewed, found.at_cutoff.known) == (1, 1)


def test_a_long_curve_is_thinned_and_stays_true(make_audit: MakeAudit) -> None:
    audit = make_audit(5_000)
    found = curve(audit, truth_from_audit(audit))
    assert len(found.reviewed) <= POINTS + 3
    order = np.argsort(-np.nan_to_num(audit.column("p_mislabeled"), nan=-1), kind="stable")
    sums = np.append(0, np.cumsum(audit.column("p_mislabeled")[order]))
    assert found.expected == pytest.approx(sums[list(found.reviewed)])
    assert (found.reviewed[0], found.reviewed[-1]) == (0, found.n)
    assert int(audit.suspects().sum()) in found.reviewed
    wrong = audit.column("given_label") != audit.column("true_label")
    assert found.known is not None
    assert found.known[-1] == wrong[: found.n].sum()


def test_no_suspect_and_no_expected_error(audit: AuditResult) -> None:
    assert curve(with_scores(audit, [0.1] * 5, 0.5)).at_cutoff is None
    assert cost_curve(with_scores(audit, [0.0] * 5, 0.5)) is None

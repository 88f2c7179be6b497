"""What relabelling all suspects is expected to do: by hand, and by what is drawn from the probabilities."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pyarrow as pa
import pytest

from noiseaudit.relabelling import expected_relabelling, relabelling_text
from noiseaudit.remarks import about_relabelling
from noiseaudit.result import AuditResult
from tests.conftest import build_audit


def audit_of(
    p: list[float], given: list[float], suggested: list[float], doubt: float = 0.0, *, flagged: bool = True
) -> AuditResult:
    audit = build_audit(len(p), n_unlabelled=0, n_unread=0)
    meta = dataclasses.replace(audit.meta, config={"chosen": {"doubt": [-doubt, doubt]}})
    table = audit.table
    values = {
        "p_mislabeled": p,
        "p_given": given,
        "p_suggested": suggested,
        "is_label_issue": [flagged] * len(p),
    }
    for name, column in values.items():
        place = table.schema.get_field_index(name)
        table = table.set_column(
            place, table.schema.field(place), pa.array(column, table.schema.field(place).type)
        )
    return AuditResult(table, meta)


def test_by_hand() -> None:
    """Of four labels, three quarters are wrong; the suggestion has 0.6 of the 0.8 that other classes have. At best all
    suggestions are right.
    """
    found = expected_relabelling(audit_of([0.75] * 4, [0.2] * 4, [0.6] * 4))
    assert (found.n, found.mended, found.otherwise, found.spoiled) == pytest.approx((4, 2.25, 0.75, 1.0))
    each = 0.75 * 0.75 - 0.25
    reach = 1.959964 * math.sqrt(4 * (0.75 * 0.75 + 0.25 - each**2))
    best = 2 + 1.959964 * math.sqrt(4 * (1 - 0.5**2))
    assert (found.net.value, found.net.low, found.net.high) == pytest.approx((1.25, 1.25 - reach, best))
    assert found.may_harm == (reach > 1.25)


def test_doubt_widens_what_comes_of_it() -> None:
    plain, wide = (
        expected_relabelling(audit_of([0.5] * 400, [0.1] * 400, [0.9] * 400, doubt))
        for doubt in (0.0, math.log(2))
    )
    assert plain.net.value == wide.net.value == pytest.approx(0, abs=1e-4)
    assert wide.net.low < 400 * (1 / 3 - 2 / 3) < plain.net.low
    assert wide.net.high > 400 * (2 / 3 - 1 / 3) > plain.net.high


def test_the_interval_holds_what_is_drawn() -> None:
    rng = np.random.default_rng(0)
    p, given, suggested = rng.uniform(0.3, 1, 300), rng.uniform(0, 0.3, 300), np.empty(300)
    suggested[:] = 1 - given  # nothing is left for a third class
    found = expected_relabelling(audit_of(p.tolist(), given.tolist(), suggested.tolist()))
    wrong = rng.random((4_000, 300)) < p
    right = rng.random((4_000, 300)) < suggested / (1 - given)
    net = (wrong & right).sum(1) - (~wrong).sum(1)
    assert net.mean() == pytest.approx(found.net.value, abs=0.5)
    assert 0.93 < ((net >= found.net.low) & (net <= found.net.high)).mean() < 0.97


def test_a_warning_where_it_may_do_harm() -> None:
    harm = expected_relabelling(audit_of([0.5] * 10, [0.1] * 10, [0.9] * 10))
    (warning,) = about_relabelling(harm)
    assert warning.startswith(
        "relabelling all 10 suspects without a look may spoil more labels than it mends"
    )
    assert about_relabelling(expected_relabelling(audit_of([0.99] * 10, [0.0] * 10, [1.0] * 10))) == ()
    text = relabelling_text(dataclasses.asdict(harm))
    assert text.startswith("about 5 mended, 0 wrong in another way and 5 spoiled, in all ")


def test_without_suspects_nothing_happens() -> None:
    found = expected_relabelling(audit_of([0.1], [0.9], [0.9], flagged=False))
    assert (found.n, found.mended, found.spoiled, found.net.low, found.net.high) == (0, 0, 0, 0, 0)
    assert about_relabelling(found) == ()

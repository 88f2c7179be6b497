"""What `sample` draws: parts, how many rows each gets, and further draws; by hand and by properties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from noiseaudit.decisions import Decision, run_id
from noiseaudit.errors import ConfigError
from noiseaudit.sample import Codes, Strata, allocate, draw_sample, stratify
from tests.conftest import build_audit

AUDIT = build_audit(n=2_007, seed=3)  # 2,000 of them scored


def strata(sizes: list[int], doubt: list[float]) -> Strata:
    part = np.repeat(np.arange(len(sizes)), sizes)
    return Strata(np.arange(len(part)), part, np.array(sizes), np.array(doubt), np.ones(len(sizes), np.bool_))


def parts_of(rows: list[Decision]) -> Codes:
    """Of AUDIT."""
    parts = stratify(AUDIT)
    place = {name: i for i, name in enumerate(AUDIT.column("sample_id")[parts.rows])}
    return parts.part[[place[row.sample_id] for row in rows]]


def test_parts_are_flagged_or_not_and_ordered_by_doubt() -> None:
    found = stratify(AUDIT)
    scores, flags = AUDIT.column("p_mislabeled")[found.rows], AUDIT.column("is_label_issue")[found.rows]
    assert len(found.rows) == 2_000
    assert found.flagged.tolist() == [True, True, False, False]
    assert found.sizes.sum() == 2_000
    for h in range(4):
        assert set(flags[found.part == h]) == {bool(found.flagged[h])}
    assert scores[found.part == 0].max() <= scores[found.part == 1].min()
    assert scores[found.part == 2].max() <= scores[found.part == 3].min()
    held = scores.astype(float).clip(0.02, 0.98)
    for one, other in ((0, 1), (2, 3)):
        halves = [((held * (1 - held)) ** 0.25)[found.part == h].sum() for h in (one, other)]
        assert halves[0] == pytest.approx(halves[1], rel=0.02)


def test_rows_are_shared_out_by_doubt() -> None:
    """2 each, and of the other 14 by 3 : 1 : 3, where the first part has room for one more only."""
    assert allocate(strata([3, 50, 50], [30.0, 10.0, 30.0]), 20).tolist() == [3, 5, 12]
    assert allocate(strata([100, 100], [1.0, 3.0]), 40).tolist() == [11, 29]
    assert allocate(strata([1, 9], [1.0, 1.0]), 99).tolist() == [1, 9]
    with pytest.raises(ConfigError, match="It takes 4 rows at least"):
        allocate(strata([5, 9], [1.0, 1.0]), 3)


@settings(max_examples=60)
@given(
    sizes=st.lists(st.integers(1, 400), min_size=1, max_size=4),
    doubt=st.lists(st.floats(0.01, 100), min_size=4, max_size=4),
    n=st.integers(8, 1_000),
)
def test_an_allocation_fits(sizes: list[int], doubt: list[float], n: int) -> None:
    found = allocate(strata(sizes, doubt[: len(sizes)]), n)
    assert found.sum() == min(n, sum(sizes))
    assert (found <= sizes).all()
    assert (found >= np.minimum(sizes, 2)).all()


def test_a_draw() -> None:
    drawn = draw_sample(AUDIT, 100, seed=0)
    parts = stratify(AUDIT)
    part = parts_of(drawn)
    counts = np.bincount(part)
    assert len({each.sample_id for each in drawn}) == 100
    assert (counts == allocate(parts, 100)).all()
    assert [each.sampling_weight for each in drawn] == pytest.approx((parts.sizes / counts)[part].tolist())
    assert sum(each.sampling_weight or 0 for each in drawn) == pytest.approx(2_000)
    assert {each.run_id for each in drawn} == {run_id(AUDIT)}
    assert {each.decision for each in drawn} == {None}
    assert not (np.diff(part) >= 0).all()  # the order tells nothing
    assert drawn == draw_sample(AUDIT, 100, seed=0)
    assert drawn != draw_sample(AUDIT, 100, seed=1)


def test_a_second_draw_tops_the_first_up() -> None:
    first = draw_sample(AUDIT, 60, seed=0)
    names = [each.sample_id for each in first]
    second = draw_sample(AUDIT, 40, seed=0, earlier=names)
    assert not set(names) & {each.sample_id for each in second}
    parts = stratify(AUDIT)
    both = np.bincount(parts_of(first + second))
    assert np.abs(both - allocate(parts, 100)).max() <= 1
    now = dict(zip(parts_of(second), (each.sampling_weight or 0 for each in second), strict=True))
    assert [now[h] for h in range(4)] == pytest.approx((parts.sizes / both).tolist())  # of the first 60, too
    assert sum(each.sampling_weight or 0 for each in first) == pytest.approx(2_000)
    with pytest.raises(ConfigError, match="1,940 rows can be drawn"):
        draw_sample(AUDIT, 1_941, seed=0, earlier=names)
    assert len(draw_sample(AUDIT, 1_940, seed=0, earlier=names)) == 1_940

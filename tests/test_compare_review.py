"""What a review in a tool's order finds: by hand, with ties, over the known rows, and thinned."""

from __future__ import annotations

import numpy as np
import pytest

from noiseaudit.compare.review import POINTS, review_curve
from noiseaudit.compare.verdict import Verdict


def curve(scores: list[float], wrong: list[int], known: list[int] | None = None) -> list[tuple[int, int]]:
    verdict = Verdict(np.array(scores, np.float64), np.zeros(len(scores), np.bool_))
    found = review_curve(verdict, np.array(wrong, np.bool_), np.array(known or [1] * len(wrong), np.bool_))
    return [*zip(found["reviewed"], found["found"], strict=True)]


def test_a_curve_by_hand() -> None:
    assert curve([0.1, 0.9, 0.5, 0.7], [0, 1, 1, 0]) == [(0, 0), (1, 1), (2, 1), (3, 2), (4, 2)]


@pytest.mark.parametrize(
    ("wrong", "found"), [([1, 0, 0, 1], [0, 0, 1, 1, 2]), ([0, 0, 1, 1], [0, 1, 1, 1, 2])]
)
def test_ties_are_in_the_order_given(wrong: list[int], found: list[int]) -> None:
    assert curve([0.5, 0.5, 0.9, 0.5], wrong) == [*enumerate(found)]


def test_rows_without_truth_are_not_looked_at() -> None:
    assert curve([0.9, 0.8, 0.7], [1, 0, 1], [0, 1, 1]) == [(0, 0), (1, 0), (2, 1)]


def test_a_long_curve_is_thinned_and_has_where_each_share_is_reached() -> None:
    rng = np.random.default_rng(0)
    wrong = rng.random(20_000) < 0.1
    scores = rng.normal(size=20_000) + wrong
    points = curve(scores.tolist(), wrong.tolist())
    assert len(points) <= POINTS + 6
    sums = np.append(0, np.cumsum(wrong[np.argsort(-scores)]))
    assert all(found == sums[reviewed] for reviewed, found in points)
    for share in (0.5, 0.8, 0.9, 0.95):
        assert int((sums < share * sums[-1]).sum()) in dict(points)

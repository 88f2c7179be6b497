"""Means, deviations and paired intervals, by hand and against SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ttest_rel

from noiseaudit.bench.stats import Summary, paired_difference, summary


def test_mean_and_sample_deviation() -> None:
    found = summary([2.0, 4.0, 9.0])
    assert (found.n, found.mean) == (3, 5.0)
    assert found.std == pytest.approx(np.sqrt((9 + 1 + 16) / 2))
    assert summary([3.0]) == Summary(1, 3.0, None)
    assert summary([]) == Summary(0, None, None)


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (Summary(3, 5.04, 3.606), "5.0 ± 3.6 (n=3)"),
        (Summary(1, 5.06, None), "5.1 (n=1)"),
        (Summary(0, None, None), "-"),
    ],
)
def test_a_summary_as_text(found: Summary, text: str) -> None:
    assert found.text(1) == text


def test_differences_are_paired_by_seed() -> None:
    one, other = {0: 5.0, 1: 7.0, 2: 6.5, 9: 100.0}, {2: 5.0, 1: 6.0, 0: 4.5, 8: -100.0}
    found = paired_difference(one, other)
    assert found is not None
    interval = ttest_rel([5.0, 7.0, 6.5], [4.5, 6.0, 5.0]).confidence_interval(0.95)
    assert found.n == 3
    assert [found.mean, found.low, found.high] == pytest.approx([1.0, interval.low, interval.high])
    assert found.text(1) == "+1.0 [-0.2, 2.2] (n=3)"


def test_too_few_pairs() -> None:
    assert paired_difference({0: 1.0}, {1: 2.0}) is None
    assert paired_difference({0: 1.0}, {0: 2.5}) is None

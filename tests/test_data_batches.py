"""Two-stream batches: every row every epoch, in a fixed proportion."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from noiseaudit.data.batches import BatchPlan, epoch_batches, plan_batches


def batches(n_labelled: int, n_unlabelled: int, plan: BatchPlan, seed: int = 0) -> list[list[int]]:
    """Row numbers of each step; labelled rows come first in the data here."""
    rows = torch.arange(n_labelled + n_unlabelled)
    generator = torch.Generator().manual_seed(seed)
    steps = epoch_batches(rows[:n_labelled], rows[n_labelled:], plan, generator)
    return [step.tolist() for step in steps]


@settings(max_examples=150)
@given(
    n_labelled=st.integers(2, 120),
    n_unlabelled=st.integers(0, 300),
    batch_size=st.integers(2, 64),
    share=st.floats(0.01, 0.99),
)
def test_every_row_is_seen_and_no_batch_has_another_size(
    n_labelled: int, n_unlabelled: int, batch_size: int, share: float
) -> None:
    plan = plan_batches(n_labelled, n_unlabelled, batch_size, share)
    steps = batches(n_labelled, n_unlabelled, plan)
    assert len(steps) == plan.steps
    assert {row for step in steps for row in step} == set(range(n_labelled + n_unlabelled))
    assert plan.labelled >= 1
    assert plan.labelled + plan.unlabelled == (batch_size if n_unlabelled else min(batch_size, n_labelled))
    for step in steps:
        assert len(step) == plan.labelled + plan.unlabelled
        assert all(row < n_labelled for row in step[: plan.labelled])
        assert all(row >= n_labelled for row in step[plan.labelled :])


@settings(max_examples=50)
@given(n=st.integers(2, 50), batch_size=st.integers(2, 20))
def test_no_row_falls_behind(n: int, batch_size: int) -> None:
    """Within an epoch, rows of a stream are seen equally often, give or take one."""
    plan = plan_batches(n, 0, batch_size, 0.25)
    seen = torch.bincount(torch.tensor([row for step in batches(n, 0, plan) for row in step]), minlength=n)
    assert int(seen.max() - seen.min()) <= 1


@pytest.mark.parametrize(
    ("n_labelled", "n_unlabelled", "batch_size", "share", "expected"),
    [
        (100, 0, 16, 0.25, BatchPlan(16, 0, 7)),
        (10, 0, 256, 0.25, BatchPlan(10, 0, 1)),
        (300, 100, 100, 0.25, BatchPlan(75, 25, 4)),  # as many as there are
        (100, 900, 100, 0.25, BatchPlan(25, 75, 12)),  # the least share
        (100, 49_900, 100, 0.05, BatchPlan(5, 95, 526)),  # the paper's MNIST batches
        (999, 1, 4, 0.25, BatchPlan(3, 1, 333)),  # one unlabelled row is in every batch
        (3, 5, 2, 0.9, BatchPlan(1, 1, 5)),
    ],
)
def test_plans(
    n_labelled: int, n_unlabelled: int, batch_size: int, share: float, expected: BatchPlan
) -> None:
    assert plan_batches(n_labelled, n_unlabelled, batch_size, share) == expected


def test_few_labels_are_seen_several_times_an_epoch() -> None:
    plan = plan_batches(4, 96, 8, 0.25)
    rows = [row for step in batches(4, 96, plan) for row in step if row < 4]
    assert len(rows) == 2 * 16
    assert {row: rows.count(row) for row in range(4)} == dict.fromkeys(range(4), 8)


def test_the_order_is_random_and_a_function_of_the_seed() -> None:
    plan = plan_batches(40, 40, 8, 0.25)
    assert batches(40, 40, plan, seed=1) == batches(40, 40, plan, seed=1)
    assert batches(40, 40, plan, seed=1) != batches(40, 40, plan, seed=2)

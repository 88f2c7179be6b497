"""The sum over y of Eq. 4 from some classes: unbiased in value and gradient, exact where nothing is left out."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from noiseaudit.marginal import EXACT_CLASSES, SAMPLED, TOP, all_classes, baseline, is_exact, some_classes

C, TOP_OF_C = 12, 3


def setting(n: int = 4) -> tuple[Tensor, Tensor, Tensor]:
    """Logits (n, C), of which half the rows are flat and half sharp; costs (n, C); given labels, one of them none."""
    numbers = torch.Generator().manual_seed(0)
    logits = torch.randn(n, C, generator=numbers, dtype=torch.float64)
    logits[n // 2 :] *= 4
    cost = 10 + 3 * torch.randn(n, C, generator=numbers, dtype=torch.float64)
    return logits, cost, torch.tensor([5, -1, 0, 7])[:n]


def estimate(probs: Tensor, cost: Tensor, given: Tensor, uniform: Tensor) -> Tensor:
    found = some_classes(probs, given, uniform, TOP_OF_C)
    costs = cost.gather(1, found.classes)
    level = baseline(found.weights, costs, TOP_OF_C)
    return (found.weights * (costs - level[:, None])).sum(1) + level


def test_the_best_classes_and_the_given_one_are_summed_exactly() -> None:
    probs = torch.tensor([[0.4, 0.05, 0.3, 0.05, 0.2], [0.4, 0.05, 0.3, 0.05, 0.2]])
    found = some_classes(probs, torch.tensor([3, -1]), torch.tensor([[0.1, 0.9], [0.1, 0.9]]), top=3)
    assert [sorted(row) for row in found.classes[:, :3].tolist()] == [[0, 2, 3], [0, 2, 4]]
    assert_close(found.weights[:, :3], probs.gather(1, found.classes[:, :3]))
    assert found.classes[:, 3:].tolist() == [[1, 4], [1, 3]]  # of the rest: 0.05 then 0.2; 0.05 twice
    assert_close(found.weights[:, 3:], torch.tensor([[0.125, 0.125], [0.05, 0.05]]))


def test_weights_sum_to_one_and_no_class_of_the_best_is_drawn_again() -> None:
    logits, _, given = setting()
    found = some_classes(logits.softmax(1), given, torch.rand(4, 50), TOP_OF_C)
    assert_close(found.weights.sum(1), torch.ones(4, dtype=torch.float64))
    for best, drawn in zip(
        found.classes[:, :TOP_OF_C].tolist(), found.classes[:, TOP_OF_C:].tolist(), strict=True
    ):
        assert len(set(best)) == TOP_OF_C
        assert not set(best) & set(drawn)


def test_the_estimate_is_unbiased_in_value_and_gradient() -> None:
    """Its expectation over the drawn classes, integrated on a fine grid of the uniform numbers, is the exact sum."""
    logits, cost, given = setting()
    logits.requires_grad_()
    grid = (torch.arange(20_000, dtype=torch.float64) + 0.5) / 20_000
    mean = estimate(logits.softmax(1), cost, given, grid.expand(4, -1))
    exact = (logits.softmax(1) * cost).sum(1)
    assert_close(mean, exact, atol=2e-3, rtol=0)
    found, expected = (
        torch.autograd.grad(value.sum(), logits, retain_graph=True)[0] for value in (mean, exact)
    )
    assert_close(found, expected, atol=2e-3, rtol=0)
    assert float((found - expected).abs().max() / expected.abs().max()) < 1e-3


def test_a_row_is_off_by_no_more_than_what_is_left_times_the_range_of_its_costs() -> None:
    logits, cost, given = setting()
    probs = logits.softmax(1)
    exact = (probs * cost).sum(1)
    for seed in range(50):
        uniform = torch.rand(4, 2, generator=torch.Generator().manual_seed(seed))
        found = some_classes(probs, given, uniform, TOP_OF_C)
        rest = probs.scatter(1, found.classes[:, :TOP_OF_C], 0.0)
        left = torch.where(rest > 0, cost, cost.mean())
        bound = rest.sum(1) * (left.amax(1) - left.amin(1))
        assert ((estimate(probs, cost, given, uniform) - exact).abs() <= bound + 1e-9).all()


def test_what_all_costs_have_in_common_moves_the_value_and_not_the_gradient() -> None:
    logits, cost, given = setting()
    uniform = torch.rand(4, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    logits.requires_grad_()
    one, other = (estimate(logits.softmax(1), cost + more, given, uniform) for more in (0.0, 1_000.0))
    assert_close(one + 1_000, other)
    gradients = [torch.autograd.grad(value.sum(), logits, retain_graph=True)[0] for value in (one, other)]
    assert_close(*gradients)


def test_gradients_are_those_of_finite_differences() -> None:
    """Of the sum for fixed classes, whose weights' densities stand still."""
    logits, cost, given = setting()
    uniform = torch.rand(4, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    probs = logits.softmax(1)
    found = some_classes(probs, given, uniform, TOP_OF_C)
    ratio = found.weights / probs.gather(1, found.classes)

    costs = cost.gather(1, found.classes)
    level = baseline(found.weights, costs, TOP_OF_C)[:, None]

    def fixed(logits: Tensor) -> Tensor:
        return (logits.softmax(1).gather(1, found.classes) * ratio * (costs - level)).sum()

    logits.requires_grad_()
    estimate(logits.softmax(1), cost, given, uniform).sum().backward()
    step = 1e-6
    for row, column in [(0, 0), (0, 5), (1, 3), (2, 7), (3, 11)]:
        move = torch.zeros_like(logits)
        move[row, column] = step
        slope = (fixed(logits.detach() + move) - fixed(logits.detach() - move)) / (2 * step)
        assert logits.grad is not None
        assert float(logits.grad[row, column]) == pytest.approx(float(slope), rel=1e-5, abs=1e-8)


def test_where_nothing_is_left_the_sum_is_exact_and_its_gradient_finite() -> None:
    probs = torch.zeros(2, C)
    probs[:, :TOP_OF_C] = torch.tensor([[0.5, 0.3, 0.2], [1.0, 0.0, 0.0]])
    probs.requires_grad_()
    cost = torch.arange(float(C)).expand(2, -1)
    value = estimate(probs, cost, torch.tensor([0, -1]), torch.tensor([[0.0, 0.999], [0.0, 0.999]]))
    assert_close(value.detach(), torch.tensor([0.7, 0.0]))
    value.sum().backward()
    assert probs.grad is not None
    assert probs.grad.isfinite().all()


def test_up_to_the_limit_every_class_counts_with_its_own_probability() -> None:
    probs = torch.rand(3, 5).softmax(1)
    assert all_classes(probs).classes.tolist() == [0, 1, 2, 3, 4]
    assert all_classes(probs).weights is probs
    assert is_exact(EXACT_CLASSES)
    assert not is_exact(EXACT_CLASSES + 1)
    assert EXACT_CLASSES == TOP + SAMPLED

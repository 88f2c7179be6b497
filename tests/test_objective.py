"""Each equation of the paper on numbers worked out by hand, and the identities between them."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from noiseaudit.densities import kl_standard_normal, log_normal
from noiseaudit.objective import (
    class_cost,
    conditional_term,
    consistency,
    entropy,
    label_kl_of_mean,
    label_kl_per_sample,
    label_uncertainty,
    label_weight,
    labelled_term,
    log_label_likelihood,
    noisy_label_loss,
)

UNIFORM = torch.full((4,), -math.log(4.0))


def test_class_cost_is_a_loop_over_the_classes() -> None:
    draws = torch.Generator().manual_seed(1)
    z_a = torch.randn(3, 5, generator=draws)
    q_zb = (torch.randn(3, 4, 2, generator=draws), torch.randn(3, 4, 2, generator=draws))
    p_za = (torch.randn(3, 4, 5, generator=draws), torch.randn(3, 4, 5, generator=draws))
    cost = class_cost(z_a, q_zb, p_za)
    assert cost.shape == (3, 4)
    for y in range(4):
        kl = kl_standard_normal(q_zb[0][:, y], q_zb[1][:, y])
        assert_close(cost[:, y], kl - log_normal(z_a, p_za[0][:, y], p_za[1][:, y]))


def test_class_cost_by_hand() -> None:
    """One class, q(z_b) = N(1, 1): KL 1/2. p(z_a) = N(0, 1) at z_a = 2: -log p = log(2 pi) / 2 + 2."""
    one, zero = torch.ones(1, 1, 1), torch.zeros(1, 1, 1)
    cost = class_cost(torch.tensor([[2.0]]), (one, zero), (zero, zero))
    assert cost.item() == pytest.approx(0.5 + 0.5 * math.log(2 * math.pi) + 2.0)


def test_the_marginal_over_y_is_exact() -> None:
    draws = torch.Generator().manual_seed(2)
    probs = torch.randn(3, 4, generator=draws).softmax(1)
    cost, log_q = torch.randn(3, 4, generator=draws), torch.randn(3, generator=draws)
    got = conditional_term(probs, cost, log_q)
    for i in range(3):
        expected = sum(float(probs[i, y] * cost[i, y]) for y in range(4)) + float(log_q[i])
        assert got[i].item() == pytest.approx(expected, abs=1e-5)


def test_label_kl_of_each_sample() -> None:
    probs = torch.tensor([[0.25, 0.25, 0.25, 0.25], [0.5, 0.5, 1e-30, 1e-30]])
    got = label_kl_per_sample(probs, probs.log(), UNIFORM)
    assert_close(got, torch.tensor([0.0, math.log(2.0)]))


def test_label_kl_of_the_batch_balances_classes_and_frees_samples() -> None:
    decided = torch.eye(4)
    assert label_kl_of_mean(decided.mean(0), UNIFORM).item() == pytest.approx(0.0, abs=1e-6)
    one_sided = torch.eye(4)[[0, 0, 1, 1]]
    assert label_kl_of_mean(one_sided.mean(0), UNIFORM).item() == pytest.approx(math.log(2.0))


def test_eq_5_by_hand() -> None:
    got = log_label_likelihood(torch.tensor([0.3, 0.06]), torch.tensor([1, 0]), 4)
    expected = torch.tensor([[0.1, 0.7, 0.1, 0.1], [0.94, 0.02, 0.02, 0.02]]).log()
    assert_close(got, expected)
    assert_close(got.exp().sum(1), torch.ones(2))


def test_f_of_epsilon_by_hand() -> None:
    got = label_weight(torch.tensor([0.1, 0.5, 0.75, 0.9]), 4, epsilon_min=0.01)
    expected = torch.tensor([27.0, 3.0, 1.0, 1 / 3]).log()
    assert_close(got, expected, atol=1e-6, rtol=1e-5)


def test_f_is_negative_above_its_zero_and_only_its_infinities_are_clamped() -> None:
    zero = (4 - 1) / 4
    assert label_weight(torch.tensor([zero + 0.01]), 4, 0.01).item() < 0
    assert label_weight(torch.tensor([zero - 0.01]), 4, 0.01).item() > 0
    ends = label_weight(torch.tensor([0.0, 0.01, 0.99, 1.0]), 4, 0.01)
    assert ends[0] == ends[1]
    assert ends[2] == ends[3] == pytest.approx(math.log(3 / 99), abs=1e-5)


@settings(max_examples=50)
@given(st.integers(2, 6), st.floats(0.02, 0.98), st.integers(0, 10_000))
def test_the_labelled_term_is_eq_5_enumerated_over_y(n_classes: int, eps: float, seed: int) -> None:
    """sum_y q(y) log p(y_hat | y) = f(eps) q(y_hat) + log(eps / (C - 1)), which is why Eq. 6 may drop the rest."""
    draws = torch.Generator().manual_seed(seed)
    probs = torch.randn(3, n_classes, generator=draws, dtype=torch.float64).softmax(1)
    label = torch.randint(n_classes, (3,), generator=draws)
    epsilon = torch.full((3,), eps, dtype=torch.float64)
    enumerated = (probs * log_label_likelihood(epsilon, label, n_classes)).sum(1)
    short = -labelled_term(probs, label, label_weight(epsilon, n_classes, 0.01))
    assert_close(short + math.log(eps / (n_classes - 1)), enumerated)


def test_labelled_term_is_linear_in_q_and_no_gradient_flows_through_the_weight() -> None:
    probs = torch.tensor([[0.2, 0.8], [0.6, 0.4]], requires_grad=True)
    weight = (2 * probs[:, 0]).log()  # depends on probs, as epsilon does
    loss = labelled_term(probs, torch.tensor([1, 0]), weight)
    assert_close(loss, -torch.tensor([math.log(0.4) * 0.8, math.log(1.2) * 0.6]))
    loss.sum().backward()
    assert_close(probs.grad, torch.tensor([[0.0, -math.log(0.4)], [-math.log(1.2), 0.0]]))


def test_eq_8_by_hand() -> None:
    guider = torch.tensor([[0.7, 0.3], [0.1, 0.9], [0.5, 0.5]])
    learner = torch.tensor([[0.9, 0.1], [0.4, 0.6], [0.5, 0.5]])
    got = label_uncertainty(guider, learner, torch.tensor([0, 1, 1]))
    assert_close(got, torch.tensor([0.2, 0.3, 0.0]))


def test_a_logit_gap_of_20_saturates_float32_so_epsilon_is_exactly_zero() -> None:
    """What the paper's rule epsilon > 0 lives on: "not saturated", in float32."""
    guider = torch.tensor([[20.0, 0.0], [14.0, 0.0]]).softmax(1)
    learner = torch.tensor([[25.0, 0.0], [20.0, 0.0]]).softmax(1)
    assert guider.dtype == torch.float32
    assert guider[0, 0] == 1.0
    assert guider[1, 0] < 1.0
    epsilon = label_uncertainty(guider, learner, torch.tensor([0, 0]))
    assert epsilon[0] == 0.0
    assert epsilon[1] > 0.0
    assert torch.tensor([20.0, 0.0], dtype=torch.float64).softmax(0)[0] < 1.0


def test_consistency_is_the_squared_distance_and_leaves_the_guider_alone() -> None:
    learner = torch.tensor([[0.9, 0.1]], requires_grad=True)
    guider = torch.tensor([[0.6, 0.4]], requires_grad=True)
    gap = consistency(learner, guider)
    assert_close(gap, torch.tensor([0.18]))
    gap.sum().backward()
    assert guider.grad is None
    assert_close(learner.grad, torch.tensor([[0.6, -0.6]]))


def test_entropy_by_hand() -> None:
    probs = torch.tensor([[0.25, 0.25, 0.25, 0.25], [0.5, 0.5, 1e-30, 1e-30]])
    assert_close(entropy(probs, probs.log()), torch.tensor([math.log(4.0), math.log(2.0)]))


def test_the_loss_through_the_noise_by_hand() -> None:
    probs = torch.tensor([[0.7, 0.2, 0.1], [0.0, 0.0, 1.0]])
    rates = torch.tensor([[0.8, 0.1, 0.1], [0.3, 0.6, 0.1], [0.0, 0.25, 0.75]])
    expected = torch.tensor([-math.log(0.7 * 0.1 + 0.2 * 0.6 + 0.1 * 0.25), -math.log(0.25)])
    assert_close(noisy_label_loss(probs, torch.tensor([1, 1]), rates), expected)


def test_without_noise_the_loss_through_it_is_cross_entropy_and_finite() -> None:
    probs = torch.tensor([[0.7, 0.3], [1.0, 0.0]], requires_grad=True)
    losses = noisy_label_loss(probs, torch.tensor([1, 1]), torch.eye(2))
    assert_close(losses.detach(), torch.tensor([-math.log(0.3), -math.log(1e-9)]))
    losses.sum().backward()
    assert probs.grad is not None
    assert_close(probs.grad[0], torch.tensor([0.0, -1 / 0.3]))
    assert probs.grad.isfinite().all()


def test_a_power_leads_from_the_logarithm_to_a_linear_loss() -> None:
    probs, given, rates = (
        torch.tensor([[0.7, 0.3]]),
        torch.tensor([1]),
        torch.tensor([[0.8, 0.2], [0.4, 0.6]]),
    )
    likelihood = 0.7 * 0.2 + 0.3 * 0.6
    for power, expected in (
        (1.0, 1 - likelihood),
        (0.5, 2 * (1 - likelihood**0.5)),
        (1e-3, -math.log(likelihood)),
    ):
        assert float(noisy_label_loss(probs, given, rates, power)) == pytest.approx(expected, rel=1e-3)
    certain = torch.tensor([[1.0, 0.0]], requires_grad=True)
    noisy_label_loss(certain, given, torch.eye(2), 0.15).sum().backward()
    assert certain.grad is not None
    assert certain.grad.isfinite().all()


def test_a_label_that_noise_explains_teaches_less() -> None:
    """A doubted label pulls with 1 / q where labels are right, and at most T[y_hat, y_hat] / T[y, y_hat] elsewhere."""
    pulls = []
    for rates in (torch.eye(2), torch.tensor([[0.95, 0.05], [0.6, 0.4]])):
        probs = torch.tensor([[0.999, 0.001]], requires_grad=True)
        noisy_label_loss(probs, torch.tensor([1]), rates).sum().backward()
        assert probs.grad is not None
        pulls.append(-float(probs.grad[0, 1]))
    assert pulls == pytest.approx([1000.0, 0.4 / (0.999 * 0.05 + 0.001 * 0.4)], rel=1e-4)
    assert pulls[1] < 0.4 / 0.05

"""Densities agree with torch.distributions and with closed forms."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch.distributions import Bernoulli, Categorical, Normal, kl_divergence
from torch.testing import assert_close

from noiseaudit.densities import (
    kl_categorical,
    kl_standard_normal,
    log_bernoulli,
    log_normal,
    log_unit_normal,
    sample_normal,
)


@pytest.fixture
def draws() -> torch.Generator:
    return torch.Generator().manual_seed(5)


def test_log_normal_is_that_of_torch_summed_over_the_last_axis(draws: torch.Generator) -> None:
    value, mean, log_variance = (torch.randn(3, 4, 5, generator=draws) for _ in range(3))
    expected = Normal(mean, torch.exp(log_variance / 2)).log_prob(value).sum(-1)
    assert_close(log_normal(value, mean, log_variance), expected)
    assert log_normal(value, mean, log_variance).shape == (3, 4)


def test_log_normal_by_hand() -> None:
    # log N(3; 1, 4) = -0.5 log(2 pi 4) - (3 - 1)^2 / 8
    got = log_normal(torch.tensor([3.0]), torch.tensor([1.0]), torch.tensor([math.log(4.0)]))
    assert got.item() == pytest.approx(-0.5 * math.log(8 * math.pi) - 0.5)


def test_kl_to_the_standard_normal_is_torchs(draws: torch.Generator) -> None:
    mean, log_variance = torch.randn(6, 5, generator=draws), torch.randn(6, 5, generator=draws)
    posterior = Normal(mean, torch.exp(log_variance / 2))
    expected = kl_divergence(posterior, Normal(torch.zeros(5), torch.ones(5))).sum(-1)
    assert_close(kl_standard_normal(mean, log_variance), expected)


def test_kl_to_the_standard_normal_is_an_expected_log_ratio(draws: torch.Generator) -> None:
    """E_q[log q - log p] in closed form: log q averages to -H(q), log p to that of mean and variance."""
    mean, log_variance = torch.randn(5, generator=draws), torch.randn(5, generator=draws)
    zero = torch.zeros(5)
    minus_entropy = log_normal(mean, mean, log_variance) - 0.5 * 5
    cross = log_normal(mean, zero, zero) - 0.5 * torch.exp(log_variance).sum()
    assert_close(kl_standard_normal(mean, log_variance), minus_entropy - cross)
    assert kl_standard_normal(zero, zero) == 0


def test_log_bernoulli_is_torchs_on_binary_pixels(draws: torch.Generator) -> None:
    x = torch.randint(2, (3, 1, 4, 4), generator=draws).float()
    logits = torch.randn(3, 1, 4, 4, generator=draws)
    assert_close(log_bernoulli(x, logits), Bernoulli(logits=logits).log_prob(x).flatten(1).sum(1))


def test_log_bernoulli_of_grey_pixels_weighs_the_two_outcomes() -> None:
    got = log_bernoulli(torch.tensor([[0.25]]), torch.tensor([[0.0]]))
    assert got.item() == pytest.approx(math.log(0.5))
    got = log_bernoulli(torch.tensor([[0.25]]), torch.tensor([[math.log(3.0)]]))  # sigmoid = 3/4
    assert got.item() == pytest.approx(0.25 * math.log(0.75) + 0.75 * math.log(0.25))


LOGITS = [0.0, -0.0, 1e-8, 0.5, -3.0, 20.0, -20.0, 88.0, -88.0, 104.0, -104.0, 1e4, -1e4, 3e38, -3e38]


@pytest.mark.parametrize("pixel", [0.0, 0.25, 1.0])
def test_log_bernoulli_and_its_gradient_are_torchs_wherever_logits_lie(pixel: float) -> None:
    mine, theirs = (torch.tensor(LOGITS)[:, None].requires_grad_() for _ in range(2))
    x = torch.full_like(mine, pixel)
    got = log_bernoulli(x, mine)
    expected = -F.binary_cross_entropy_with_logits(theirs, x, reduction="none").squeeze(1)
    assert_close(got, expected, rtol=1e-6, atol=1e-7)
    got.sum().backward()
    expected.sum().backward()
    assert_close(mine.grad, theirs.grad, rtol=1e-6, atol=1e-7)


def test_log_bernoulli_is_differentiable_twice_and_by_x(draws: torch.Generator) -> None:
    x = torch.rand(2, 3, dtype=torch.float64, generator=draws).requires_grad_()
    logits = torch.randn(2, 3, dtype=torch.float64, generator=draws).requires_grad_()
    assert torch.autograd.gradcheck(log_bernoulli, (x, logits))
    assert torch.autograd.gradgradcheck(log_bernoulli, (x, logits))


def test_log_bernoulli_of_a_stack_is_that_of_each(draws: torch.Generator) -> None:
    x, logits = torch.rand(3, 2, 4, generator=draws), torch.randn(3, 2, 4, generator=draws)
    gradient = torch.func.vmap(torch.func.grad(lambda logit, pixel: log_bernoulli(pixel, logit).sum()))
    assert_close(gradient(logits, x), x - logits.sigmoid())
    shared = torch.func.vmap(log_bernoulli, in_dims=(0, None))(x, logits[0])
    assert_close(shared, torch.stack([log_bernoulli(each, logits[0]) for each in x]))


def test_log_unit_normal_is_torchs(draws: torch.Generator) -> None:
    x, mean = torch.randn(3, 2, 4, generator=draws), torch.randn(3, 2, 4, generator=draws)
    assert_close(log_unit_normal(x, mean), Normal(mean, 1.0).log_prob(x).flatten(1).sum(1))


def test_sample_normal_scales_by_the_standard_deviation() -> None:
    got = sample_normal(torch.tensor([1.0]), torch.tensor([math.log(9.0)]), torch.tensor([-2.0]))
    assert got.item() == pytest.approx(1.0 - 3.0 * 2.0)


def test_kl_categorical_is_torchs_and_zero_at_the_prior(draws: torch.Generator) -> None:
    log_probs = torch.randn(6, 4, generator=draws).log_softmax(1)
    prior = torch.tensor([0.1, 0.2, 0.3, 0.4])
    expected = kl_divergence(Categorical(logits=log_probs), Categorical(probs=prior))
    assert_close(kl_categorical(log_probs.exp(), log_probs, prior.log()), expected)
    assert_close(kl_categorical(prior, prior.log(), prior.log()), torch.tensor(0.0))

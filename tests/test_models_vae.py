"""The five networks: the marginal over y in chunks, and the class-conditional layers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.testing import assert_close

from noiseaudit.data.perturb import Draws
from noiseaudit.models import vae
from noiseaudit.models.classifier import Gaussian, dense
from noiseaudit.models.vae import ClassConditional, UMNNetworks

N_CLASSES, HIDDEN, ZA, ZB = 7, 8, 4, 3


@pytest.fixture
def networks() -> UMNNetworks:
    torch.manual_seed(0)
    return UMNNetworks(dense(5, HIDDEN, 2 * ZA), dense(ZA, HIDDEN, 5), torch.zeros(N_CLASSES), HIDDEN, ZA, ZB)


class Dealt(Draws):
    """Hands out slices of one noise tensor (B, C, Zb), so that chunked and whole draws can be compared."""

    def __init__(self, noise: Tensor, chunk: int = 0, start: int = 0) -> None:
        super().__init__(torch.Generator(), len(noise))
        self.noise, self.chunk, self.start, self.dealt = noise, chunk, start, list[int]()

    def normal(self, *shape: int) -> Tensor:
        self.dealt.append(shape[0])
        return self.noise[:, self.start : self.start + shape[0]]

    def fork(self) -> Callable[[], Draws]:
        fork = Dealt(self.noise, start=self.start)
        fork.dealt = self.dealt
        self.start += self.chunk
        return lambda: fork


def costs_and_gradients(networks: UMNNetworks, z_a: Tensor, draws: Draws) -> tuple[Tensor, list[Tensor]]:
    networks.zero_grad()
    z_a = z_a.clone().requires_grad_()
    costs = networks.class_costs(z_a, draws)
    weights = torch.linspace(-1, 1, costs.numel()).reshape(costs.shape)
    (costs * weights).sum().backward()
    conditional = [*networks.conditional_encoder.parameters(), *networks.conditional_decoder.parameters()]
    return costs.detach(), [p.grad.clone() for p in (z_a, *conditional) if p.grad is not None]


@pytest.mark.parametrize(("classes_a_chunk", "chunks"), [(1, [1] * 7), (3, [3, 3, 1]), (6, [6, 1])])
def test_chunks_equal_the_whole_in_value_and_gradient(
    networks: UMNNetworks, monkeypatch: pytest.MonkeyPatch, classes_a_chunk: int, chunks: list[int]
) -> None:
    batch = 5
    z_a, noise = torch.randn(batch, ZA), torch.randn(batch, N_CLASSES, ZB)
    whole = Dealt(noise)
    costs, gradients = costs_and_gradients(networks, z_a, whole)
    assert whole.dealt == [N_CLASSES]

    monkeypatch.setattr(vae, "ACTIVATION_BUDGET", classes_a_chunk * batch * HIDDEN)
    parts = Dealt(noise, classes_a_chunk)
    chunked_costs, chunked_gradients = costs_and_gradients(networks, z_a, parts)
    assert parts.dealt == [*chunks, *reversed(chunks)]  # once forward, once again in the backward pass
    assert_close(chunked_costs, costs)
    assert len(gradients) == 1 + 2 * 5
    for chunked, full in zip(chunked_gradients, gradients, strict=True):
        assert_close(chunked, full)


def test_chunks_do_not_depend_on_how_a_batch_is_shared_out(
    networks: UMNNetworks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vae, "ACTIVATION_BUDGET", 3 * 6 * HIDDEN)
    z_a = torch.randn(6, ZA)

    def costs(part: slice) -> Tensor:
        return networks.class_costs(z_a[part], Draws(torch.Generator().manual_seed(1), 6, part)).detach()

    assert_close(torch.cat([costs(slice(0, 2)), costs(slice(2, 6))]), costs(slice(None)))


def test_a_budget_below_one_class_still_goes_class_by_class(
    networks: UMNNetworks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vae, "ACTIVATION_BUDGET", 1)
    assert networks.class_costs(torch.randn(2, ZA), Draws(torch.Generator(), 2)).shape == (2, N_CLASSES)


def test_class_costs_are_a_loop_over_the_classes(networks: UMNNetworks) -> None:
    z_a, noise = torch.randn(3, ZA), torch.randn(3, N_CLASSES, ZB)
    costs = networks.class_costs(z_a, Dealt(noise))
    for y in range(N_CLASSES):
        only = torch.tensor([y])
        q_zb = networks.conditional_encoder(z_a.unsqueeze(1), only)
        z_b = q_zb.mean + torch.exp(q_zb.log_variance / 2) * noise[:, y : y + 1]
        p_za = networks.conditional_decoder(z_b, only)
        kl = torch.distributions.kl_divergence(
            torch.distributions.Normal(q_zb.mean, torch.exp(q_zb.log_variance / 2)),
            torch.distributions.Normal(torch.zeros(ZB), torch.ones(ZB)),
        ).sum((1, 2))
        log_p = torch.distributions.Normal(p_za.mean[:, 0], torch.exp(p_za.log_variance[:, 0] / 2)).log_prob(
            z_a
        )
        assert_close(costs[:, y], kl - log_p.sum(1))


def test_a_final_batch_of_one_row_works(networks: UMNNetworks) -> None:
    x = torch.rand(1, 5)
    q_za = networks.encode(x)
    assert q_za.mean.shape == (1, ZA)
    assert networks.classify(q_za.mean).shape == (1, N_CLASSES)
    draws = Draws(torch.Generator().manual_seed(0), 1)
    assert networks.class_costs(q_za.mean, draws).shape == (1, N_CLASSES)


def test_class_conditional_is_a_linear_layer_on_input_and_one_hot_class() -> None:
    torch.manual_seed(0)
    layer = ClassConditional(ZA, N_CLASSES, HIDDEN, ZB)
    joined = nn.Linear(ZA + N_CLASSES, HIDDEN)
    joined.weight.data = torch.cat([layer.input.weight, layer.label.weight.T], dim=1).detach()
    joined.bias.data = layer.input.bias.detach()
    classes = torch.tensor([2, 6, 0])
    for value in (torch.randn(4, 1, ZA), torch.randn(4, 3, ZA)):
        one_hot = F.one_hot(classes, N_CLASSES).float().expand(4, 3, -1)
        together = torch.cat([value.expand(4, 3, -1), one_hot], dim=-1)
        expected = layer.output(torch.relu(joined(together)))
        got = layer(value, classes)
        assert_close(got.mean, expected[..., :ZB])
        assert_close(got.log_variance, expected[..., ZB:])


def test_log_variances_are_limited() -> None:
    got = Gaussian.of(torch.tensor([[1.0, 2.0, -50.0, 50.0]]))
    assert got.mean.tolist() == [[1.0, 2.0]]
    assert got.log_variance.tolist() == [[-6.0, 6.0]]

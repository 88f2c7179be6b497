"""The five networks: the sum over y in blocks of rows, and the class-conditional layers."""

from __future__ import annotations

from itertools import product

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.testing import assert_close

from noiseaudit import marginal
from noiseaudit.data.perturb import Draws, ReplayedDraws
from noiseaudit.models import vae
from noiseaudit.models.classifier import Gaussian, dense
from noiseaudit.models.vae import ClassConditional, UMNNetworks

N_CLASSES, HIDDEN, ZA, ZB = 7, 8, 4, 3


@pytest.fixture
def networks() -> UMNNetworks:
    torch.manual_seed(0)
    return UMNNetworks(dense(5, HIDDEN, 2 * ZA), dense(ZA, HIDDEN, 5), torch.zeros(N_CLASSES), HIDDEN, ZA, ZB)


def term_and_gradients(networks: UMNNetworks, z_a: Tensor, draws: Draws) -> list[Tensor]:
    """objective.conditional_term's mean, and its gradients by all that it depends on."""
    networks.zero_grad()
    logits = torch.linspace(-1, 1, len(z_a) * N_CLASSES).reshape(len(z_a), -1).sin().requires_grad_()
    z_a, log_q = z_a.clone().requires_grad_(), torch.linspace(0, 1, len(z_a)).requires_grad_()
    given = torch.arange(len(z_a)) % N_CLASSES
    term = networks.conditional_term(z_a, logits.softmax(1), log_q, given, draws)
    (2 * term).backward()
    conditional = [*networks.conditional_encoder.parameters(), *networks.conditional_decoder.parameters()]
    return [
        term.detach(),
        *(p.grad.clone() for p in (z_a, logits, log_q, *conditional) if p.grad is not None),
    ]


@pytest.mark.parametrize(("rows_a_block", "blocks"), [(1, [1] * 5), (2, [2, 2, 1]), (3, [3, 2]), (4, [3, 2])])
@pytest.mark.parametrize("exact", [True, False])
def test_blocks_of_rows_equal_the_whole_in_value_and_gradient(
    networks: UMNNetworks, monkeypatch: pytest.MonkeyPatch, rows_a_block: int, blocks: list[int], exact: bool
) -> None:
    seen = []
    whole = UMNNetworks.class_costs

    def counted(self: UMNNetworks, z_a: Tensor, *rest: Tensor) -> Tensor:
        seen.append(len(z_a))
        return whole(self, z_a, *rest)

    monkeypatch.setattr(UMNNetworks, "class_costs", counted)
    if not exact:
        for name, value in (("TOP", 2), ("SAMPLED", 3), ("EXACT_CLASSES", N_CLASSES - 1)):
            monkeypatch.setattr(marginal, name, value)
    z_a, columns = torch.randn(5, ZA), N_CLASSES if exact else 5
    together = term_and_gradients(networks, z_a, Draws(torch.Generator().manual_seed(1), 5))
    assert seen == [5]
    monkeypatch.setattr(vae, "CPU_BLOCK", rows_a_block * columns * HIDDEN)
    apart = term_and_gradients(networks, z_a, Draws(torch.Generator().manual_seed(1), 5))
    assert seen[1:] == blocks
    assert len(together) == 1 + 3 + 2 * 5
    assert_close(apart, together)


def test_a_stack_is_never_split(networks: UMNNetworks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vae, "CPU_BLOCK", 1)
    noise = torch.randn(5, N_CLASSES, ZB)
    monkeypatch.setattr(
        vae, "mean_over_rows", lambda _function, _rows, _parameters, block: torch.tensor(block)
    )
    found = networks.conditional_term(
        torch.randn(5, ZA),
        torch.ones(5, N_CLASSES),
        torch.ones(5),
        torch.arange(5),
        ReplayedDraws([noise], 5),
    )
    assert int(found) == 5


def test_a_block_below_one_row_still_goes_row_by_row(
    networks: UMNNetworks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vae, "CPU_BLOCK", 1)
    assert term_and_gradients(networks, torch.randn(2, ZA), Draws(torch.Generator(), 2))[0].isfinite()


def test_class_costs_are_a_loop_over_the_classes(networks: UMNNetworks) -> None:
    z_a, noise = torch.randn(3, ZA), torch.randn(3, N_CLASSES, ZB)
    costs = networks.class_costs(z_a, noise, torch.arange(N_CLASSES))
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
    probs, log_q = torch.full((1, N_CLASSES), 1 / N_CLASSES), torch.zeros(1)
    assert networks.conditional_term(q_za.mean, probs, log_q, torch.tensor([-1]), draws).shape == ()


def test_class_conditional_is_a_linear_layer_on_input_and_one_hot_class() -> None:
    torch.manual_seed(0)
    layer = ClassConditional(ZA, N_CLASSES, HIDDEN, ZB)
    joined = nn.Linear(ZA + N_CLASSES, HIDDEN)
    joined.weight.data = torch.cat([layer.input.weight, layer.label.weight.T], dim=1).detach()
    joined.bias.data = layer.input.bias.detach()
    classes = torch.tensor([2, 6, 0])
    each = torch.tensor([[2, 6, 0], [1, 1, 1], [0, 2, 6], [5, 4, 3]])  # of every row its own
    for value, chosen in product((torch.randn(4, 1, ZA), torch.randn(4, 3, ZA)), (classes, each)):
        one_hot = F.one_hot(chosen, N_CLASSES).float().expand(4, 3, -1)
        together = torch.cat([value.expand(4, 3, -1), one_hot], dim=-1)
        expected = layer.output(torch.relu(joined(together)))
        got = layer(value, chosen)
        assert_close(got.mean, expected[..., :ZB])
        assert_close(got.log_variance, expected[..., ZB:])


def test_log_variances_are_limited() -> None:
    got = Gaussian.of(torch.tensor([[1.0, 2.0, -50.0, 50.0]]))
    assert got.mean.tolist() == [[1.0, 2.0]]
    assert got.log_variance.tolist() == [[-6.0, 6.0]]

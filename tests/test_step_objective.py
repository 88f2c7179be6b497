"""A step of umn_plus against the equations written out with torch.distributions, in float64, from the same draws."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch
from torch import Tensor
from torch.distributions import Categorical, Normal, kl_divergence
from torch.testing import assert_close

from noiseaudit.data.perturb import Draws, RecordedDraws, ReplayedDraws
from noiseaudit.data.training import Batch, TrainingData
from noiseaudit.methods.base import Setup
from noiseaudit.methods.umn_plus import UMNPlus
from noiseaudit.models import vae
from noiseaudit.models.classifier import Gaussian
from noiseaudit.models.vae import UMNNetworks
from noiseaudit.runtime import training_runtime

B, D, N_CLASSES, CPU = 8, 70, 3, torch.device("cpu")


def made() -> tuple[UMNPlus, Batch]:
    x = torch.randn(B, D, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    given = torch.tensor([0, 1, 2, 0, -1, 1, -1, 2])
    data = TrainingData(x, torch.arange(B), given, N_CLASSES)
    settings = dataclasses.replace(UMNPlus.settings(data.inputs), hidden=16, latent_a=5, latent_b=4)
    assert settings.input_dropout > 0
    torch.set_default_dtype(torch.float64)
    try:
        method = UMNPlus(Setup(data, "embeddings", 0, CPU), settings)
    finally:
        torch.set_default_dtype(torch.float32)
    with torch.no_grad():  # a Guider of its own
        for value in method.guider.parameters():
            value.mul_(0.9)
    return method, data.batch(torch.arange(B), CPU)


def normal(gaussian: Gaussian) -> Normal:
    return Normal(gaussian.mean, torch.exp(gaussian.log_variance / 2))


def written_out(
    method: UMNPlus, learner: UMNNetworks, batch: Batch, numbers: list[Tensor], ramp: float
) -> dict[str, Tensor]:
    """Each weighted term; rows and classes one by one."""
    values = method.values
    eta, bits, of_z, of_zb = numbers
    share = values.input_dropout
    kept = bits.double() >= round(share * 2**16) - 2**15
    seen = [x * k / (1 - share) + values.input_noise * e for x, k, e in zip(batch.x, kept, eta, strict=True)]
    others = [batch.x[i] * kept[i - 1] / (1 - share) + values.input_noise * eta[i - 1] for i in range(B)]
    guided = method.guider.predict(torch.stack(others))[0].detach()
    q_za = normal(learner.encode(torch.stack(seen)))
    z_a = q_za.mean + q_za.stddev * of_z
    q_y = Categorical(logits=learner.classify(z_a))
    reconstruction, conditional = [], []
    for row in range(0, B, 4):
        z = z_a[row : row + 1]
        drawn = learner.decoder(z)[0]
        reconstruction.append(-Normal(drawn, torch.ones_like(drawn)).log_prob(batch.x[row]).sum())
        cost = q_za.log_prob(z_a)[row].sum()
        for y in range(N_CLASSES):
            q_zb = normal(learner.conditional_encoder(z[:, None], torch.tensor([y])))
            z_b = q_zb.mean + q_zb.stddev * of_zb[row // 4, y]
            p_za = normal(learner.conditional_decoder(z_b, torch.tensor([y])))
            kl = kl_divergence(q_zb, Normal(torch.zeros(4), torch.ones(4))).sum()
            cost = cost + q_y.probs[row, y] * (kl - p_za.log_prob(z[:, None]).sum())
        conditional.append(cost)
    labelled = []
    for row, y in enumerate(batch.given.tolist()):
        if y >= 0:
            epsilon = (guided[row, y] - q_y.probs[row, y]).abs().clamp(0.01, 0.99).detach()
            labelled.append(-torch.log((N_CLASSES - 1) * (1 - epsilon) / epsilon) * q_y.probs[row, y])
    prior = Categorical(logits=learner.log_prior)
    return {
        "reconstruction": values.generative_weight * sum(reconstruction) / len(reconstruction),
        "conditional": values.generative_weight * sum(conditional) / len(conditional),
        "label_kl": values.label_kl_weight * kl_divergence(Categorical(probs=q_y.probs.mean(0)), prior),
        "labelled": values.alpha * sum(labelled) / len(labelled),
        "consistency": ramp * values.consistency_weight * ((q_y.probs - guided) ** 2).sum(1).mean(),
        "entropy": ramp * values.entropy_weight * q_y.entropy().mean(),
    }  # fmt: skip


@pytest.mark.parametrize("block", [vae.CPU_BLOCK, 1])
def test_a_step_is_the_equations_in_value_and_gradient(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(vae, "CPU_BLOCK", block)
    method, batch = made()
    source = RecordedDraws(B, CPU)
    with training_runtime(threads=1):
        method.terms(method.learner, method.guider, batch, source, 0.1)
        dealer = Draws(torch.Generator().manual_seed(3), B)
        numbers = [dealer.numbers(*request) for request in source.requests]
        assert [kind for kind, _ in source.requests] == ["normal", "bits", "normal", "normal"]
        ramp = math.exp(-5 * (1 - 0.1 / 0.25) ** 2)
        expected = written_out(method, method.learner, batch, [each.clone() for each in numbers], ramp)
        replayed = ReplayedDraws(numbers, B)
        monkeypatch.setattr(replayed, "may_be_split", True)
        found = method.terms(method.learner, method.guider, batch, replayed, 0.1)
        assert list(found) == list(expected)
        assert_close(found, expected, rtol=1e-10, atol=1e-10)
        parameters = list(method.learner.parameters())
        for mine, theirs in zip(
            *(
                torch.autograd.grad(torch.stack(list(terms.values())).sum(), parameters)
                for terms in (found, expected)
            ),
            strict=True,
        ):
            assert_close(mine, theirs, rtol=1e-8, atol=1e-10)

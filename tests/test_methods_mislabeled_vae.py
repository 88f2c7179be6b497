"""What is the Mislabeled VAE's own, beyond the contract of every method."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from noiseaudit import objective
from noiseaudit.config import with_overrides
from noiseaudit.data.inputs import SOME_IMAGES
from noiseaudit.data.perturb import Draws
from noiseaudit.data.training import Batch, TrainingData
from noiseaudit.densities import sample_normal
from noiseaudit.errors import ConfigError
from noiseaudit.methods.base import Setup
from noiseaudit.methods.mislabeled_vae import MislabeledVAE, noise_channel_loss
from noiseaudit.methods.umn import UMN
from noiseaudit.runtime import training_runtime
from noiseaudit.stack import Stack

N_CLASSES, CPU = 4, torch.device("cpu")
SMALL = {"hidden": 16, "latent_a": 5, "latent_b": 3}


@pytest.fixture(autouse=True)
def _quick() -> Iterator[None]:
    with training_runtime(threads=1):
        yield


def setup(
    rate: float | None = 0.3, backbone: str = "mlp", shape: tuple[int, ...] = (1, 6, 6), seed: int = 0
) -> Setup:
    data = TrainingData(torch.zeros(8, *shape), torch.arange(8), torch.arange(8) % N_CLASSES, N_CLASSES)
    return Setup(data, backbone, seed, CPU, noise_rate=rate)


def make(given: Setup, **overrides: object) -> MislabeledVAE:
    settings = MislabeledVAE.settings(given.data.inputs)
    return MislabeledVAE(given, with_overrides(settings, SMALL | overrides))


def toy(n: int = 8) -> Batch:
    x = torch.rand(n, 1, 6, 6, generator=torch.Generator().manual_seed(0))
    return Batch(x, torch.arange(n) % N_CLASSES, torch.arange(n))


def channel(rate: float) -> list[list[float]]:
    """p(y_hat|y), rows y."""
    return [
        [1 - rate if y_hat == y else rate / (N_CLASSES - 1) for y_hat in range(N_CLASSES)]
        for y in range(N_CLASSES)
    ]


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.75, 0.9])
def test_the_noise_channel_is_summed_over_the_true_label(rate: float) -> None:
    probs = torch.tensor([[0.4, 0.3, 0.2, 0.1], [0.97, 0.01, 0.01, 0.01], [0.0, 0.0, 1.0, 0.0]])
    given = torch.tensor([1, 0, 3])
    got = noise_channel_loss(probs, given, torch.tensor(rate))
    for i, y_hat in enumerate(given.tolist()):
        expected = -sum(float(probs[i, y]) * math.log(channel(rate)[y][y_hat]) for y in range(N_CLASSES))
        assert got[i].item() == pytest.approx(expected, rel=1e-5)


def test_the_channel_is_a_distribution_of_the_observed_label() -> None:
    """With y known, exp(-loss) is p(y_hat|y) itself."""
    known, every = torch.eye(N_CLASSES), torch.arange(N_CLASSES)
    found = torch.stack(
        [torch.exp(-noise_channel_loss(known, every.roll(k), torch.tensor(0.3))) for k in every]
    )
    assert_close(found.sum(0), torch.ones(N_CLASSES))
    assert_close(found[0], torch.full((N_CLASSES,), 0.7))


def test_the_term_is_eq_6_with_the_rate_for_epsilon() -> None:
    probs = torch.randn(5, N_CLASSES, generator=torch.Generator().manual_seed(1)).softmax(1)
    given, rate = torch.tensor([0, 1, 2, 3, 0]), 0.2
    weight = torch.full((5,), math.log(0.8 * 3 / 0.2))
    expected = objective.labelled_term(probs, given, weight) - math.log(0.2 / 3)
    assert_close(noise_channel_loss(probs, given, torch.tensor(rate)), expected)


def test_the_terms_in_y_are_a_bound_that_the_exact_posterior_reaches() -> None:
    """At q(y) = p(y) p(y_hat|y) exp(-cost) / Z they sum to -log Z, and to more anywhere else."""
    draws = torch.Generator().manual_seed(2)
    cost, given, rate = torch.randn(3, N_CLASSES, generator=draws), torch.tensor([2, 0, 1]), 0.3
    prior = torch.tensor([0.4, 0.3, 0.2, 0.1]).log()
    log_joint = prior - cost + torch.tensor(channel(rate)).log()[:, given].T

    def bound(probs: Tensor) -> Tensor:
        y_terms = objective.conditional_term(probs, cost, torch.zeros(3))
        label_kl = objective.label_kl_per_sample(probs, probs.log(), prior)
        return y_terms + label_kl + noise_channel_loss(probs, given, torch.tensor(rate))

    assert_close(bound(log_joint.softmax(1)), -log_joint.logsumexp(1))
    for _ in range(20):
        other = torch.randn(3, N_CLASSES, generator=draws).softmax(1)
        assert bool((bound(other) > -log_joint.logsumexp(1)).all())


def test_the_terms_of_a_step_by_hand() -> None:
    """The rate is the one given, the mean goes over the labelled rows, and the weights weigh."""
    plain, weighed = (
        make(setup(), input_noise=0.0),
        make(setup(), input_noise=0.0, alpha=3.0, label_kl_weight=2.0),
    )
    batch = toy()._replace(given=torch.tensor([1, -1, -1, 3, -1, -1, -1, -1]))
    q_za = plain.learner.encode(batch.x)
    z_a = sample_normal(*q_za, Draws(torch.Generator().manual_seed(5), 8).normal(5))
    probs = plain.learner.classify(z_a).softmax(1).detach()

    def terms(method: MislabeledVAE) -> dict[str, float]:
        draws = Draws(torch.Generator().manual_seed(5), 8)
        found = method.terms(method.learner, method.guider, batch, draws, 0.0)
        return {name: value.item() for name, value in found.items()}

    found = terms(plain)
    assert list(found) == ["reconstruction", "conditional", "label_kl", "labelled"]
    rows = [
        -sum(float(probs[row, y]) * math.log(channel(0.3)[y][y_hat]) for y in range(N_CLASSES))
        for row, y_hat in [(0, 1), (3, 3)]
    ]
    assert found["labelled"] == pytest.approx(sum(rows) / 2, rel=1e-5)
    label_kl = float((probs * (probs * N_CLASSES).log()).sum(1).mean())
    assert found["label_kl"] == pytest.approx(label_kl, rel=1e-4, abs=1e-7)
    expected = found | {"label_kl": 2 * found["label_kl"], "labelled": 3 * found["labelled"]}
    assert terms(weighed) == pytest.approx(expected)


def test_the_networks_are_umns() -> None:
    """The same layers, and from the same seed the same values."""
    umn = UMN(setup(), with_overrides(UMN.settings(SOME_IMAGES), SMALL)).learner.state_dict()
    mine = make(setup()).learner.state_dict()
    assert mine.pop("noise_rate").item() == pytest.approx(0.3)
    assert list(mine) == list(umn)
    assert all(torch.equal(value, umn[name]) for name, value in mine.items())


@pytest.mark.parametrize(
    ("shape", "backbone", "name"),
    [
        ((1, 6, 6), "mlp", "log_bernoulli"),
        ((3, 6, 6), "mlp", "log_unit_normal"),
        ((8,), "embeddings", "log_unit_normal"),
    ],
)
def test_grey_images_are_bernoulli_and_all_else_gaussian(
    shape: tuple[int, ...], backbone: str, name: str
) -> None:
    assert make(setup(0.3, backbone, shape)).log_likelihood.__name__ == name


def test_runs_of_other_rates_can_be_trained_as_one() -> None:
    rates, batch = [0.1, 0.5], toy()
    alone = [make(setup(rate)) for rate in rates]
    stack = Stack([make(setup(rate)) for rate in rates])
    for step in range(5):
        together = stack.step([batch, batch], step / 5)
        for run, method in enumerate(alone):
            assert_close(together["loss"][run], method.step(batch, step / 5)["loss"], rtol=1e-4, atol=1e-4)
    first, second = stack.predict(batch.x)
    assert not torch.allclose(first.learner, second.learner, atol=1e-4)
    for method, predicted in zip(alone, (first, second), strict=True):
        assert_close(predicted.learner, method.predict(batch.x).learner, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("rate", [None, 0.0, 1.0, -0.1, math.nan])
def test_a_rate_is_needed(rate: float | None) -> None:
    with pytest.raises(
        ConfigError, match="needs the share" if rate is None else "--noise-rate is out of range"
    ):
        make(setup(rate))


@pytest.mark.parametrize(("name", "value"), [("alpha", 0.0), ("generative_weight", -1.0), ("latent_b", 0)])
def test_settings_out_of_range_are_refused(name: str, value: float) -> None:
    with pytest.raises(ConfigError, match=f"--set {name} is out of range"):
        make(setup(), **{name: value})

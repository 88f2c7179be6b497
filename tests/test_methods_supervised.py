"""What is supervised learning's own, beyond the contract of every method."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from noiseaudit.config import with_overrides
from noiseaudit.data.inputs import SOME_IMAGES
from noiseaudit.data.perturb import Draws
from noiseaudit.data.training import Batch, TrainingData
from noiseaudit.errors import ConfigError
from noiseaudit.methods.base import Setup
from noiseaudit.methods.supervised import LinearOnFeatures, Supervised
from noiseaudit.methods.umn import UMN
from noiseaudit.runtime import training_runtime
from noiseaudit.stack import Stack

N_CLASSES, CPU = 3, torch.device("cpu")


@pytest.fixture(autouse=True)
def _quick() -> Iterator[None]:
    with training_runtime(threads=1):
        yield


def make(
    backbone: str = "mlp", shape: tuple[int, ...] = (1, 6, 6), seed: int = 0, **overrides: object
) -> Supervised:
    data = TrainingData(torch.zeros(6, *shape), torch.arange(6), torch.arange(6) % N_CLASSES, N_CLASSES)
    settings = with_overrides(Supervised.settings(data.inputs), overrides)
    return Supervised(Setup(data, backbone, seed, CPU), settings)


def toy(shape: tuple[int, ...] = (1, 6, 6), n: int = 6) -> Batch:
    x = torch.rand(n, *shape, generator=torch.Generator().manual_seed(0))
    return Batch(x, torch.arange(n) % N_CLASSES, torch.arange(n))


def test_the_loss_is_the_cross_entropy_of_the_labelled_rows() -> None:
    trained = make(input_noise=0.0)
    batch = toy()._replace(given=torch.tensor([2, -1, 0, -1, -1, -1]))
    probs = trained.predict(batch.x).learner
    draws = Draws(torch.Generator(), 6)
    terms = trained.terms(trained.learner, trained.guider, batch, draws, 0.0)
    assert list(terms) == ["labelled"]
    expected = -(math.log(probs[0, 2]) + math.log(probs[2, 0])) / 2
    assert terms["labelled"].item() == pytest.approx(expected, rel=1e-5)


def test_the_shared_network_is_the_one_of_the_other_methods() -> None:
    trained = make()
    umn = UMN(
        Setup(TrainingData(toy().x, torch.arange(6), toy().given, N_CLASSES), "mlp", 0, CPU),
        UMN.settings(SOME_IMAGES),
    )
    theirs = umn.learner.state_dict()
    mine = trained.learner.state_dict()
    assert {name: value.shape for name, value in mine.items()} == {
        name: value.shape for name, value in theirs.items() if name.startswith(("encoder", "classifier"))
    }


@pytest.mark.parametrize("backbone", ["mlp", "embeddings"])
def test_the_papers_dense_network_has_one_hidden_layer_of_784_units(backbone: str) -> None:
    shape = (1, 28, 28) if backbone == "mlp" else (20,)
    trained = make(backbone, shape, network="paper", hidden=7)
    linear = [part for part in trained.learner.modules() if isinstance(part, nn.Linear)]
    size = math.prod(shape)
    assert [(layer.in_features, layer.out_features) for layer in linear] == [(size, 784), (784, N_CLASSES)]
    assert sum(isinstance(part, nn.ReLU) for part in trained.learner.modules()) == 1
    batch = toy(shape)
    (hidden, output), flat = linear, batch.x.flatten(1)
    by_hand = output(hidden(flat).relu()).softmax(1)
    predicted = trained.predict(batch.x)
    assert_close(predicted.learner, by_hand.detach())
    assert_close(predicted.latent, hidden(flat).relu().detach())


@pytest.mark.parametrize(("backbone", "n_features"), [("conv13", 128), ("resnet101", 2048)])
def test_s_1_and_s_2_are_the_backbones_features_and_a_linear_layer(backbone: str, n_features: int) -> None:
    trained = make(backbone, (3, 16, 16), network="paper")
    last = trained.learner.classifier
    assert isinstance(last, nn.Linear)
    assert (last.in_features, last.out_features) == (n_features, N_CLASSES)
    batch = toy((3, 16, 16), n=2)
    before = last.weight.detach().clone()
    trained.step(batch, 0.0)
    assert not torch.equal(last.weight, before)
    predicted = trained.predict(batch.x)
    assert predicted.latent.shape == (2, n_features)
    assert_close(predicted.learner, last(predicted.latent).softmax(1).detach())


def test_features_are_what_the_last_layer_saw() -> None:
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 9))
    x = torch.rand(2, 4, generator=torch.Generator().manual_seed(0))
    expected = encoder[:-1](x)
    assert torch.equal(LinearOnFeatures(encoder, 3).features(x), expected)


@pytest.mark.parametrize("network", ["shared", "paper"])
def test_unlabelled_rows_are_ignored(network: str) -> None:
    batch = toy()._replace(given=torch.tensor([0, 1, 2, -1, -1, -1]))
    other = batch.x.clone()
    other[3:] = 1 - other[3:]

    def outputs(x: Tensor) -> Tensor:
        trained = make(network=network)
        for step in range(3):
            trained.step(batch._replace(x=x), step / 3)
        return trained.predict(batch.x).learner

    assert torch.equal(outputs(batch.x), outputs(other))


def test_runs_with_the_papers_network_can_be_trained_as_one() -> None:
    alone = [make(seed=seed, network="paper") for seed in range(2)]
    stack = Stack([make(seed=seed, network="paper") for seed in range(2)])
    batch = toy()
    for step in range(3):
        stack.step([batch, batch], step / 3)
        for method in alone:
            method.step(batch, step / 3)
    for method, predicted in zip(alone, stack.predict(batch.x), strict=True):
        assert_close(predicted.learner, method.predict(batch.x).learner, atol=1e-5, rtol=1e-4)
        assert predicted.latent.shape == (6, 784)


def test_an_unknown_network_is_refused() -> None:
    with pytest.raises(ConfigError, match="no such choice 'papers'"):
        make(network="papers")

"""Every method keeps the contract of methods/base.py."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from noiseaudit.config import with_overrides
from noiseaudit.data.training import Batch, TrainingData
from noiseaudit.methods import METHODS
from noiseaudit.methods.base import Method, Setup
from noiseaudit.models import BACKBONES
from noiseaudit.runtime import training_runtime

N_CLASSES = 3
ROWS = 48
CASES = [
    (method, backbone, shape)
    for method in METHODS
    for backbone, shape in [("mlp", (1, 6, 6)), ("embeddings", (8,)), ("resnet18", (3, 8, 8))]
]
FEATURE_BACKBONES = ("embeddings", "pretrained")
QUICK = [case for case in CASES if case[1] != "resnet18"]


@pytest.fixture(autouse=True)
def _quick() -> Iterator[None]:
    with training_runtime(threads=1):
        yield


def make(method: str, backbone: str = "mlp", shape: tuple[int, ...] = (1, 6, 6), seed: int = 0) -> Method:
    kind = METHODS[method]
    x, given, _ = toy(shape)
    data = TrainingData(x, torch.arange(ROWS), given, N_CLASSES, trusted=torch.arange(ROWS) < 2 * N_CLASSES)
    settings = with_overrides(kind.settings(data.inputs), {"hidden": 32, "latent_a": 6})
    return kind(Setup(data, backbone, seed, torch.device("cpu"), noise_rate=0.2), settings)


def toy(shape: tuple[int, ...], n: int = ROWS, seed: int = 0) -> Batch:
    """Three well separated classes: which third of the columns is bright."""
    draws = torch.Generator().manual_seed(seed)
    third = (torch.arange(shape[-1]) * N_CLASSES).div(shape[-1], rounding_mode="floor")
    bright = (third == torch.arange(N_CLASSES).unsqueeze(1)).float() * 0.8 + 0.1
    centres = bright.view(N_CLASSES, *[1] * (len(shape) - 1), shape[-1]).expand(N_CLASSES, *shape)
    given = torch.arange(n) % N_CLASSES
    x = (centres[given] + 0.05 * torch.randn(n, *shape, generator=draws)).clamp(0, 1)
    return Batch(x if len(shape) == 3 else (x - x.mean(0)) / x.std(0), given, torch.arange(n))


def train(method: Method, batch: Batch, steps: int) -> list[float]:
    return [float(method.step(batch, step / steps)["loss"]) for step in range(steps)]


def outputs(method: Method, x: Tensor) -> list[Tensor]:
    return list(method.predict(x))


def same(a: list[Tensor], b: list[Tensor]) -> bool:
    return all(torch.equal(one, other) for one, other in zip(a, b, strict=True))


@pytest.mark.parametrize(("method", "backbone", "shape"), QUICK)
def test_training_learns_the_classes(method: str, backbone: str, shape: tuple[int, ...]) -> None:
    """On rows that it has not seen, Learner and Guider both."""
    trained, batch, unseen = make(method, backbone, shape), toy(shape), toy(shape, seed=1)

    def errors() -> list[float]:
        learner, guider, _ = trained.predict(unseen.x)
        return [float((probs.argmax(1) != unseen.given).float().mean()) for probs in (learner, guider)]

    assert min(errors()) > 0.3
    train(trained, batch, 300)
    assert max(errors()) < 0.05


@pytest.mark.parametrize(("method", "backbone", "shape"), CASES)
def test_predictions_are_probabilities_in_float32(method: str, backbone: str, shape: tuple[int, ...]) -> None:
    trained = make(method, backbone, shape)
    predicted = trained.predict(toy(shape, n=5).x)
    for probs in (predicted.learner, predicted.guider):
        assert probs.shape == (5, N_CLASSES)
        assert probs.dtype == torch.float32
        assert not probs.requires_grad
        assert_close(probs.sum(1), torch.ones(5))
        assert bool((probs >= 0).all())
    assert len(predicted.latent) == 5
    assert predicted.latent.ndim == 2
    assert predicted.latent.dtype == torch.float32
    assert not predicted.latent.requires_grad


@pytest.mark.parametrize(("method", "backbone", "shape"), CASES)
def test_the_guider_is_told_apart_where_there_is_one(
    method: str, backbone: str, shape: tuple[int, ...]
) -> None:
    trained, batch = make(method, backbone, shape), toy(shape, n=6)
    train(trained, batch, 4)
    learner, guider, _ = trained.predict(batch.x)
    assert torch.equal(learner, guider) != METHODS[method].has_guider


@pytest.mark.parametrize(("method", "backbone", "shape"), CASES)
def test_predicting_changes_nothing(method: str, backbone: str, shape: tuple[int, ...]) -> None:
    """BatchNorm's buffers, the random draws and the training mode included."""
    trained, untouched, batch = make(method, backbone, shape), make(method, backbone, shape), toy(shape, n=6)
    train(trained, batch, 2)
    train(untouched, batch, 2)
    first = outputs(trained, batch.x)
    assert same(first, outputs(trained, batch.x))
    assert train(trained, batch, 2) == train(untouched, batch, 2)
    assert same(outputs(trained, batch.x), outputs(untouched, batch.x))


@pytest.mark.parametrize(("method", "backbone", "shape"), CASES)
def test_a_prediction_does_not_depend_on_its_batch(
    method: str, backbone: str, shape: tuple[int, ...]
) -> None:
    trained, batch = make(method, backbone, shape), toy(shape, n=6)
    train(trained, batch, 2)
    whole = trained.predict(batch.x)
    one = trained.predict(batch.x[3:4])
    assert_close(one.guider[0], whole.guider[3])
    assert_close(one.learner[0], whole.learner[3])


@pytest.mark.parametrize(("method", "backbone", "shape"), CASES)
def test_the_seed_decides_every_bit(method: str, backbone: str, shape: tuple[int, ...]) -> None:
    batch = toy(shape, n=6)

    def run(seed: int) -> list[Tensor]:
        torch.rand(1)  # the global generator is elsewhere each time
        trained = make(method, backbone, shape, seed)
        train(trained, batch, 3)
        return outputs(trained, batch.x)

    assert same(run(1), run(1))
    assert not same(run(1), run(2))


@pytest.mark.parametrize(("method", "backbone", "shape"), CASES)
@pytest.mark.parametrize("labelled", [0, 2, 6])
def test_any_share_of_labels_will_do(
    method: str, backbone: str, shape: tuple[int, ...], labelled: int
) -> None:
    """None labelled, some, all: losses are finite and predictions stay so."""
    batch = toy(shape, n=6)
    given = torch.where(torch.arange(6) < labelled, batch.given, -1)
    trained = make(method, backbone, shape)
    losses = trained.step(batch._replace(given=given), 0.0)
    assert next(iter(losses)) == "loss"
    assert all(value.shape == () and bool(value.isfinite()) for value in losses.values())
    assert not any(value.requires_grad for value in losses.values())
    assert all(bool(value.isfinite().all()) for value in outputs(trained, batch.x))


@pytest.mark.parametrize(("method", "backbone", "shape"), CASES)
def test_unlabelled_rows_teach_where_the_method_says_so(
    method: str, backbone: str, shape: tuple[int, ...]
) -> None:
    batch = toy(shape, n=6)
    given = torch.where(torch.arange(6) < 3, batch.given, -1)
    other = batch.x.clone()
    other[4] = 1 - other[4]
    trained, differently = make(method, backbone, shape), make(method, backbone, shape)
    trained.step(batch._replace(given=given), 0.0)
    differently.step(batch._replace(x=other, given=given), 0.0)
    changed = not same(outputs(trained, batch.x), outputs(differently, batch.x))
    if backbone == "resnet18":  # BatchNorm mixes the rows of a batch: any row changes its statistics
        assert changed or not METHODS[method].uses_unlabelled
    else:
        assert changed == METHODS[method].uses_unlabelled


@pytest.mark.parametrize("backbone", BACKBONES)
@pytest.mark.parametrize("method", METHODS)
def test_every_method_learns_and_predicts_on_every_backbone(method: str, backbone: str) -> None:
    """One step on the smallest images that a backbone takes; CASES above are put through everything."""
    shape = {"mlp": (1, 6, 6), "conv13": (3, 12, 12)}.get(backbone, (3, 8, 8))
    batch = toy(shape if backbone not in FEATURE_BACKBONES else (8,), n=6)
    trained = make(method, backbone, tuple(batch.x.shape[1:]))
    before = [value.clone() for value in outputs(trained, batch.x)]
    assert all(bool(value.isfinite()) for value in trained.step(batch, 0.5).values())
    after = outputs(trained, batch.x)
    assert [value.shape[0] for value in after] == [6] * 3
    assert_close(after[1].sum(1), torch.ones(6))
    assert not same(before, after)

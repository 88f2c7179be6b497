"""What makes it Reweight: weights are what a virtual step on each label would do for the trusted ones."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.testing import assert_close

from noiseaudit.config import with_overrides
from noiseaudit.data.perturb import Draws
from noiseaudit.data.training import Batch, TrainingData
from noiseaudit.methods.base import Setup
from noiseaudit.methods.reweight import Reweight, look_ahead, trusted_batch, weights_of
from noiseaudit.models.classifier import Classifier
from noiseaudit.runtime import training_runtime

CPU, N_CLASSES, ROWS = torch.device("cpu"), 3, 12
NETWORKS = [("mlp", (1, 6, 6)), ("resnet18", (3, 8, 8))]
H = 1e-9  # of the central differences


@pytest.fixture(autouse=True)
def _quick() -> Iterator[None]:
    with training_runtime(threads=1):
        yield


def data(shape: tuple[int, ...], n_classes: int = N_CLASSES) -> TrainingData:
    """Rows 4 to 7 are trusted, 7 is unlabelled."""
    x = (torch.rand(ROWS, *shape, generator=torch.Generator().manual_seed(0)) * 255).to(torch.uint8)
    codes = torch.arange(ROWS) % n_classes
    codes[7] = -1
    rows = torch.arange(ROWS)
    return TrainingData(x, rows, codes, n_classes, trusted=(rows >= 4) & (rows < 8))


def make(backbone: str = "mlp", shape: tuple[int, ...] = (1, 6, 6), n_classes: int = N_CLASSES) -> Reweight:
    settings = with_overrides(Reweight.settings(data(shape, n_classes).inputs), {"hidden": 16, "latent_a": 5})
    return Reweight(Setup(data(shape, n_classes), backbone, 0, CPU), settings)


def batches(shape: tuple[int, ...], n: int = 6, n_trusted: int = 6) -> tuple[Batch, Batch]:
    """In float64; row 2 of the first is unlabelled."""
    draws = torch.Generator().manual_seed(1)
    found = []
    for size in (n, n_trusted):
        x = torch.rand(size, *shape, generator=draws, dtype=torch.float64)
        found.append(Batch(x, torch.arange(size) % N_CLASSES, torch.arange(size)))
    found[0].given[2] = -1
    return found[0], found[1]


def trusted_loss(network: Classifier, batch: Batch, trusted: Batch, eps: Tensor) -> float:
    """Steps 1 and 2 of Algorithm 1, on a copy of the network, with autograd's plain backward pass."""
    ahead = copy.deepcopy(network)
    is_labelled = batch.given >= 0
    logits = ahead.classify(ahead.features(batch.x))
    losses = F.cross_entropy(logits, batch.given.clamp_min(0), reduction="none")
    (eps * losses)[is_labelled].sum().backward()
    with torch.no_grad():
        for parameter in ahead.parameters():
            assert parameter.grad is not None
            parameter.sub_(parameter.grad)
        return float(F.cross_entropy(ahead.classify(ahead.features(trusted.x)), trusted.given))


@pytest.mark.parametrize(("backbone", "shape"), NETWORKS)
def test_looking_ahead_agrees_with_finite_differences(backbone: str, shape: tuple[int, ...]) -> None:
    network = make(backbone, shape).learner.double()
    batch, trusted = batches(shape)
    slopes = []
    for row in range(6):
        eps = H * F.one_hot(torch.tensor(row), 6)
        up, down = (trusted_loss(network, batch, trusted, sign * eps) for sign in (1, -1))
        slopes.append((up - down) / (2 * H))
    expected = -torch.tensor(slopes, dtype=torch.float64)
    assert_close(look_ahead(network, batch, trusted), expected, rtol=1e-5, atol=1e-6)
    assert int((expected == 0).sum()) == 1  # the unlabelled row


@pytest.mark.parametrize(("backbone", "shape"), NETWORKS)
def test_looking_ahead_disturbs_nothing(backbone: str, shape: tuple[int, ...]) -> None:
    """Neither parameters nor their gradients, nor BatchNorm's statistics."""
    network = make(backbone, shape).learner.double()
    before = copy.deepcopy(dict(network.named_parameters()) | dict(network.named_buffers()))
    look_ahead(network, *batches(shape))
    for name, value in [*network.named_parameters(), *network.named_buffers()]:
        assert torch.equal(value, before[name]), name
    assert all(parameter.grad is None for parameter in network.parameters())


def test_batchnorm_sees_each_training_batch_once() -> None:
    trained = make("resnet18", (3, 8, 8))
    batch = data((3, 8, 8)).batch(torch.arange(6), CPU)
    for step in range(3):
        trained.step(batch, step / 3)
    counts = {int(value) for name, value in trained.learner.named_buffers() if name.endswith("_tracked")}
    assert counts == {3}


def one_image(given: list[int]) -> tuple[Batch, Batch]:
    """The same image under these labels, and trusted as class 0. With two classes, label 1 is its exact opposite."""
    x = torch.full((1, 1, 6, 6), 0.5, dtype=torch.float64)
    batch = Batch(x.expand(len(given), -1, -1, -1), torch.tensor(given), torch.arange(len(given)))
    return batch, Batch(x, torch.tensor([0]), torch.tensor([0]))


def test_only_labels_that_agree_with_the_trusted_ones_weigh() -> None:
    network = make(n_classes=2).learner.double()
    weights = weights_of(look_ahead(network, *one_image([0, 1, 0, -1, 1, 0, 1, 0])))
    assert_close(weights, torch.tensor([0.25, 0, 0.25, 0, 0, 0.25, 0, 0.25], dtype=torch.float64))


def test_nothing_weighs_where_every_label_disagrees() -> None:
    network = make(n_classes=2).learner.double()
    benefits = look_ahead(network, *one_image([1, 1, -1]))
    assert float(benefits[:2].max()) < 0
    assert weights_of(benefits).tolist() == [0, 0, 0]


def test_weights_are_shares_of_what_helps() -> None:
    assert weights_of(torch.tensor([1.0, -5.0, 3.0])).tolist() == [0.25, 0, 0.75]
    assert weights_of(torch.tensor([-1.0, 0.0])).tolist() == [0, 0]


def test_trusted_batches_hold_trusted_labelled_rows_and_all_of_them() -> None:
    network, held = make().learner, data((1, 6, 6))
    drawn = trusted_batch(network, Batch(*batches((1, 6, 6), n=50)[0]), Draws(torch.Generator(), 50))
    assert set(drawn.rows.tolist()) == {0, 1, 2}
    expected = held.batch(drawn.rows + 4, CPU)  # rows 4, 5 and 6 of the data
    assert torch.equal(drawn.given, expected.given)
    assert_close(drawn.x, expected.x.double())


def test_the_loss_is_the_weighted_cross_entropy() -> None:
    """Without noise, the step's one term is sum_i w_i C_i with the weights of its own draws."""
    method, batch = make(), data((1, 6, 6)).batch(torch.arange(6), CPU)
    method.values = with_overrides(method.values, {"input_noise": 0.0})
    trusted = trusted_batch(method.learner, batch, Draws(torch.Generator().manual_seed(3), 6))
    weights = weights_of(look_ahead(method.learner, batch, trusted))
    losses = F.cross_entropy(
        method.learner.classify(method.learner.features(batch.x)), batch.given, reduction="none"
    )
    terms = method.terms(
        method.learner, method.guider, batch, Draws(torch.Generator().manual_seed(3), 6), 0.0
    )
    assert_close(terms["labelled"], (weights * losses).sum())
    assert 0 < int((weights > 0).sum()) < 6

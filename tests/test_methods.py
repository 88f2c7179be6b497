"""Every method keeps the contract of methods/base.py; what is UMN's own follows."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from noiseaudit import objective
from noiseaudit.config import UMNConfig
from noiseaudit.data.perturb import Draws
from noiseaudit.methods import METHODS
from noiseaudit.methods.base import Batch, Method, Setup
from noiseaudit.methods.umn import UMN
from noiseaudit.runtime import training_runtime

N_CLASSES = 3
CASES = [
    (method, backbone, shape)
    for method in METHODS
    for backbone, shape in [("mlp", (1, 6, 6)), ("embeddings", (8,)), ("resnet18", (3, 8, 8))]
]
QUICK = [case for case in CASES if case[1] != "resnet18"]


@pytest.fixture(autouse=True)
def _quick() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with training_runtime():
        yield
    torch.set_num_threads(threads)


def make(
    method: str = "umn",
    backbone: str = "mlp",
    shape: tuple[int, ...] = (1, 6, 6),
    seed: int = 0,
    config: UMNConfig | None = None,
) -> Method:
    kind = METHODS[method]
    settings = config or dataclasses.replace(kind.settings(backbone), hidden=32, latent_a=6, latent_b=4)
    prior = torch.full((N_CLASSES,), -math.log(N_CLASSES))
    return kind(Setup(shape, N_CLASSES, backbone, prior, settings, seed, torch.device("cpu")))


def toy(shape: tuple[int, ...], n: int = 48, seed: int = 0) -> Batch:
    """Three well separated classes: which third of the columns is bright."""
    draws = torch.Generator().manual_seed(seed)
    third = (torch.arange(shape[-1]) * N_CLASSES).div(shape[-1], rounding_mode="floor")
    bright = (third == torch.arange(N_CLASSES).unsqueeze(1)).float() * 0.8 + 0.1
    centres = bright.view(N_CLASSES, *[1] * (len(shape) - 1), shape[-1]).expand(N_CLASSES, *shape)
    given = torch.arange(n) % N_CLASSES
    x = (centres[given] + 0.05 * torch.randn(n, *shape, generator=draws)).clamp(0, 1)
    return Batch(x if len(shape) == 3 else (x - x.mean(0)) / x.std(0), given)


def train(method: Method, batch: Batch, steps: int) -> list[float]:
    return [float(method.step(batch, step / steps)["loss"]) for step in range(steps)]


def state(method: Method) -> dict[str, Tensor]:
    assert isinstance(method, UMN)
    return {
        f"{part}.{name}": value.clone()
        for part, networks in (("learner", method.learner), ("guider", method.guider))
        for name, value in networks.state_dict().items()
    }


def same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


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


@pytest.mark.parametrize(("method", "backbone", "shape"), QUICK)
def test_training_lowers_the_loss(method: str, backbone: str, shape: tuple[int, ...]) -> None:
    """Without labels and ramps, the objective stands still: f(epsilon) weighs labelled rows anew at every step."""
    settings = dataclasses.replace(
        METHODS[method].settings(backbone), hidden=32, latent_a=6, latent_b=4, rampup=0.0
    )
    trained, batch = make(method, backbone, shape, config=settings), toy(shape)
    losses = train(trained, Batch(batch.x, torch.full_like(batch.given, -1)), 120)
    assert sum(losses[-10:]) < sum(losses[:10])


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
    assert predicted.latent.shape == (5, 6)
    assert predicted.latent.dtype == torch.float32


@pytest.mark.parametrize(("method", "backbone", "shape"), CASES)
def test_predicting_changes_nothing(method: str, backbone: str, shape: tuple[int, ...]) -> None:
    """BatchNorm's buffers, the random draws and the training mode included."""
    trained, untouched, batch = make(method, backbone, shape), make(method, backbone, shape), toy(shape, n=6)
    train(trained, batch, 2)
    train(untouched, batch, 2)
    before = state(trained)
    first = trained.predict(batch.x)
    again = trained.predict(batch.x)
    assert same(before, state(trained))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert isinstance(trained, UMN)
    assert trained.learner.training
    assert not trained.guider.training
    assert train(trained, batch, 2) == train(untouched, batch, 2)
    assert same(state(trained), state(untouched))


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

    def run(seed: int) -> dict[str, Tensor]:
        torch.rand(1)  # the global generator is elsewhere each time
        trained = make(method, backbone, shape, seed)
        train(trained, batch, 3)
        return state(trained)

    assert same(run(1), run(1))
    assert not same(run(1), run(2))


@pytest.mark.parametrize(("method", "backbone", "shape"), CASES)
@pytest.mark.parametrize("labelled", [0, 2, 6])
def test_any_share_of_labels_will_do(
    method: str, backbone: str, shape: tuple[int, ...], labelled: int
) -> None:
    """None labelled, some, all: losses are finite and parameters stay so."""
    batch = toy(shape, n=6)
    given = torch.where(torch.arange(6) < labelled, batch.given, -1)
    trained = make(method, backbone, shape)
    losses = trained.step(Batch(batch.x, given), 0.0)
    assert next(iter(losses)) == "loss"
    assert all(value.shape == () and bool(value.isfinite()) for value in losses.values())
    assert not any(value.requires_grad for value in losses.values())
    assert all(bool(value.isfinite().all()) for value in state(trained).values())
    if labelled == 0:
        assert float(losses["labelled"]) == 0.0


@pytest.mark.parametrize("method", METHODS)
def test_unlabelled_rows_teach_too(method: str) -> None:
    batch = toy((1, 6, 6), n=6)
    given = torch.where(torch.arange(6) < 3, batch.given, -1)
    other = batch.x.clone()
    other[4] = 1 - other[4]
    trained, differently = make(method), make(method)
    trained.step(Batch(batch.x, given), 0.0)
    differently.step(Batch(other, given), 0.0)
    assert not same(state(trained), state(differently))


def test_the_loss_is_the_sum_of_its_terms() -> None:
    losses = {name: float(value) for name, value in make("umn_plus").step(toy((1, 6, 6)), 0.5).items()}
    terms = {"reconstruction", "conditional", "label_kl", "labelled", "consistency", "entropy"}
    assert set(losses) == {"loss"} | terms
    assert losses["loss"] == pytest.approx(sum(losses[name] for name in terms), rel=1e-5)


def test_umn_has_the_papers_terms_and_settings() -> None:
    """Section 4.1, and Eq. 4 without additions."""
    settings = METHODS["umn"].settings("mlp")
    assert (settings.learning_rate, settings.beta1, settings.beta2) == (1e-3, 0.9, 0.99)
    assert settings.lr_decay_start == 1.0
    assert (settings.generative_weight, settings.label_kl, settings.label_kl_weight) == (1.0, "sample", 1.0)
    assert settings.prior == "uniform"
    assert (settings.jitter, settings.consistency_weight, settings.entropy_weight) == (0.0, 0.0, 0.0)
    assert (settings.guider_decay_early, settings.guider_decay_late) == (0.99, 0.999)
    terms = {"reconstruction", "conditional", "label_kl", "labelled"}
    assert set(make("umn").step(toy((1, 6, 6)), 0.0)) == {"loss"} | terms
    trained = make("umn")
    assert isinstance(trained, UMN)
    assert isinstance(trained.optimiser, torch.optim.Adam)
    assert trained.optimiser.param_groups[0]["betas"] == (0.9, 0.99)


def test_the_guider_starts_as_the_mean_of_the_learners() -> None:
    trained = make("umn")
    assert isinstance(trained, UMN)
    seen = []
    for _ in range(3):
        trained.step(toy((1, 6, 6)), 0.0)
        seen.append(next(trained.learner.classifier.parameters()).detach().clone())
    assert_close(next(trained.guider.classifier.parameters()).detach(), torch.stack(seen).mean(0))
    assert not any(parameter.requires_grad for parameter in trained.guider.parameters())


def test_the_labelled_term_is_eq_6_over_the_labelled_rows() -> None:
    trained = make("umn")
    assert isinstance(trained, UMN)
    probs = torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8], [0.3, 0.3, 0.4]])
    guided = torch.tensor([[0.5, 0.4, 0.1], [0.1, 0.7, 0.2], [0.9, 0.0, 0.1]])
    got = trained._labelled(probs, guided, torch.tensor([0, 2, -1]))
    weights = [math.log(2 * 0.8 / 0.2), math.log(2 * 0.4 / 0.6)]  # epsilon 0.2 and 0.6
    assert got.item() == pytest.approx(-(weights[0] * 0.7 + weights[1] * 0.8) / 2, rel=1e-5)


def test_the_label_kl_follows_the_configuration() -> None:
    log_probs = torch.tensor([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1]]).log()
    prior = torch.full((N_CLASSES,), -math.log(N_CLASSES))
    for kind in ("sample", "batch"):
        trained = make("umn", config=dataclasses.replace(UMNConfig(hidden=8), label_kl=kind))
        assert isinstance(trained, UMN)
        expected = {
            "sample": objective.label_kl_per_sample(log_probs.exp(), log_probs, prior).mean(),
            "batch": objective.label_kl_of_batch(log_probs.exp(), prior),
        }
        assert_close(trained._label_kl(log_probs.exp(), log_probs), expected[kind])


@pytest.mark.parametrize(
    ("shape", "backbone", "name"),
    [
        ((1, 6, 6), "mlp", "log_bernoulli"),
        ((3, 6, 6), "mlp", "log_unit_normal"),
        ((1,), "embeddings", "log_unit_normal"),
        ((8,), "embeddings", "log_unit_normal"),
    ],
)
def test_grey_images_are_bernoulli_and_all_else_gaussian(
    shape: tuple[int, ...], backbone: str, name: str
) -> None:
    trained = make("umn", backbone, shape)
    assert isinstance(trained, UMN)
    assert trained.log_likelihood.__name__ == name


@pytest.mark.parametrize("method", METHODS)
def test_a_step_shows_learner_and_guider_different_inputs(method: str) -> None:
    trained = make(method)
    assert isinstance(trained, UMN)
    seen: dict[str, list[Tensor]] = {"learner": [], "guider": []}
    for part, networks in (("learner", trained.learner), ("guider", trained.guider)):
        networks.encoder.register_forward_pre_hook(lambda _, inputs, part=part: seen[part].append(inputs[0]))
    batch = toy((1, 6, 6), n=6)
    trained.step(batch, 0.0)
    assert {part: len(inputs) for part, inputs in seen.items()} == {"learner": 1, "guider": 1}
    eta, other_eta = seen["learner"][0] - batch.x, seen["guider"][0] - batch.x
    assert abs(float(torch.corrcoef(torch.stack([eta.flatten(), other_eta.flatten()]))[0, 1])) < 0.5
    assert not torch.equal(eta, other_eta)


def test_perturbations_are_drawn_anew_and_leave_an_image_to_reconstruct() -> None:
    trained = make("umn_plus")
    assert isinstance(trained, UMN)
    x = toy((1, 6, 6), n=4).x
    draws = Draws(torch.Generator().manual_seed(0), 4)
    target, first = trained._perturb(x, draws)
    other_target, second = trained._perturb(x, draws)
    assert not torch.allclose(target, other_target)
    assert not torch.allclose(first - target, second - other_target)
    assert float(target.min()) >= 0
    assert float(target.max()) <= 1
    assert float((first - target).std()) == pytest.approx(trained.config.input_noise, rel=0.2)


def test_the_learning_rate_follows_its_schedule() -> None:
    config = dataclasses.replace(UMNConfig(hidden=8), lr_decay_start=0.5)
    trained = make("umn", config=config)
    assert isinstance(trained, UMN)
    rates = []
    for progress in (0.0, 0.5, 0.75):
        trained.step(toy((1, 6, 6), n=6), progress)
        rates.append(trained.optimiser.param_groups[0]["lr"])
    assert rates == pytest.approx([1e-3, 1e-3, 0.5e-3])

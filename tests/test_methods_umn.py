"""What is UMN's own, beyond the contract of every method."""

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
from noiseaudit.data.inputs import SOME_IMAGES, Inputs
from noiseaudit.data.perturb import Draws
from noiseaudit.data.training import Batch, TrainingData
from noiseaudit.methods.base import Setup
from noiseaudit.methods.umn import UMN
from noiseaudit.methods.umn_plus import UMNPlus
from noiseaudit.runtime import training_runtime

N_CLASSES = 3
METHODS: dict[str, type[UMN]] = {"umn": UMN, "umn_plus": UMNPlus}
SHAPES = [("mlp", (1, 6, 6)), ("embeddings", (8,))]


@pytest.fixture(autouse=True)
def _quick() -> Iterator[None]:
    with training_runtime(threads=1):
        yield


def inputs(shape: tuple[int, ...]) -> Inputs:
    return Inputs(shape, N_CLASSES, n_labelled=6, n_rows=6)


def make(
    method: str = "umn",
    backbone: str = "mlp",
    shape: tuple[int, ...] = (1, 6, 6),
    config: UMNConfig | None = None,
) -> UMN:
    kind = METHODS[method]
    settings = config or dataclasses.replace(kind.settings(inputs(shape)), hidden=32, latent_a=6, latent_b=4)
    data = TrainingData(torch.zeros(6, *shape), torch.arange(6), torch.arange(6) % N_CLASSES, N_CLASSES)
    return kind(Setup(data, backbone, 0, torch.device("cpu")), settings)


def toy(shape: tuple[int, ...], n: int = 48) -> Batch:
    x = torch.rand(n, *shape, generator=torch.Generator().manual_seed(0))
    return Batch(x, torch.arange(n) % N_CLASSES, torch.arange(n))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("backbone", "shape"), SHAPES)
def test_training_lowers_the_loss(method: str, backbone: str, shape: tuple[int, ...]) -> None:
    """Without labels and ramps, the objective stands still: f(epsilon) weighs labelled rows anew at every step."""
    settings = dataclasses.replace(
        METHODS[method].settings(inputs(shape)), hidden=32, latent_a=6, latent_b=4, rampup=0.0
    )
    trained, batch = make(method, backbone, shape, config=settings), toy(shape)
    unlabelled = batch._replace(given=torch.full_like(batch.given, -1))
    losses = [float(trained.step(unlabelled, step / 120)["loss"]) for step in range(120)]
    assert sum(losses[-10:]) < sum(losses[:10])


def test_the_loss_is_the_sum_of_its_terms() -> None:
    losses = {name: float(value) for name, value in make("umn_plus").step(toy((1, 6, 6)), 0.5).items()}
    terms = {"reconstruction", "conditional", "label_kl", "labelled", "consistency", "entropy"}
    assert set(losses) == {"loss"} | terms
    assert losses["loss"] == pytest.approx(sum(losses[name] for name in terms), rel=1e-5)


def test_without_weight_the_generative_terms_are_not_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    trained = make(
        "umn_plus", config=dataclasses.replace(UMNPlus.settings(SOME_IMAGES), generative_weight=0.0)
    )
    monkeypatch.setattr(trained.learner.decoder, "forward", None)
    decoder = [value.clone() for value in trained.learner.decoder.parameters()]
    encoder = [value.clone() for value in trained.learner.encoder.parameters()]
    assert set(trained.step(toy((1, 6, 6)), 0.5)) == {
        "loss",
        "label_kl",
        "labelled",
        "consistency",
        "entropy",
    }
    assert all(map(torch.equal, decoder, trained.learner.decoder.parameters()))
    assert not any(map(torch.equal, encoder, trained.learner.encoder.parameters()))


@pytest.mark.parametrize(
    ("method", "shape", "stride"), [("umn_plus", (8,), 4), ("umn_plus", (1, 6, 6), 1), ("umn", (8,), 1)]
)
def test_generative_terms_of_umn_plus_on_features_are_of_every_fourth_row(
    method: str, shape: tuple[int, ...], stride: int
) -> None:
    """Other values in any other row leave both terms as they were, and are seen by no other method or x."""
    backbone, batch = ("embeddings" if len(shape) == 1 else "mlp"), toy(shape)
    before, after = (
        make(method, backbone, shape).step(
            batch._replace(x=batch.x + (torch.arange(48) % 4 == row).view(-1, *[1] * len(shape))), 0.5
        )
        for row in (1, 2)
    )
    for name in ("reconstruction", "conditional"):
        assert (before[name] == after[name]) == (stride == 4), name


def test_umn_has_the_papers_terms_and_settings() -> None:
    """Section 4.1, and Eq. 4 without additions."""
    settings = UMN.settings(SOME_IMAGES)
    assert (settings.learning_rate, settings.beta1, settings.beta2) == (1e-3, 0.9, 0.99)
    assert settings.lr_decay_start == 1.0
    assert (settings.generative_weight, settings.label_kl, settings.label_kl_weight) == (1.0, "sample", 1.0)
    assert settings.prior == "uniform"
    assert (settings.jitter, settings.consistency_weight, settings.entropy_weight) == (0.0, 0.0, 0.0)
    assert (settings.guider_decay_early, settings.guider_decay_late) == (0.99, 0.999)
    terms = {"reconstruction", "conditional", "label_kl", "labelled"}
    assert set(make("umn").step(toy((1, 6, 6)), 0.0)) == {"loss"} | terms
    trained = make("umn")
    assert isinstance(trained.optimiser, torch.optim.Adam)
    assert trained.optimiser.param_groups[0]["betas"] == (0.9, 0.99)


def test_the_guider_starts_as_the_mean_of_the_learners() -> None:
    trained = make("umn")
    seen = []
    for _ in range(3):
        trained.step(toy((1, 6, 6)), 0.0)
        seen.append(next(trained.learner.classifier.parameters()).detach().clone())
    assert_close(next(trained.guider.classifier.parameters()).detach(), torch.stack(seen).mean(0))
    assert not any(parameter.requires_grad for parameter in trained.guider.parameters())


def test_the_labelled_term_is_eq_6_over_the_labelled_rows() -> None:
    trained = make("umn")
    probs = torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8], [0.3, 0.3, 0.4]])
    guided = torch.tensor([[0.5, 0.4, 0.1], [0.1, 0.7, 0.2], [0.9, 0.0, 0.1]])
    got = trained.labelled(probs, guided, torch.tensor([0, 2, -1]), trained.learner.noise)
    weights = [math.log(2 * 0.8 / 0.2), math.log(2 * 0.4 / 0.6)]  # epsilon 0.2 and 0.6
    assert got.item() == pytest.approx(-(weights[0] * 0.7 + weights[1] * 0.8) / 2, rel=1e-5)


def test_the_label_kl_follows_the_configuration() -> None:
    log_probs = torch.tensor([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1]]).log()
    prior = torch.full((N_CLASSES,), -math.log(N_CLASSES))
    for kind in ("sample", "batch"):
        trained = make("umn", config=dataclasses.replace(UMNConfig(hidden=8), label_kl=kind))
        expected = {
            "sample": objective.label_kl_per_sample(log_probs.exp(), log_probs, prior).mean(),
            "batch": objective.label_kl_of_mean(log_probs.exp().mean(0), prior),
        }
        assert_close(trained.label_kl(log_probs.exp(), log_probs, prior), expected[kind])


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
    assert trained.log_likelihood.__name__ == name


@pytest.mark.parametrize("method", METHODS)
def test_a_step_shows_learner_and_guider_different_inputs(method: str) -> None:
    trained = make(method)
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
    x = toy((1, 6, 6), n=4).x
    draws = Draws(torch.Generator().manual_seed(0), 4)
    target, first = trained.perturb(x, draws)
    other_target, second = trained.perturb(x, draws)
    assert not torch.allclose(target, other_target)
    assert not torch.allclose(first - target, second - other_target)
    assert float(target.min()) >= 0
    assert float(target.max()) <= 1
    assert float((first - target).std()) == pytest.approx(trained.values.input_noise, rel=0.2)


def test_the_learning_rate_follows_its_schedule() -> None:
    config = dataclasses.replace(UMNConfig(hidden=8), lr_decay_start=0.5)
    trained = make("umn", config=config)
    rates = []
    for progress in (0.0, 0.5, 0.75):
        trained.step(toy((1, 6, 6), n=6), progress)
        rates.append(trained.optimiser.param_groups[0]["lr"])
    assert rates == pytest.approx([1e-3, 1e-3, 0.5e-3])


@pytest.mark.parametrize(("backbone", "shape"), [("mlp", (1, 6, 6)), ("conv13", (1, 12, 12))])
def test_the_epsilon_of_a_step_is_the_one_that_weighs_it(backbone: str, shape: tuple[int, ...]) -> None:
    """Same perturbations, same draws; asking for it leaves the step as it would have been."""
    asked, plain, batch = make("umn_plus", backbone, shape), make("umn_plus", backbone, shape), toy(shape, 12)
    kept: list[Tensor] = []
    weigh = objective.label_weight

    def spy(epsilon: Tensor, n_classes: int, epsilon_min: float) -> Tensor:
        kept.append(epsilon.detach())
        return weigh(epsilon, n_classes, epsilon_min)

    asked.step(batch, 0.0)
    plain.step(batch, 0.0)
    found = asked.step_epsilon(batch)
    assert_close(asked.learner.state_dict(), plain.learner.state_dict(), rtol=0, atol=0)
    assert_close(asked.guider.state_dict(), plain.guider.state_dict(), rtol=0, atol=0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(objective, "label_weight", spy)
        losses = asked.step(batch, 0.5)
    assert torch.equal(found, kept[0])
    assert float(found.max()) > 0
    assert losses == plain.step(batch, 0.5)

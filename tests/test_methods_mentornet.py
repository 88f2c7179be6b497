"""What is MentorNet's own, beyond the contract of every method."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.testing import assert_close

from noiseaudit.config import with_overrides
from noiseaudit.data.inputs import SOME_IMAGES
from noiseaudit.data.perturb import Draws
from noiseaudit.data.training import Batch, TrainingData
from noiseaudit.errors import ConfigError
from noiseaudit.mentor import UNKNOWN, Features
from noiseaudit.methods.base import Setup
from noiseaudit.methods.mentornet import MentorNet
from noiseaudit.runtime import training_runtime

CPU, N_CLASSES, ROWS = torch.device("cpu"), 3, 10


@pytest.fixture(autouse=True)
def _quick() -> Iterator[None]:
    with training_runtime(threads=1):
        yield


def make(noise_rate: float | None = 0.2, **overrides: Any) -> MentorNet:
    """Without perturbation or dropout, so that losses can be told beforehand."""
    plain = {"input_noise": 0.0, "burn_in_dropout": 0.0, "dropout": 0.0}
    settings = with_overrides(
        MentorNet.settings(SOME_IMAGES), {"hidden": 16, "latent_a": 5, **plain, **overrides}
    )
    data = TrainingData(torch.zeros(ROWS, 1, 4, 4), torch.arange(ROWS), toy().given, N_CLASSES)
    return MentorNet(Setup(data, "mlp", 0, CPU, noise_rate=noise_rate), settings)


def toy() -> Batch:
    x = torch.rand(ROWS, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    return Batch(x, torch.arange(ROWS) % N_CLASSES, torch.arange(ROWS))


def losses_of(method: MentorNet, batch: Batch) -> Tensor:
    """Cross-entropy of the unperturbed rows."""
    probs = method.predict(batch.x).learner
    return -probs.gather(1, batch.given.unsqueeze(1)).squeeze(1).log()


def test_lambda_1_moves_by_the_batches_percentile() -> None:
    """4.2, then 0.9 x 4.2 + 0.1 x 2, as in tests/test_mentor.py; with no loss it stays."""
    method = make(noise_rate=0.2)
    method.percentile = method.take_in(torch.tensor([5.0, 1.0, 4.0, 2.0, 3.0]))
    assert float(method.percentile or 0) == pytest.approx(4.2)
    method.percentile = method.take_in(torch.tensor([0.0, 10.0, 0.0, 0.0, 0.0]))
    assert float(method.percentile or 0) == pytest.approx(3.98)
    assert method.take_in(torch.empty(0)) is method.percentile


def test_steps_keep_the_percentile_of_labelled_rows() -> None:
    method, batch = make(noise_rate=0.3), toy()
    partly = batch._replace(given=torch.where(torch.arange(ROWS) < 6, batch.given, -1))
    first = torch.quantile(losses_of(method, batch)[:6], 0.7)
    method.step(partly, 0.0)
    assert method.percentile is not None
    assert_close(method.percentile, first)
    second = torch.quantile(losses_of(method, batch), 0.7)
    method.step(batch, 0.5)
    assert_close(method.percentile, 0.9 * first + 0.1 * second)
    kept = method.percentile
    method.step(batch._replace(given=torch.full_like(batch.given, -1)), 0.5)
    assert method.percentile is kept


def test_terms_alone_do_not_move_the_percentile() -> None:
    method, batch = make(), toy()
    method.terms(method.learner, method.learner, batch, Draws(method.generator, ROWS), 0.5)
    assert method.percentile is None


def test_after_burn_in_the_loss_is_weighted_by_the_curriculum() -> None:
    """The gradient is that of constant weights: clip(1 - (loss - lambda_1) / lambda_2, 0, 1) by hand."""
    method, batch = make(noise_rate=0.4, lambda2=0.05), toy()
    logits = method.learner.classify(method.learner.encode(batch.x).mean)
    losses = F.cross_entropy(logits, batch.given, reduction="none")
    lambda1 = torch.quantile(losses.detach(), 0.6)
    weights = (1 - (losses.detach() - lambda1) / 0.05).clamp(0, 1)
    assert 0 < float(weights.sum()) < ROWS
    expected = (weights * losses).sum() / ROWS
    parameters = list(method.learner.parameters())
    by_hand = torch.autograd.grad(expected, parameters)
    found = method.terms(method.learner, method.learner, batch, Draws(method.generator, ROWS), 0.2)
    assert_close(found["labelled"], expected)
    for one, other in zip(torch.autograd.grad(found["labelled"], parameters), by_hand, strict=True):
        assert_close(one, other)


def test_in_burn_in_every_sample_counts() -> None:
    method, batch = make(noise_rate=0.4, lambda2=0.0), toy()
    expected = float(losses_of(method, batch).mean())
    assert float(method.step(batch, 0.19)["loss"]) == pytest.approx(expected, rel=1e-5)
    losses = losses_of(method, batch)
    method.step(batch, 0.2)
    assert method.percentile is not None
    weights = method.weigh(losses, method.percentile, 0.2)
    assert_close(weights, (losses <= method.percentile).float())
    assert 0 < float(weights.sum()) < ROWS


def test_samples_are_dropped_at_the_rate_of_the_schedules_part() -> None:
    method = make(burn_in_dropout=0.5, dropout=0.05)
    draws = Draws(torch.Generator().manual_seed(0), 20_000)
    for progress, rate in ((0.1, 0.5), (0.6, 0.05)):
        kept = method.kept(draws, progress)
        assert set(kept.tolist()) == {0.0, 1.0}
        assert float(1 - kept.mean()) == pytest.approx(rate, abs=0.01)
    assert bool((make().kept(draws, 0.5) == 1).all())


def test_the_learned_mentor_sees_losses_and_the_schedule_but_no_label() -> None:
    method, batch = make(mentor="learned"), toy()
    method.step(batch, 0.0)
    losses = torch.tensor([0.01, 0.5, 8.0], requires_grad=True)
    assert method.percentile is not None
    weights = method.weigh(losses, method.percentile, 0.575)
    difference, unknown = losses - method.percentile, torch.full((3,), UNKNOWN)
    expected = method.mentor(Features(losses, difference, unknown, torch.full((3,), 57))).sigmoid()
    assert_close(weights, expected.detach())
    assert not weights.requires_grad
    assert float(weights[0]) > 0.9
    assert float(weights[2]) < 0.1
    before = [value.clone() for value in method.mentor.state_dict().values()]
    method.step(batch, 0.99)
    assert all(torch.equal(a, b) for a, b in zip(before, method.mentor.state_dict().values(), strict=True))


def test_a_noise_rate_is_needed() -> None:
    assert MentorNet.needs == {"noise_rate"}
    with pytest.raises(ConfigError, match="--noise-rate"):
        make(noise_rate=None)


@pytest.mark.parametrize(
    "override",
    [{"mentor": "none"}, {"lambda2": -1.0}, {"percentile_decay": 1.0}, {"burn_in": 1.5}, {"dropout": 1.0}],
)
def test_settings_out_of_range_are_refused(override: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(override))):
        make(**override)

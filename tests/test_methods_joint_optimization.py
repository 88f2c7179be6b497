"""What is Joint Optimization's own, beyond the contract of every method."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from noiseaudit.config import with_overrides
from noiseaudit.data.batches import BatchPlan
from noiseaudit.data.inputs import SOME_IMAGES
from noiseaudit.data.training import Batch, TrainingData
from noiseaudit.errors import ConfigError
from noiseaudit.methods.base import Setup
from noiseaudit.methods.joint_optimization import JointOptimization, prior_loss
from noiseaudit.runtime import training_runtime
from noiseaudit.train import fit

CPU, N_CLASSES = torch.device("cpu"), 3
CODES = torch.tensor([0, -1, 2, 1, -1, 0])  # rows 0, 2, 3 and 5 are labelled


@pytest.fixture(autouse=True)
def _quick() -> Iterator[None]:
    with training_runtime(threads=1):
        yield


def make(data: TrainingData | None = None, **overrides: Any) -> JointOptimization:
    values = {"hidden": 16, "latent_a": 5, "input_noise": 0.0, **overrides}
    settings = with_overrides(JointOptimization.settings(SOME_IMAGES), values)
    return JointOptimization(Setup(data or toy(), "mlp", 0, CPU), settings)


def toy() -> TrainingData:
    x = torch.rand(6, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    return TrainingData(x, torch.arange(6), CODES, N_CLASSES)


def whole(data: TrainingData) -> Batch:
    return data.batch(torch.arange(len(data.codes)), CPU)


class Scripted(JointOptimization):
    """Has the same four probabilities, rotated by one class an epoch, and counts its restarts."""

    restarts: int = 0
    asked: int = 0

    def probabilities(self) -> Tensor:
        rows = torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.5, 0.25, 0.25], [0.2, 0.0, 0.8]])
        self.asked += 1
        return rows.roll(self.asked - 1, dims=1)

    def restart(self) -> None:
        self.restarts += 1
        super().restart()


def scripted(**overrides: Any) -> Scripted:
    values = {"hidden": 8, "latent_a": 3, **overrides}
    return Scripted(
        Setup(toy(), "mlp", 0, CPU), with_overrides(JointOptimization.settings(SOME_IMAGES), values)
    )


def test_the_memory_starts_at_the_given_labels() -> None:
    expected = [[1.0, 0, 0], [0, 0, 0], [0, 0, 1], [0, 1, 0], [0, 0, 0], [1, 0, 0]]
    assert make().labels.tolist() == expected


def test_the_memory_after_relabelling_epochs() -> None:
    """The average of the last two epochs, by hand, at the labelled rows; the others stay as they were."""
    method = scripted(average_epochs=2, relabel_from=0.5, second_stage=1.0)
    start = method.labels.clone()
    method.end_epoch(1, 4)
    assert torch.equal(method.labels, start)
    method.end_epoch(2, 4)  # (0.7 0.2 0.1) and (0.1 0.7 0.2), and so on
    zero = [0.0, 0.0, 0.0]
    expected = [[0.4, 0.45, 0.15], zero, [0.2, 0.35, 0.45], [0.375, 0.375, 0.25], zero, [0.5, 0.1, 0.4]]
    assert_close(method.labels, torch.tensor(expected))
    method.end_epoch(3, 4)  # (0.1 0.7 0.2) and (0.2 0.1 0.7): the first epoch is forgotten
    assert_close(method.labels[0], torch.tensor([0.15, 0.4, 0.45]))
    assert method.restarts == 0


def test_hard_labels_are_the_averages_argmax() -> None:
    method = scripted(labels="hard", average_epochs=2, relabel_from=0.5, second_stage=1.0)
    for epoch in (1, 2):
        method.end_epoch(epoch, 4)
    assert method.labels[[0, 1, 2, 5]].tolist() == [[0, 1, 0], [0, 0, 0], [0, 0, 1], [1, 0, 0]]


def test_the_schedule_is_the_papers() -> None:
    """Of 320 epochs: averages from the 61st, labels change after the 70th to the 200th, then a fresh network."""
    method = scripted()
    changed, restarted = [], []
    for epoch in range(1, 321):
        before, restarts = method.labels.clone(), method.restarts
        method.end_epoch(epoch, 320)
        changed += [epoch] if not torch.equal(before, method.labels) else []
        method.step(whole(toy()), epoch / 320)  # the first of the next epoch
        restarted += [epoch] if method.restarts > restarts else []
    assert method.asked == 140
    assert (changed[0], changed[-1], len(changed)) == (70, 200, 131)
    assert restarted == [200]


@pytest.mark.parametrize("epochs", [1, 2, 3, 5])
def test_short_schedules_relabel_and_end_with_a_trained_network(epochs: int) -> None:
    method = scripted()
    start = method.labels.clone()
    for epoch in range(1, epochs + 1):
        method.step(whole(toy()), (epoch - 1) / epochs)
        assert method.restarts == 0 or epoch > 1
        method.end_epoch(epoch, epochs)
    assert not torch.equal(method.labels, start)
    assert method.restarts == (epochs > 1)


def test_the_losses_by_hand() -> None:
    """L_c, alpha L_p and beta L_e over labelled rows, from the network's probabilities, with a memory of any kind."""
    method, batch = make(alpha=1.5, beta=0.5), whole(toy())
    method.labels[[0, 2]] = torch.tensor([[0.5, 0.25, 0.25], [0.2, 0.0, 0.8]])
    rows = [0, 2, 3, 5]
    s = method.predict(batch.x).learner.double().tolist()
    y = method.labels.double().tolist()
    mean = [sum(s[row][k] for row in rows) / 4 for k in range(3)]
    kl = [sum(y[row][k] * math.log(y[row][k] / s[row][k]) for k in range(3) if y[row][k]) for row in rows]
    entropy = [-sum(p * math.log(p) for p in s[row]) for row in rows]
    losses = method.step(batch, 0.0)
    assert float(losses["classification"]) == pytest.approx(sum(kl) / 4, rel=1e-4)
    expected = 1.5 * sum(math.log(1 / 3 / mean[k]) / 3 for k in range(3))
    assert float(losses["prior"]) == pytest.approx(expected, rel=1e-4, abs=1e-6)
    assert float(losses["entropy"]) == pytest.approx(0.5 * sum(entropy) / 4, rel=1e-4)
    assert float(losses["loss"]) == pytest.approx(sum(float(v) for v in list(losses.values())[1:]), rel=1e-5)


def test_the_memory_is_found_by_row() -> None:
    data = toy()
    one, other = make(data), make(data)
    for method in (one, other):
        method.labels[5] = torch.tensor([0.0, 0.0, 1.0])
    order = torch.tensor([5, 3, 0, 2, 4, 1])
    first = one.step(whole(data), 0.0)
    second = other.step(data.batch(order, CPU), 0.0)
    for name, value in first.items():
        assert_close(second[name], value)
    assert float(first["classification"]) != pytest.approx(
        float(make(data).step(whole(data), 0.0)["classification"])
    )


def test_the_prior_term_by_hand() -> None:
    """KL((1/2, 1/4, 1/4) || (1/4, 1/2, 1/4)) = log(2) / 2 - log(2) / 4; an absent class costs much, not everything."""
    log_prior = torch.tensor([0.5, 0.25, 0.25]).log()
    found = prior_loss(torch.tensor([0.25, 0.5, 0.25]), log_prior)
    assert float(found) == pytest.approx(math.log(2) / 4, rel=1e-5)
    assert float(prior_loss(log_prior.exp(), log_prior)) == pytest.approx(0, abs=1e-6)
    absent = float(prior_loss(torch.tensor([1.0, 0.0, 0.0]), log_prior))
    assert 10 < absent < math.inf


def test_the_prior_is_uniform_or_the_given_labels() -> None:
    assert_close(make().log_prior.exp(), torch.full((3,), 1 / 3))
    assert_close(make(prior="empirical").log_prior.exp(), torch.tensor([3.0, 2.0, 2.0]) / 7)


def test_probabilities_are_those_of_the_labelled_rows() -> None:
    method, data = make(), toy()
    assert torch.equal(method.probabilities(), method.predict(whole(data).x).learner[[0, 2, 3, 5]])


def test_the_second_stage_is_a_fresh_network_on_fixed_labels() -> None:
    method, data = make(), toy()
    untrained = [value.clone() for value in method.learner.state_dict().values()]
    assert set(method.step(whole(data), 0.0)) == {"loss", "classification", "prior", "entropy"}
    trained = method.learner
    method.end_epoch(5, 8)
    assert method.learner is trained  # which makes this epoch's predictions
    labels = method.labels.clone()
    assert set(method.step(whole(data), 0.7)) == {"loss", "classification"}
    assert method.learner is not trained
    assert method.guider is method.learner
    assert method.learner.training
    fresh = [value.clone() for value in method.learner.state_dict().values()]
    assert not any(torch.equal(a, b) for a, b in zip(untrained, fresh, strict=True))
    second = method.learner
    method.step(whole(data), 0.8)
    assert method.learner is second  # it starts again once
    for epoch in (6, 7, 8):
        method.end_epoch(epoch, 8)
    assert torch.equal(method.labels, labels)


@pytest.mark.parametrize("labels", ["soft", "hard"])
def test_wrong_labels_are_found_and_the_second_network_learns_the_right_ones(labels: str) -> None:
    """Three clear classes, one label in six wrong."""
    truth = torch.arange(60) % N_CLASSES
    codes = torch.where(torch.arange(60) % 6 == 0, (truth + 1) % N_CLASSES, truth)
    noise = torch.randn(60, 8, generator=torch.Generator().manual_seed(0))
    x = noise + 4 * torch.nn.functional.one_hot(truth, 8)
    data = TrainingData(x, torch.arange(60), codes, N_CLASSES)
    method = make(data, labels=labels, average_epochs=3, input_noise=0.3, learning_rate=0.01)
    fit(method, data, BatchPlan(12, 0, 5), epochs=32, seed=0, device=CPU, on_epoch=lambda record: None)
    assert float((method.labels.argmax(1) != truth).float().mean()) < 0.05
    assert float((method.predict(x).learner.argmax(1) != truth).float().mean()) < 0.05


@pytest.mark.parametrize(
    ("override", "named"),
    [
        ({"alpha": -1.0}, "alpha"),
        ({"average_epochs": 0}, "average_epochs"),
        ({"relabel_from": 0.7}, "relabel_from"),
        ({"second_stage": 1.1}, "second_stage"),
        ({"labels": "firm"}, "labels"),
        ({"prior": "flat"}, "prior"),
    ],
)
def test_settings_out_of_range_are_refused(override: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError, match=f"--set {named}"):
        make(**override)

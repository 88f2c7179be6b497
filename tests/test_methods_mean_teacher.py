"""What is Mean Teacher's own, beyond the contract of every method."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from noiseaudit.config import with_overrides
from noiseaudit.data.inputs import SOME_IMAGES
from noiseaudit.data.perturb import Draws
from noiseaudit.data.training import Batch, TrainingData
from noiseaudit.errors import ConfigError
from noiseaudit.methods.base import Setup
from noiseaudit.methods.mean_teacher import MeanTeacher, consistency_cost
from noiseaudit.runtime import training_runtime

N_CLASSES = 3


@pytest.fixture(autouse=True)
def _quick() -> Iterator[None]:
    with training_runtime(threads=1):
        yield


def make(**overrides: object) -> MeanTeacher:
    data = TrainingData(torch.zeros(6, 1, 6, 6), torch.arange(6), torch.arange(6) % N_CLASSES, N_CLASSES)
    settings = with_overrides(MeanTeacher.settings(SOME_IMAGES), {"hidden": 16, "latent_a": 5, **overrides})
    return MeanTeacher(Setup(data, "mlp", 0, torch.device("cpu")), settings)


def toy(n: int = 6) -> Batch:
    x = torch.rand(n, 1, 6, 6, generator=torch.Generator().manual_seed(0))
    return Batch(x, torch.arange(n) % N_CLASSES, torch.arange(n))


def terms(method: MeanTeacher, batch: Batch, progress: float) -> dict[str, Tensor]:
    draws = Draws(torch.Generator().manual_seed(0), len(batch.x))
    return method.terms(method.learner, method.guider, batch, draws, progress)


def first_weight(method: MeanTeacher, *, teacher: bool) -> Tensor:
    network = method.guider if teacher else method.learner
    return next(network.parameters()).detach().clone()


def test_the_settings_are_the_papers() -> None:
    settings = MeanTeacher.settings(SOME_IMAGES)
    assert (settings.guider_decay_early, settings.guider_decay_late) == (0.99, 0.999)
    assert settings.guider_switch == settings.rampup == 0.25
    assert settings.consistency_weight == 100.0


def test_the_consistency_cost_is_a_mean_over_the_classes() -> None:
    student = torch.tensor([[0.7, 0.2, 0.1], [1.0, 0.0, 0.0]])
    teacher = torch.tensor([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]])
    expected = [(0.04 + 0.09 + 0.01) / 3, 0.0]
    assert consistency_cost(student, teacher).tolist() == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize(
    ("progress", "weight"),
    [(0.0, 100 * math.exp(-5)), (0.125, 100 * math.exp(-1.25)), (0.25, 100.0), (0.9, 100.0)],
)
def test_the_terms_by_hand(progress: float, weight: float) -> None:
    """Cross entropy over the two labelled rows, squares over all six, under the sigmoid ramp."""
    method = make(input_noise=0.0)
    with torch.no_grad():
        for parameter in method.guider.parameters():
            parameter.mul_(1.5)
    batch = toy()._replace(given=torch.tensor([1, -1, -1, 2, -1, -1]))
    student, teacher, _ = method.predict(batch.x)
    squares = [(float(student[i, y]) - float(teacher[i, y])) ** 2 for i in range(6) for y in range(N_CLASSES)]
    found = terms(method, batch, progress)
    assert sum(squares) > 1e-4
    assert found["consistency"].item() == pytest.approx(weight * sum(squares) / 18, rel=1e-4)
    labelled = -(math.log(student[0, 1]) + math.log(student[3, 2])) / 2
    assert found["labelled"].item() == pytest.approx(labelled, rel=1e-5)


def test_the_teachers_values_by_hand() -> None:
    """After t steps the mean of the students as long as that is shorter than the decay; then 0.99, then 0.999."""
    method, batch = make(), toy()
    method.step(batch, 0.0)
    one = first_weight(method, teacher=False)
    assert_close(first_weight(method, teacher=True), one)
    method.step(batch, 0.0)
    two = first_weight(method, teacher=False)
    assert_close(first_weight(method, teacher=True), (one + two) / 2)
    method.steps_done = 5_000
    for progress, decay in [(0.1, 0.99), (0.6, 0.999)]:
        before = first_weight(method, teacher=True)
        method.step(batch, progress)
        after = first_weight(method, teacher=False)
        assert_close(first_weight(method, teacher=True), decay * before + (1 - decay) * after)
        assert not torch.equal(before, after)


def test_only_the_student_takes_gradients() -> None:
    method = make()
    with torch.no_grad():
        for parameter in method.guider.parameters():
            parameter.mul_(1.5)
    terms(method, toy(), 0.5)["consistency"].backward()
    assert all(parameter.grad is None for parameter in method.guider.parameters())
    gradients = [parameter.grad for parameter in method.learner.classifier.parameters()]
    assert all(gradient is not None and bool(gradient.any()) for gradient in gradients)


def test_student_and_teacher_see_different_inputs() -> None:
    method, batch = make(), toy()
    seen: list[Tensor] = []
    for network in (method.learner, method.guider):
        network.encoder.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    method.step(batch, 0.0)
    eta, other = (x - batch.x for x in seen)
    assert abs(float(torch.corrcoef(torch.stack([eta.flatten(), other.flatten()]))[0, 1])) < 0.5
    assert float(eta.std()) == pytest.approx(0.3, rel=0.2)
    assert float(other.std()) == pytest.approx(0.3, rel=0.2)


@pytest.mark.parametrize(
    ("name", "value"), [("consistency_weight", -1.0), ("rampup", 1.5), ("guider_switch", 2.0)]
)
def test_settings_out_of_range_are_refused(name: str, value: float) -> None:
    with pytest.raises(ConfigError, match=f"--set {name} is out of range"):
        make(**{name: value})

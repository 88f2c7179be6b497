"""Mixed precision, which is for GPUs, run on the CPU: bfloat16 in the networks of a step and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from noiseaudit import train
from noiseaudit.config import with_overrides
from noiseaudit.data.training import Batch, TrainingData
from noiseaudit.methods import METHODS, joint_optimization
from noiseaudit.methods.base import Prediction, Setup
from noiseaudit.methods.descent import Descent
from noiseaudit.methods.joint_optimization import JointOptimization
from noiseaudit.models import vae
from noiseaudit.runtime import training_runtime
from noiseaudit.stack import Stack
from noiseaudit.train import predict_all

CPU, N_CLASSES, ROWS = torch.device("cpu"), 3, 24
SHAPES = {"mlp": (1, 6, 6), "conv13": (1, 12, 12)}
NAMES = [name for name, kind in METHODS.items() if issubclass(kind, Descent)]
STACKABLE = [name for name in NAMES if name not in ("mentornet", "joint_optimization")]
NEAR = {"mlp": 2e-3, "conv13": 5e-2}  # absolute
LOOKS_AHEAD = "reweight"  # in full precision: products of gradients need it


@pytest.fixture(autouse=True)
def _quick() -> Iterator[None]:
    with training_runtime(threads=1):
        yield


def data(backbone: str = "mlp") -> TrainingData:
    codes = torch.arange(ROWS) % N_CLASSES
    x = torch.rand(ROWS, *SHAPES[backbone], generator=torch.Generator().manual_seed(0)) * 0.4
    x = x + codes.view(-1, 1, 1, 1) * 0.3
    return TrainingData(x, torch.arange(ROWS), codes, N_CLASSES, torch.arange(ROWS) < 2 * N_CLASSES)


def batch(backbone: str = "mlp") -> Batch:
    return data(backbone).batch(torch.arange(ROWS), CPU)


def make(name: str, backbone: str = "mlp", *, mixed: bool, seed: int = 0) -> Descent[Any, Any]:
    kind = METHODS[name]
    settings = with_overrides(kind.settings(data(backbone).inputs), {"hidden": 32, "latent_a": 6})
    method = kind(Setup(data(backbone), backbone, seed, CPU, noise_rate=0.2), settings)
    assert isinstance(method, Descent)
    assert not method.mixed_precision
    method.mixed_precision = mixed
    return method


def float32(*values: Tensor) -> bool:
    return all(value.dtype == torch.float32 for value in values)


@contextmanager
def output_dtypes(network: nn.Module) -> Iterator[set[torch.dtype]]:
    """Of its linear and convolutional layers, as they are used."""
    seen: set[torch.dtype] = set()
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Linear | nn.Conv2d)]
    hooks = [
        layer.register_forward_hook(lambda _, inputs, output: seen.add(output.dtype)) for layer in layers
    ]
    yield seen
    for hook in hooks:
        hook.remove()


@pytest.mark.parametrize("backbone", SHAPES)
@pytest.mark.parametrize("name", NAMES)
def test_a_step_is_mixed_and_near_the_full_one(name: str, backbone: str) -> None:
    mixed, full = make(name, backbone, mixed=True), make(name, backbone, mixed=False)
    with output_dtypes(mixed.learner.encoder) as seen, output_dtypes(mixed.learner.classifier) as also_seen:
        losses = mixed.step(batch(backbone), 0.5)
    in_full = {torch.float32} if name == LOOKS_AHEAD else set()
    assert seen == also_seen == {torch.bfloat16} | in_full
    with output_dtypes(full.learner) as seen:
        expected = full.step(batch(backbone), 0.5)
    assert seen == {torch.float32}
    assert float32(*losses.values(), *mixed.learner.parameters())
    assert losses != expected
    assert_close(losses, expected, rtol=1e-2, atol=NEAR[backbone])


@pytest.mark.parametrize("backbone", SHAPES)
@pytest.mark.parametrize("name", NAMES)
def test_predictions_are_full(name: str, backbone: str) -> None:
    """Those of the same parameters, to the bit."""
    mixed, full = make(name, backbone, mixed=True), make(name, backbone, mixed=False)
    mixed.step(batch(backbone), 0.5)
    full.learner.load_state_dict(mixed.learner.state_dict())
    full.guider.load_state_dict(mixed.guider.state_dict())
    found, expected = mixed.predict(batch(backbone).x), full.predict(batch(backbone).x)
    assert float32(*found)
    assert_close(found, expected, rtol=0, atol=0)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_learnt_is_near(name: str) -> None:
    mixed, full = make(name, mixed=True), make(name, mixed=False)
    for step in range(10):
        mixed.step(batch(), step / 10)
        full.step(batch(), step / 10)
    assert_close(mixed.predict(batch().x).learner, full.predict(batch().x).learner, rtol=0, atol=5e-3)


def test_networks_see_images_in_full_precision() -> None:
    """Positions of a jittered image need more than the 8 bits of bfloat16."""
    seen: list[list[Tensor]] = []
    for mixed in (True, False):
        method = make("umn_plus", mixed=mixed)
        assert method.values.jitter
        inputs: list[Tensor] = []
        for network in (method.learner, method.guider):
            network.encoder.register_forward_pre_hook(lambda _, given, to=inputs: to.append(given[0]))
        method.step(batch(), 0.5)
        seen.append(inputs)
    assert len(seen[0]) == 2
    assert float32(*seen[0])
    assert_close(seen[0], seen[1], rtol=0, atol=0)


def test_rows_in_blocks_are_mixed_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vae, "CPU_BLOCK", 1)  # one row a block
    mixed, full = make("umn", mixed=True), make("umn", mixed=False)
    with output_dtypes(mixed.learner.conditional_encoder) as seen:
        losses = mixed.step(batch(), 0.5)
    assert seen == {torch.bfloat16}
    assert float32(*losses.values())
    assert_close(losses, full.step(batch(), 0.5), rtol=1e-2, atol=NEAR["mlp"])
    gradients = [
        torch.cat([value.grad.flatten() for value in method.learner.parameters() if value.grad is not None])
        for method in (mixed, full)
    ]
    assert float32(*gradients)
    assert float(torch.corrcoef(torch.stack(gradients))[0, 1]) > 0.999


@pytest.mark.parametrize("name", STACKABLE)
def test_a_stack_is_mixed_as_each_run_alone(name: str) -> None:
    together = [make(name, mixed=True, seed=seed) for seed in range(2)]
    alone = [make(name, mixed=True, seed=seed) for seed in range(2)]
    full = [make(name, mixed=False, seed=seed) for seed in range(2)]
    stack = Stack(together)
    with output_dtypes(together[0].learner.encoder) as seen:
        losses = stack.step([batch(), batch()], 0.5)
        assert torch.bfloat16 in seen
        seen.clear()
        predictions = stack.predict(batch().x)
        assert seen == {torch.float32}
    assert float32(*losses.values(), *(value for each in predictions for value in each))
    for run in range(2):
        found = {term: value[run] for term, value in losses.items()}
        assert_close(found, alone[run].step(batch(), 0.5), rtol=1e-2, atol=NEAR["mlp"])
        expected = full[run].step(batch(), 0.5)
        assert found != expected
        assert_close(found, expected, rtol=1e-2, atol=NEAR["mlp"])
        assert_close(predictions[run], full[run].predict(batch().x), rtol=0, atol=5e-3)


@pytest.mark.parametrize("name", ["umn", "umn_plus"])
def test_the_epsilon_of_a_step_is_recorded_in_float32(name: str) -> None:
    """Though the step is not: the paper's rule reads the resolution of float32. The same in a stack."""
    mixed, full = make(name, mixed=True), make(name, mixed=False)
    mixed.step(batch(), 0.0)
    full.step(batch(), 0.0)
    stacked = make(name, mixed=True)
    stack = Stack([stacked])
    stack.step([batch()], 0.0)
    with output_dtypes(mixed.learner) as seen, output_dtypes(mixed.guider) as also_seen:
        epsilon = mixed.step_epsilon(batch())
    assert seen == also_seen == {torch.float32}
    assert float32(epsilon)
    assert_close(epsilon, full.step_epsilon(batch()), rtol=0, atol=5e-3)
    assert_close(stack.step_epsilon([batch()])[0], epsilon, rtol=0, atol=5e-3)


def test_predictions_of_all_rows_are_made_without_tf32(monkeypatch: pytest.MonkeyPatch) -> None:
    entered: list[bool] = []

    @contextmanager
    def spy() -> Iterator[None]:
        entered.append(True)
        yield
        entered.pop()

    for module in (train, joint_optimization):
        monkeypatch.setattr(module, "full_float32", spy)
    method = make("joint_optimization", mixed=True)
    assert isinstance(method, JointOptimization)
    predict = method.predict
    inside: list[bool] = []

    def watched(x: Tensor) -> Prediction:
        inside.append(bool(entered))
        return predict(x)

    monkeypatch.setattr(method, "predict", watched)
    predict_all(method, data(), CPU)
    method.probabilities()
    assert inside == [True, True]

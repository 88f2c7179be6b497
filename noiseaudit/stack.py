"""Many runs of one method as one: their parameters get a leading axis of R runs, and every step is a batched one.

Rates, seeds and priors may differ between the runs, shapes and settings may not. Each run draws from its own
generators in its own order, so it learns what it would learn alone, up to the order of floating-point sums.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad_and_value, stack_module_state, vmap

from noiseaudit.data.batches import BatchPlan
from noiseaudit.data.perturb import Draws, RecordedDraws, ReplayedDraws, Request
from noiseaudit.data.training import Batch, TrainingData
from noiseaudit.ema import update_average
from noiseaudit.errors import ConfigError
from noiseaudit.methods.base import Prediction
from noiseaudit.methods.descent import Descent, adam, decay_of, set_rate
from noiseaudit.models.classifier import Classifier
from noiseaudit.runtime import full_float32
from noiseaudit.train import PREDICT_ROWS, Course, EpochRecord, Fitted, accumulate

State = dict[str, Tensor]  # (R, ...) each


class _Terms(nn.Module):
    """A method's terms as a module, for functional_call."""

    def __init__(self, method: Descent[Any, Any]) -> None:
        super().__init__()
        self.learner, self.guider = method.learner, method.guider
        self.terms = method.terms

    def forward(self, batch: Batch, draws: Draws, progress: float) -> dict[str, Tensor]:
        return self.terms(self.learner, self.guider, batch, draws, progress)


class _Predict(nn.Module):
    """A network's prediction as a module, for functional_call."""

    def __init__(self, network: Classifier) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.network.predict(x)


class Stack:
    """R untrained runs of one method on a dense backbone, trained together."""

    def __init__(self, methods: Sequence[Descent[Any, Any]]) -> None:
        """Raises ConfigError unless the runs can be stacked."""
        self.methods, self.first = list(methods), methods[0]
        _check(self.methods)
        self.learner, self.buffers = stack_module_state([method.learner for method in methods])
        self.guider: State = {}
        if self.first.has_guider:
            self.guider, _ = stack_module_state([method.guider for method in methods])
        self.optimiser = adam(self.learner.values(), self.first.values, self.first.device)
        self.requests: list[Request] = []
        self.steps_done = 0

    def step(self, batches: Sequence[Batch], progress: float) -> dict[str, Tensor]:
        """One step of every run: named losses, (R,) each."""
        set_rate(self.optimiser, self.first.values, progress)
        noise = self._noise(batches[0], progress)
        batch = Batch(*(torch.stack(parts) for parts in zip(*batches, strict=True)))
        with torch.autocast(batch.x.device.type, torch.bfloat16, enabled=self.first.mixed_precision):
            gradients, (loss, terms) = vmap(grad_and_value(self._loss(progress), has_aux=True))(
                self.learner, self.guider, self.buffers, batch, noise
            )
        for name, parameter in self.learner.items():
            parameter.grad = gradients[name].contiguous()  # the fused Adam takes no other layout
        self.optimiser.step()
        if self.first.has_guider:
            decay = decay_of(self.first.values, self.steps_done, progress)
            update_average(self.guider.values(), self.learner.values(), decay)
        self.steps_done += 1
        return {"loss": loss.detach()} | {name: value.detach() for name, value in terms.items()}

    def predict(self, x: Tensor) -> list[Prediction]:
        """Predictions of every run for the same (B, *shape)."""
        learner = self._predict(self.learner, x)
        guider = self._predict(self.guider, x) if self.guider else learner
        return [Prediction(*parts) for parts in zip(learner[0], guider[0], guider[1], strict=True)]

    def unstack(self) -> None:
        """Hand every run its own trained parameters back."""
        for run, method in enumerate(self.methods):
            for network, state in ((method.learner, self.learner), (method.guider, self.guider)):
                values = {name: value[run].detach() for name, value in state.items()}
                network.load_state_dict(values, strict=False)

    def _loss(self, progress: float) -> Callable[..., tuple[Tensor, dict[str, Tensor]]]:
        module = _Terms(self.first)

        def loss(
            learner: State, guider: State, buffers: State, batch: Batch, noise: list[Tensor]
        ) -> tuple[Tensor, dict[str, Tensor]]:
            state = {f"learner.{name}": value for name, value in (learner | buffers).items()}
            state |= {f"guider.{name}": value for name, value in guider.items()}
            draws = ReplayedDraws(noise, len(batch.x))
            terms: dict[str, Tensor] = functional_call(module, state, (batch, draws, progress))
            return torch.stack(list(terms.values())).sum(), terms

        return loss

    def _noise(self, batch: Batch, progress: float) -> list[Tensor]:
        """What every run would draw by itself in this step: (R, B, ...) each."""
        if not self.requests:
            recorder = RecordedDraws(len(batch.x), batch.x.device)
            with torch.no_grad():
                self.first.terms(self.first.learner, self.first.guider, batch, recorder, progress)
            self.requests = recorder.requests
        draws = [Draws(method.generator, len(batch.x)) for method in self.methods]
        return [
            torch.stack([getattr(source, kind)(*shape) for source in draws]) for kind, shape in self.requests
        ]

    @torch.no_grad()
    def _predict(self, state: State, x: Tensor) -> tuple[Tensor, Tensor]:
        module = _Predict(self.first.learner)

        def predict(values: State) -> tuple[Tensor, Tensor]:
            named = {f"network.{name}": value for name, value in values.items()}
            result: tuple[Tensor, Tensor] = functional_call(module, named, (x,))
            return result

        return vmap(predict)(state)


def fit_stack(
    methods: Sequence[Descent[Any, Any]],
    data: Sequence[TrainingData],
    plan: BatchPlan,
    *,
    epochs: int,
    seeds: Sequence[int],
    device: torch.device,
    on_epoch: Callable[[int, EpochRecord], None],
) -> list[Fitted]:
    """`train.fit` for R runs on the same x at once; `on_epoch(run, record)` is called for each run after each epoch.

    Raises ConfigError if they cannot be stacked, TrainingDiverged if the loss of one becomes infinite or NaN.
    """
    stack, runs = Stack(methods), range(len(methods))
    courses = [Course(part, plan, epochs=epochs, seed=seed) for part, seed in zip(data, seeds, strict=True)]
    for epoch in range(1, epochs + 1):
        started = time.perf_counter()
        sums: dict[str, Tensor] = {}
        for steps in zip(*(course.steps(epoch) for course in courses), strict=True):
            batches = [part.batch(rows, device) for part, (rows, _) in zip(data, steps, strict=True)]
            accumulate(sums, stack.step(batches, steps[0][1]), plan.steps)
        predictions = _predict_all(stack, data[0], device)
        seconds = (time.perf_counter() - started) / len(methods)
        for run in runs:
            losses = {name: float(values[run]) for name, values in sums.items()}
            on_epoch(run, courses[run].end_epoch(epoch, losses, predictions[run], seconds))
    stack.unstack()
    return [course.fitted() for course in courses]


def _predict_all(stack: Stack, data: TrainingData, device: torch.device) -> list[Prediction]:
    """Every run's predictions of all m rows, on the CPU, float32."""
    rows = torch.arange(len(data.codes))
    with full_float32():
        parts = [stack.predict(data.batch(part, device).x) for part in rows.split(PREDICT_ROWS)]
    return [
        Prediction(*(torch.cat([value.cpu() for value in values]) for values in zip(*run, strict=True)))
        for run in zip(*parts, strict=True)
    ]


def _check(methods: Sequence[Descent[Any, Any]]) -> None:
    first = methods[0]
    alike = all(type(method) is type(first) and method.values == first.values for method in methods)
    if not alike or any(
        True for _ in first.learner.modules() if isinstance(_, nn.modules.batchnorm._BatchNorm)
    ):
        raise ConfigError(
            "only runs of one method with the same settings, on a dense backbone, can be trained as one"
        )

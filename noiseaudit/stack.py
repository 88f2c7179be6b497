"""Many runs of one method as one: their parameters get a leading axis of R runs, and every step is a batched one.

Rates, seeds and priors may differ between the runs, shapes and settings may not. Each run draws from its own
generators in its own order, so it learns what it would learn alone, up to the order of floating-point sums.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad_and_value, stack_module_state, vmap
from torch.nn.modules.batchnorm import _BatchNorm

from noiseaudit.course import Course, EpochRecord, Fitted
from noiseaudit.data.perturb import Draws, RecordedDraws, ReplayedDraws, Request
from noiseaudit.data.training import Batch, TrainingData
from noiseaudit.ema import update_average
from noiseaudit.errors import ConfigError
from noiseaudit.marginal import is_exact
from noiseaudit.methods.base import Prediction
from noiseaudit.methods.descent import Descent, adam, decay_of, set_rate
from noiseaudit.models.classifier import Classifier
from noiseaudit.models.vae import UMNNetworks
from noiseaudit.train import fit_all

State = dict[str, Tensor]  # (R, ...) each


class _Call(nn.Module):
    """A function of a method's networks as a module, for functional_call."""

    def __init__(self, method: Descent[Any, Any], function: Callable[..., Any]) -> None:
        super().__init__()
        self.learner, self.function = method.learner, function
        # A Learner that was here under two names would be left with the stacked parameters by functional_call.
        self.guider = method.guider if method.has_guider else None

    def forward(self, *args: Any) -> Any:
        return self.function(self.learner, self.guider or self.learner, *args)


class Stack:
    """R untrained runs of one method on a dense backbone, trained together."""

    def __init__(self, methods: Sequence[Descent[Any, Any]]) -> None:
        """Raises ConfigError unless the runs can be stacked."""
        _check(methods)
        self.methods, self.first, self.runs = list(methods), methods[0], len(methods)
        self.learner, self.buffers = stack_module_state([method.learner for method in methods])
        self.guider: State = {}
        if self.first.has_guider:
            self.guider, _ = stack_module_state([method.guider for method in methods])
        self.optimiser = adam(self.learner.values(), self.first.values, self.first.device)
        self.requests: list[Request] = []
        self.steps_done = 0

    @property
    def noise_known(self) -> Sequence[bool]:
        """Of each run."""
        return tuple(method.noise_known for method in self.methods)

    def step(self, batches: Sequence[Batch], progress: float) -> dict[str, Tensor]:
        """One step of every run: named losses, (R,) each."""
        set_rate(self.optimiser, self.first.values, progress)
        noise = self._noise(batches[0], progress)

        def loss(
            learner: State, rest: State, batch: Batch, noise: list[Tensor]
        ) -> tuple[Tensor, dict[str, Tensor]]:
            draws = ReplayedDraws(noise, len(batch.x))
            terms: dict[str, Tensor] = functional_call(module, learner | rest, (batch, draws, progress))
            return torch.stack(list(terms.values())).sum(), terms

        module = _Call(self.first, self.first.terms)
        with self._autocast():
            gradients, (total, terms) = vmap(grad_and_value(loss, has_aux=True))(
                self._named(self.learner), self._rest(), _stacked(batches), noise
            )
        for name, parameter in self._named(self.learner).items():
            parameter.grad = gradients[name].contiguous()  # the fused Adam takes no other layout
        self.optimiser.step()
        if self.first.has_guider:
            decay = decay_of(self.first.values, self.steps_done, progress)
            update_average(self.guider.values(), self.learner.values(), decay)
        self.steps_done += 1
        return {"loss": total.detach()} | {name: value.detach() for name, value in terms.items()}

    @torch.no_grad()
    def step_epsilon(self, batches: Sequence[Batch]) -> Tensor:
        """`Method.step_epsilon` of every run: (R, B)."""
        states = [method.generator.get_state() for method in self.methods]
        noise = self._noise(batches[0], 0.0)
        for method, state in zip(self.methods, states, strict=True):
            method.generator.set_state(state)

        def epsilon(networks: State, batch: Batch, noise: list[Tensor]) -> Tensor:
            draws = ReplayedDraws(noise, len(batch.x))
            found: Tensor = functional_call(module, networks, (batch, draws))
            return found

        module = _Call(self.first, self.first.epsilon)
        return vmap(epsilon)(self._named(self.learner) | self._rest(), _stacked(batches), noise)

    def end_epoch(self, epoch: int, epochs: int) -> None:
        """Nothing: a method that does something there is not stacked."""

    def after_epoch(
        self, epoch: int, epochs: int, predictions: Sequence[Prediction], codes: Sequence[Tensor]
    ) -> None:
        """Every run's own, whose buffers are taken over."""
        for method, prediction, given in zip(self.methods, predictions, codes, strict=True):
            method.after_epoch(epoch, epochs, prediction.guider, given)
        buffers = [dict(method.learner.named_buffers()) for method in self.methods]
        self.buffers = {name: torch.stack([each[name] for each in buffers]) for name in self.buffers}

    @torch.no_grad()
    def predict(self, x: Tensor) -> list[Prediction]:
        """Predictions of every run for the same (B, *shape)."""

        def both(networks: State) -> tuple[Tensor, Tensor, Tensor]:
            found: tuple[Tensor, Tensor, Tensor] = functional_call(module, networks, (x,))
            return found

        module = _Call(self.first, self._predict_both)
        probabilities = vmap(both)(self._named(self.learner) | self._rest())
        return [Prediction(*parts) for parts in zip(*probabilities, strict=True)]

    def unstack(self) -> None:
        """Hand every run its own trained parameters back."""
        for run, method in enumerate(self.methods):
            for network, state in ((method.learner, self.learner), (method.guider, self.guider)):
                values = {name: value[run].detach() for name, value in state.items()}
                network.load_state_dict(values, strict=False)

    def _predict_both(
        self, learner: Classifier, guider: Classifier, x: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        probs, latent = learner.predict(x)
        guided, latent = guider.predict(x) if self.first.has_guider else (probs, latent)
        return probs, guided, latent

    def _named(self, learner: State) -> State:
        return {f"learner.{name}": value for name, value in learner.items()}

    def _rest(self) -> State:
        """The states that a step does not descend on."""
        guider = {f"guider.{name}": value for name, value in self.guider.items()}
        return guider | self._named(self.buffers)

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.first.device.type, torch.bfloat16, enabled=self.first.mixed_precision)

    def _noise(self, batch: Batch, progress: float) -> list[Tensor]:
        """What every run would draw by itself in this step: (R, B, ...) each."""
        if not self.requests:
            recorder = RecordedDraws(len(batch.x), batch.x.device)
            with torch.no_grad():
                self.first.terms(self.first.learner, self.first.guider, batch, recorder, progress)
            self.requests = recorder.requests
        draws = [Draws(method.generator, len(batch.x)) for method in self.methods]
        return [
            torch.stack([source.numbers(kind, shape) for source in draws]) for kind, shape in self.requests
        ]


def fit_stack(
    methods: Sequence[Descent[Any, Any]],
    courses: Sequence[Course],
    *,
    device: torch.device,
    on_epoch: Callable[[int, EpochRecord], None],
    test: TrainingData | None = None,
    keep_step_epsilon: bool = False,
) -> list[Fitted]:
    """`train.fit_all` for R methods that can be stacked; each has its trained parameters afterwards.

    Raises ConfigError if they cannot be, TrainingDiverged if the loss of one becomes infinite or NaN.
    """
    stack = Stack(methods)
    fitted = fit_all(
        stack, courses, device=device, on_epoch=on_epoch, test=test, keep_step_epsilon=keep_step_epsilon
    )
    stack.unstack()
    return fitted


def _stacked(batches: Sequence[Batch]) -> Batch:
    return Batch(*(torch.stack(parts) for parts in zip(*batches, strict=True)))


def _check(methods: Sequence[Descent[Any, Any]]) -> None:
    if not methods:
        raise ConfigError("there are no runs to train", fix="Give one or more.")
    first, kind = methods[0], type(methods[0])
    learner = first.learner
    if isinstance(learner, UMNNetworks) and not is_exact(learner.n_classes):
        raise ConfigError(
            f"{learner.n_classes} are too many classes to train several runs as one", fix="Train one by one."
        )
    alike = all(_traits(method) == _traits(first) for method in methods)
    plain = kind.step is Descent.step and kind.end_epoch is Descent.end_epoch
    dense = not any(isinstance(part, _BatchNorm) for part in first.learner.modules())
    if not (alike and plain and dense):
        raise ConfigError(
            "only runs of one method with the same settings and shapes, on one device and a dense backbone, "
            "can be trained as one"
        )


def _traits(method: Descent[Any, Any]) -> tuple[Any, ...]:
    """What stacked runs have in common."""
    state = [*method.learner.named_parameters(), *method.learner.named_buffers()]
    shapes = {name: (value.shape, value.dtype) for name, value in state}
    return type(method), method.values, method.device, method.mixed_precision, method.is_image, shapes

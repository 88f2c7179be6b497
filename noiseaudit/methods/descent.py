"""What methods share that descend on a differentiable loss with Adam, with or without a Guider behind."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from typing import Generic, TypeVar

import torch
from torch import Tensor

from noiseaudit.checkpoint import State
from noiseaudit.config import GuiderSettings, Settings
from noiseaudit.data.perturb import Draws, jitter_images, see, see_twice
from noiseaudit.data.training import Batch
from noiseaudit.ema import make_guider, update_guider
from noiseaudit.methods.base import Method, Prediction, Setup
from noiseaudit.models.classifier import Classifier
from noiseaudit.part import current_part
from noiseaudit.schedules import cosine_decay, guider_decay
from noiseaudit.seeds import seeded_init, torch_generator

N = TypeVar("N", bound=Classifier)
S = TypeVar("S", bound=Settings)


class Descent(Method, Generic[N, S]):
    """One Adam step a batch on the sum of `terms`. Where there is a Guider, it follows the Learner (Eq. 7)."""

    def __init__(self, setup: Setup, settings: S) -> None:
        self.values, self.is_image = settings, len(setup.data.shape) > 1
        with seeded_init(setup.seed):
            learner = self.build(setup)
        self.learner: N = learner.to(setup.device).train()
        self.guider: N = make_guider(self.learner) if self.has_guider else self.learner
        self.generator = torch_generator(setup.seed, "draws", setup.device)
        self.device, self.mixed_precision = setup.device, setup.device.type == "cuda"
        self.optimiser = adam(self.learner.parameters(), settings, setup.device)
        self.steps_done, self.part = 0, current_part()

    def go_on(self, settings: S) -> None:
        """Train on with other settings, and on images: the networks were changed."""
        self.values, self.is_image = settings, True
        self.optimiser = adam(self.learner.parameters(), settings, self.device)

    @abstractmethod
    def build(self, setup: Setup) -> N:
        """The untrained networks, `self.values` being set. What differs between runs is in them, as buffers."""

    @abstractmethod
    def terms(self, learner: N, guider: N, batch: Batch, draws: Draws, progress: float) -> dict[str, Tensor]:
        """The weighted terms of the loss, scalars.

        A function of its arguments and `self.values` alone, and without shapes that depend on values, so that
        many runs can be trained as one (noiseaudit.stack).
        """

    def epsilon(self, learner: N, guider: N, batch: Batch, draws: Draws) -> Tensor:
        """Eq. 8 of a step, from the draws of its terms: (B,); see Method.step_epsilon."""
        raise NotImplementedError

    @torch.no_grad()
    def step_epsilon(self, batch: Batch) -> Tensor:
        state = self.generator.get_state()
        buffers = [buffer.clone() for buffer in self.learner.buffers()]  # BatchNorm counts what it sees
        # In float32 even where steps are not: the rule reads the resolution of probabilities near 1.
        found = self.epsilon(self.learner, self.guider, batch, Draws(self.generator, len(batch.x)))
        self.generator.set_state(state)
        for buffer, before in zip(self.learner.buffers(), buffers, strict=True):
            buffer.copy_(before)
        return found

    def step(self, batch: Batch, progress: float) -> dict[str, Tensor]:
        set_rate(self.optimiser, self.values, progress)
        draws, batch = self.part.draws(self.generator, len(batch.x)), self.part.take(batch)
        with torch.autocast(batch.x.device.type, torch.bfloat16, enabled=self.mixed_precision):
            terms = self.terms(self.learner, self.guider, batch, draws, progress)
        loss = torch.stack(list(terms.values())).sum()
        self.optimiser.zero_grad()
        loss.backward()
        losses = {"loss": loss.detach()} | {name: value.detach() for name, value in terms.items()}
        losses = self.part.combine(self.learner.parameters(), losses)
        self.optimiser.step()
        if self.has_guider:
            update_guider(self.guider, self.learner, decay_of(self.values, self.steps_done, progress))
        self.steps_done += 1
        return losses

    def state(self) -> State:
        """Networks with their buffers, the optimiser's averages, and where the random draws are."""
        networks = (
            {"learner": self.learner, "guider": self.guider} if self.has_guider else {"learner": self.learner}
        )
        return {
            **{name: network.state_dict() for name, network in networks.items()},
            "optimiser": {
                str(number): dict(each) for number, each in self.optimiser.state_dict()["state"].items()
            },
            "generator": self.generator.get_state(),
            "steps_done": self.steps_done,
        }

    def load_state(self, state: State) -> None:
        self.learner.load_state_dict(state["learner"])
        if self.has_guider:
            self.guider.load_state_dict(state["guider"])
        averages = {int(number): each for number, each in state["optimiser"].items()}
        groups = self.optimiser.state_dict()["param_groups"]  # rates are set anew in every step
        self.optimiser.load_state_dict({"state": averages, "param_groups": groups})
        self.generator.set_state(state["generator"])
        self.steps_done = state["steps_done"]

    def perturb(self, x: Tensor, draws: Draws) -> tuple[Tensor, Tensor]:
        """The image to reconstruct (jittered) and the one that is seen (jittered, with values dropped, with noise)."""
        with torch.autocast(x.device.type, enabled=False):  # positions need more than bfloat16's 8 bits
            x = self._jittered(x, draws)
            return x, see(x, self.values.input_dropout, self.values.input_noise, draws)

    def perturb_twice(self, x: Tensor, draws: Draws) -> tuple[Tensor, Tensor, Tensor]:
        """`perturb`, and what the Guider sees: its own jitter, numbers of another row (Draws.pair)."""
        with torch.autocast(x.device.type, enabled=False):
            first, second = self._jittered(x, draws), self._jittered(x, draws)
            values = self.values
            return first, *see_twice(first, second, values.input_dropout, values.input_noise, draws)

    def _jittered(self, x: Tensor, draws: Draws) -> Tensor:
        jitters = self.is_image and self.values.jitter
        return jitter_images(x, self.values.jitter, draws) if jitters else x

    @torch.no_grad()
    def predict(self, x: Tensor) -> Prediction:
        """Learner and Guider on unperturbed x, z_a = posterior mean, float32: what epsilon is recorded from."""
        self.learner.eval()
        found = self.part.rows(self._predict, x)
        self.learner.train()
        return Prediction(*found)

    def _predict(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        learner, latent = self.learner.predict(x)
        guider = learner
        if self.has_guider:
            guider, latent = self.guider.predict(x)
        return learner, guider, latent


def adam(parameters: Iterable[Tensor], settings: Settings, device: torch.device) -> torch.optim.Adam:
    """The paper's optimiser (section 4.1)."""
    return torch.optim.Adam(
        parameters,
        lr=settings.learning_rate,
        betas=(settings.beta1, settings.beta2),
        fused=device.type in ("cpu", "cuda"),
    )


def set_rate(optimiser: torch.optim.Optimizer, settings: Settings, progress: float) -> None:
    """The learning rate at this point of the schedule."""
    for group in optimiser.param_groups:
        group["lr"] = settings.learning_rate * cosine_decay(progress, settings.lr_decay_start)


def decay_of(settings: Settings, step: int, progress: float) -> float:
    """gamma of Eq. 7 for a method with a Guider."""
    assert isinstance(settings, GuiderSettings)
    return guider_decay(
        step, progress, settings.guider_decay_early, settings.guider_decay_late, settings.guider_switch
    )

"""MentorNet (Jiang et al., "MentorNet: Learning Data-Driven Curriculum for Very Deep Neural Networks on Corrupted
Labels", ICML 2018): a classifier whose samples are weighed by a mentor that sees their losses.

The loss is the mean over the batch's labelled rows of v times the cross-entropy. No gradient flows through v.

- `mentor=predefined` (the default): v = clip(1 - (loss - lambda_1) / lambda_2, 0, 1), the closed form of the paper's
  predefined curriculum (section 3.1), lambda_1 being a moving average of a percentile of the batch's losses.
- `mentor=learned`: the paper's small network (noiseaudit.mentor), here learnt when the run starts, from the seed: first
  to follow the closed form, then on digits with planted noise. It is fixed afterwards, while the paper also knows
  mentors that learn along with the student. As its labels are another data set's, it is told no label.

For the first fifth of the schedule (burn-in) every weight is 1; then the mentor decides. In both, some samples are
dropped at random, more of them in the burn-in (`burn_in_dropout`, `dropout`).

The burn-in's dropout of 0.5 and 0.05 after it are those of the authors' commands, which for the predefined curriculum
have no burn-in (`--set burn_in=0`), while the paper has 20 %. The average's decay is that of their function's
signature; their training script passes 0.5. Where paper and code leave it open, or ask for a guess: the percentile is
1 - noise_rate of the losses, so that the assumed share of wrong labels lies above lambda_1 (theirs is set by hand: 0.75
at 20 and 40 % noise, 0.5 at 80 %); the moving average starts at the first batch's percentile (theirs at 0) and takes
each batch in before it is weighed; samples are dropped one by one at random (theirs an exact number); lambda_2 is ours.
Left out so that methods differ by nothing else: the paper's weight decay (theta |w|^2), its networks and its optimiser.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from noiseaudit.checkpoint import State
from noiseaudit.config import Settings, one_of, require
from noiseaudit.data.inputs import Inputs
from noiseaudit.data.perturb import Draws
from noiseaudit.data.training import Batch
from noiseaudit.errors import ConfigError
from noiseaudit.mentor import (
    EPOCH_STEPS,
    UNKNOWN,
    Features,
    learn_mentor,
    moving_percentile,
    predefined_weights,
)
from noiseaudit.methods.base import Setup
from noiseaudit.methods.descent import Descent
from noiseaudit.models import build_classifier
from noiseaudit.models.classifier import Classifier


@dataclass(frozen=True)
class MentorNetSettings(Settings):
    """The curriculum's shape and schedule."""

    mentor: Literal["predefined", "learned"] = "predefined"
    lambda2: float = 1.0  # loss over which the predefined weight falls from 1 to 0; 0 = at once
    percentile_decay: float = 0.9  # of the moving average of the batch's percentile
    burn_in: float = 0.2  # share of the schedule (the paper's 20 %) before the mentor decides
    burn_in_dropout: float = 0.5  # share of samples dropped meanwhile
    dropout: float = 0.05  # share of samples dropped afterwards

    def __post_init__(self) -> None:
        """Raises ConfigError naming the setting that is out of range."""
        super().__post_init__()
        one_of("--set mentor", self.mentor, ("predefined", "learned"))
        self.within(0, 1_000, "lambda2")
        self.within(0, 1, "burn_in")
        for name in ("percentile_decay", "burn_in_dropout", "dropout"):
            require(0 <= getattr(self, name) < 1, f"--set {name}", "from 0 to below 1")


class MentorNet(Descent[Classifier, MentorNetSettings]):
    """Cross-entropy with the mentor's weights. A run keeps its moving percentile, so it is not stacked."""

    has_guider = False
    uses_unlabelled = False
    needs: ClassVar[frozenset[str]] = frozenset({"noise_rate"})

    def __init__(self, setup: Setup, settings: MentorNetSettings) -> None:
        """Raises ConfigError without a noise rate."""
        if setup.noise_rate is None:
            raise ConfigError(
                "mentornet needs --noise-rate", fix="Give the share of wrong labels that you assume."
            )
        super().__init__(setup, settings)
        self.share = 1 - setup.noise_rate
        self.percentile: Tensor | None = None  # lambda_1, of the batches so far
        self._percentile_now: Tensor | None = None  # with the batch of the step under way
        if settings.mentor == "learned":
            self.mentor = copy.deepcopy(learn_mentor(setup.seed, settings.lambda2)).to(setup.device)

    @staticmethod
    def settings(inputs: Inputs) -> MentorNetSettings:
        """The same for all data."""
        return MentorNetSettings()

    def build(self, setup: Setup) -> Classifier:
        return build_classifier(setup.backbone, setup.data.shape, setup.data.n_classes, self.values)

    def step(self, batch: Batch, progress: float) -> dict[str, Tensor]:
        losses = super().step(batch, progress)
        self.percentile = self._percentile_now
        return losses

    def terms(
        self, learner: Classifier, guider: Classifier, batch: Batch, draws: Draws, progress: float
    ) -> dict[str, Tensor]:
        """The weighted cross-entropy, 0 without labelled rows."""
        is_labelled = batch.given >= 0
        logits = learner.classify(learner.encode(self.perturb(batch.x, draws)[1]).mean)
        losses = F.cross_entropy(logits, batch.given.clamp_min(0), reduction="none") * is_labelled
        self._percentile_now = self.take_in(losses.detach()[is_labelled])
        weights = self.weigh(losses.detach(), self._percentile_now, progress) * self.kept(draws, progress)
        return {"labelled": (weights * losses).sum() / is_labelled.sum().clamp_min(1)}

    def state(self) -> State:
        """lambda_1, too. The mentor is learnt again from the seed."""
        return {**super().state(), "percentile": self.percentile}

    def load_state(self, state: State) -> None:
        super().load_state(state)
        percentile = state["percentile"]
        self.percentile = None if percentile is None else percentile.to(self.device)

    def take_in(self, losses: Tensor) -> Tensor | None:
        """lambda_1 with these losses of labelled rows (k,); as it was if there are none."""
        if not len(losses):
            return self.percentile
        return moving_percentile(self.percentile, losses, self.share, self.values.percentile_decay)

    @torch.no_grad()
    def weigh(self, losses: Tensor, percentile: Tensor | None, progress: float) -> Tensor:
        """v of each sample by the mentor, given lambda_1: (B,) -> (B,), without gradient; 1 during burn-in."""
        if progress < self.values.burn_in or percentile is None:
            return torch.ones_like(losses)
        difference = losses - percentile
        if self.values.mentor == "predefined":
            return predefined_weights(difference, self.values.lambda2)
        label = torch.full_like(losses, UNKNOWN, dtype=torch.int64)
        percent = torch.full_like(label, int(progress * EPOCH_STEPS))
        with torch.autocast(losses.device.type, enabled=False):
            weights: Tensor = self.mentor(Features(losses, difference, label, percent)).sigmoid()
        return weights

    def kept(self, draws: Draws, progress: float) -> Tensor:
        """0 for the samples that are dropped in this step, 1 for the others: (B,)."""
        rate = self.values.burn_in_dropout if progress < self.values.burn_in else self.values.dropout
        return (draws.uniform() >= 2 * rate - 1).float()

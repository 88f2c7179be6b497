"""Joint Optimization (Tanaka et al., "Joint Optimization Framework for Learning with Noisy Labels", CVPR 2018): the
labels are learnt along with the network.

The loss is L_c + alpha L_p + beta L_e over the batch's labelled rows, s being the network's probabilities:

- L_c, the mean of KL(y || s), y being each row's label in a memory that starts at the given ones;
- L_p = KL(p || mean of s), p being the classes' prior: without it, one class for all would be a solution;
- L_e, the mean entropy of s: without it, soft labels would have nothing to decide them.

From a point of the schedule on, y becomes after each epoch the average of the network's probabilities over the last ten
epochs (`labels=hard`: its argmax). In the paper's second step a fresh network learns the labels found, with L_c alone;
here that is the schedule's last part: the network starts again, by other draws, and the memory stays. Set
`second_stage=1` to do without. What the audit averages over its later epochs therefore spans both networks.

Defaults: alpha 1.2 and beta 0.8, the paper's for symmetric noise; 200 epochs, relabelling from the 70th, then 120 more
make the shares below. Where the paper leaves it open: the probabilities are those of the unperturbed rows in eval mode
after each epoch (the authors' code keeps those of the epoch's training passes); the mean of s is the batch's. Left out
so that methods differ by nothing else: its SGD with a high learning rate, which is part of why a network does not
memorise there, and its weight decay.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from noiseaudit.checkpoint import State
from noiseaudit.config import Settings, one_of, require
from noiseaudit.data.inputs import Inputs
from noiseaudit.data.perturb import Draws
from noiseaudit.data.training import Batch
from noiseaudit.methods.base import Setup
from noiseaudit.methods.descent import Descent, adam
from noiseaudit.models import build_classifier
from noiseaudit.models.classifier import Classifier
from noiseaudit.objective import entropy
from noiseaudit.priors import log_prior
from noiseaudit.runtime import full_float32
from noiseaudit.seeds import seeded_init

LABEL_ROWS = 1024  # rows predicted at once after an epoch
LEAST_SHARE = 1e-12  # of a class in the batch's mean, inside a logarithm


@dataclass(frozen=True)
class JointSettings(Settings):
    """Weights of the terms, and when labels change."""

    alpha: float = 1.2  # weight of L_p
    beta: float = 0.8  # weight of L_e
    prior: Literal["uniform", "empirical"] = (
        "uniform"  # p of L_p: uniform (paper), or the given labels' shares
    )
    labels: Literal["soft", "hard"] = "soft"  # what the memory holds after relabelling
    average_epochs: int = 10  # epochs whose probabilities are averaged
    relabel_from: float = 0.21875  # share of the schedule: epoch 70 of 200 + 120
    second_stage: float = 0.625  # share after which a fresh network learns the labels: 200 of 320; 1 = never

    def __post_init__(self) -> None:
        """Raises ConfigError naming the setting that is out of range."""
        super().__post_init__()
        self.within(0, 1_000, "alpha", "beta")
        self.within(1, 1_000, "average_epochs")
        self.within(0, 1, "relabel_from", "second_stage")
        require(self.relabel_from <= self.second_stage, "--set relabel_from", "at most second_stage")
        one_of("--set prior", self.prior, ("uniform", "empirical"))
        one_of("--set labels", self.labels, ("soft", "hard"))


class JointOptimization(Descent[Classifier, JointSettings]):
    """A classifier and a memory of labels. The memory changes after an epoch, so runs are not stacked."""

    has_guider = False
    uses_unlabelled = False

    def __init__(self, setup: Setup, settings: JointSettings) -> None:
        super().__init__(setup, settings)
        self.setup, codes = setup, setup.data.codes
        self.labelled = (codes >= 0).nonzero().flatten()
        start = F.one_hot(codes.clamp_min(0), setup.data.n_classes).float()
        self.labels = (start * (codes >= 0).unsqueeze(1)).to(setup.device)  # (m, C), 0 where unlabelled
        self.log_prior = log_prior(settings.prior, codes, setup.data.n_classes).to(setup.device)
        self.history: deque[Tensor] = deque(maxlen=settings.average_epochs)  # (k, C) each, labelled rows
        self.labels_are_final, self.starts_again = False, False

    @staticmethod
    def settings(inputs: Inputs) -> JointSettings:
        """The same for all data."""
        return JointSettings()

    def build(self, setup: Setup) -> Classifier:
        return build_classifier(setup.backbone, setup.data.shape, setup.data.n_classes, self.values)

    def terms(
        self, learner: Classifier, guider: Classifier, batch: Batch, draws: Draws, progress: float
    ) -> dict[str, Tensor]:
        """L_c, and in the first stage alpha L_p and beta L_e; all 0 without labelled rows."""
        logits = learner.classify(learner.encode(self.perturb(batch.x, draws)[1]).mean)
        log_probs = F.log_softmax(logits, dim=1)
        is_labelled = (batch.given >= 0).float()
        share = is_labelled / is_labelled.sum().clamp_min(1)  # of each row in a mean over the labelled ones
        divergence = F.kl_div(log_probs, self.labels[batch.rows], reduction="none").sum(1)
        terms = {"classification": (share * divergence).sum()}
        if not self.labels_are_final:
            probs = log_probs.exp()
            distance = prior_loss((share.unsqueeze(1) * probs).sum(0), self.log_prior)
            terms["prior"] = self.values.alpha * distance * is_labelled.amax()
            terms["entropy"] = self.values.beta * (share * entropy(probs, log_probs)).sum()
        return terms

    def step(self, batch: Batch, progress: float) -> dict[str, Tensor]:
        """As every method's; the second stage starts with its first step, so that no untrained network predicts."""
        if self.starts_again:
            self.restart()
        return super().step(batch, progress)

    def end_epoch(self, epoch: int, epochs: int) -> None:
        """Relabel, and let the second stage follow, where the schedule says so."""
        last = max(1, round(self.values.second_stage * epochs))
        first = min(max(1, round(self.values.relabel_from * epochs)), last)
        if epoch > last or epoch <= first - self.values.average_epochs:
            return
        self.remember(self.probabilities())
        if epoch >= first:
            self.relabel()
        self.starts_again = epoch == last < epochs

    def probabilities(self) -> Tensor:
        """The network's, of the labelled rows: (k, C), on the CPU."""
        with full_float32():
            parts = [
                self.predict(self.setup.data.batch(rows, self.device).x).learner.cpu()
                for rows in self.labelled.split(LABEL_ROWS)
            ]
        return torch.cat(parts)

    def remember(self, probs: Tensor) -> None:
        """Keep an epoch's probabilities of the labelled rows, (k, C), and forget what is too old."""
        self.history.append(probs)

    def relabel(self) -> None:
        """Give each labelled row the average of what is remembered, or its argmax."""
        mean = torch.stack(list(self.history)).mean(0)
        if self.values.labels == "hard":
            mean = F.one_hot(mean.argmax(1), mean.shape[1]).float()
        self.labels[self.labelled.to(self.device)] = mean.to(self.labels)

    def state(self) -> State:
        """The labels, too, and what they are averaged from. A restarted network is like any other."""
        return {
            **super().state(),
            "labels": self.labels,
            "history": {str(number): probs for number, probs in enumerate(self.history)},
            "labels_are_final": self.labels_are_final,
            "starts_again": self.starts_again,
        }

    def load_state(self, state: State) -> None:
        super().load_state(state)
        self.labels = state["labels"].to(self.device)
        remembered = state.get("history", {})
        self.history.extend(remembered[str(number)] for number in range(len(remembered)))
        self.labels_are_final, self.starts_again = state["labels_are_final"], state["starts_again"]

    def restart(self) -> None:
        """A fresh network and optimiser for labels that no longer change."""
        with seeded_init(self.setup.seed, "second stage"):
            fresh = self.build(self.setup)
        self.learner = self.guider = fresh.to(self.device).train()
        self.optimiser = adam(self.learner.parameters(), self.values, self.device)
        self.labels_are_final, self.starts_again = True, False
        self.history.clear()


def prior_loss(mean: Tensor, log_prior: Tensor) -> Tensor:
    """L_p = KL(p || mean) for a batch's mean probabilities (C,): a scalar."""
    return (log_prior.exp() * (log_prior - mean.clamp_min(LEAST_SHARE).log())).sum()

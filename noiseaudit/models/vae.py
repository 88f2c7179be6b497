"""The five networks of UMN around a backbone: q(z_a|x), q(y|z_a), q(z_b|z_a,y), p(z_a|z_b,y), p(x|z_a)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from noiseaudit.data.perturb import Draws
from noiseaudit.densities import sample_normal
from noiseaudit.objective import class_cost

LOG_VARIANCE_LIMIT = 6.0  # log-variances stay within +-6: standard deviations in [0.05, 20]
ACTIVATION_BUDGET = 2**24  # floats in the largest activation of the marginal over y: 64 MiB


class Gaussian(NamedTuple):
    """A diagonal normal: mean and log-variance, (..., d)."""

    mean: Tensor
    log_variance: Tensor

    @classmethod
    def of(cls, output: Tensor) -> Gaussian:
        """From a network's output, in float32 even where the network ran in less."""
        mean, log_variance = output.float().chunk(2, dim=-1)
        return cls(mean, log_variance.clamp(-LOG_VARIANCE_LIMIT, LOG_VARIANCE_LIMIT))


def dense(n_in: int, hidden: int, n_out: int) -> nn.Sequential:
    """One hidden ReLU layer, no activation at the output (paper, section 4.1)."""
    return nn.Sequential(nn.Linear(n_in, hidden), nn.ReLU(), nn.Linear(hidden, n_out))


class ClassConditional(nn.Module):
    """A dense network of (input, y), one hidden layer. Being linear in (input, y) there, its two parts are summed."""

    def __init__(self, n_in: int, n_classes: int, hidden: int, n_out: int) -> None:
        super().__init__()
        self.input = nn.Linear(n_in, hidden)
        self.label = nn.Embedding(n_classes, hidden)
        nn.init.uniform_(self.label.weight, -(n_in**-0.5), n_in**-0.5)
        self.output = nn.Linear(hidden, 2 * n_out)

    def forward(self, value: Tensor, classes: Tensor) -> Gaussian:
        """`value` is (B, 1, n_in) or (B, K, n_in), `classes` (K,): a Gaussian of (B, K, n_out)."""
        return Gaussian.of(self.output(F.relu(self.input(value) + self.label(classes))))


class UMNNetworks(nn.Module):
    """The Learner's (and the Guider's) parameters theta."""

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        n_classes: int,
        hidden: int,
        latent_a: int,
        latent_b: int,
    ) -> None:
        """`encoder` maps x to (B, 2 latent_a), `decoder` maps z_a to the parameters of p(x|z_a)."""
        super().__init__()
        self.n_classes, self.hidden = n_classes, hidden
        self.latent_a, self.latent_b = latent_a, latent_b
        self.encoder = encoder
        self.classifier = dense(latent_a, hidden, n_classes)
        self.conditional_encoder = ClassConditional(latent_a, n_classes, hidden, latent_b)
        self.conditional_decoder = ClassConditional(latent_b, n_classes, hidden, latent_a)
        self.decoder = decoder

    def encode(self, x: Tensor) -> Gaussian:
        """q(z_a|x): (B, ...) -> two of (B, Za)."""
        return Gaussian.of(self.encoder(x))

    def classify(self, z_a: Tensor) -> Tensor:
        """Logits of q(y|z_a): (B, Za) -> (B, C)."""
        logits: Tensor = self.classifier(z_a)
        return logits.float()

    def class_costs(self, z_a: Tensor, draws: Draws) -> Tensor:
        """objective.class_cost for every class: (B, Za) -> (B, C).

        Where B x C x hidden would pass ACTIVATION_BUDGET, classes go in chunks whose noise and activations are made
        again in the backward pass, so that only a few (B, C) tensors grow with C. B is the global batch here: the
        chunks, and so the draws, must not depend on how many processes share it.
        """
        chunk = max(1, ACTIVATION_BUDGET // (draws.batch * self.hidden))
        parts = torch.arange(self.n_classes, device=z_a.device).split(chunk)
        if len(parts) == 1:
            return self._chunk_costs(z_a, parts[0], lambda: draws)
        costs = [
            checkpoint(self._chunk_costs, z_a, part, draws.fork(), use_reentrant=False) for part in parts
        ]
        return torch.cat(costs, dim=1)

    def _chunk_costs(self, z_a: Tensor, classes: Tensor, source: Callable[[], Draws]) -> Tensor:
        noise = source().normal(len(classes), self.latent_b)
        q_zb: Gaussian = self.conditional_encoder(z_a.unsqueeze(1), classes)
        p_za: Gaussian = self.conditional_decoder(sample_normal(*q_zb, noise), classes)
        return class_cost(z_a, q_zb, p_za)

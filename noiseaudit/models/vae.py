"""The five networks of UMN around a backbone: q(z_a|x), q(y|z_a), q(z_b|z_a,y), p(z_a|z_b,y), p(x|z_a)."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from noiseaudit.data.perturb import Draws
from noiseaudit.densities import sample_normal
from noiseaudit.models.classifier import Classifier, Gaussian
from noiseaudit.objective import class_cost

ACTIVATION_BUDGET = 2**24  # floats in the largest activation of the marginal over y: 64 MiB


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
        return Gaussian.of(self.output(F.relu_(self.input(value) + self.label(classes))))


class UMNNetworks(Classifier):
    """The Learner's (and the Guider's) parameters theta, and the prior as a buffer: all that a run's terms read."""

    log_prior: Tensor
    noise: Tensor  # T, rows y; zeros as long as it is not known, (0, 0) if it never will be

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        log_prior: Tensor,
        hidden: int,
        latent_a: int,
        latent_b: int,
    ) -> None:
        """`encoder` maps x to (B, 2 latent_a), `decoder` z_a to the parameters of p(x|z_a); `log_prior` is (C,)."""
        n_classes = len(log_prior)
        super().__init__(encoder, n_classes, hidden, latent_a)
        self.latent_b = latent_b
        self.conditional_encoder = ClassConditional(latent_a, n_classes, hidden, latent_b)
        self.conditional_decoder = ClassConditional(latent_b, n_classes, hidden, latent_a)
        self.decoder = decoder
        self.register_buffer("log_prior", log_prior)
        self.register_buffer("noise", torch.zeros(0, 0))

    def class_costs(self, z_a: Tensor, draws: Draws) -> Tensor:
        """objective.class_cost for every class: (B, Za) -> (B, C), of a batch or of some of its rows.

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
        noise = source().normal(len(classes), self.latent_b)[: len(z_a)]
        q_zb: Gaussian = self.conditional_encoder(z_a.unsqueeze(1), classes)
        p_za: Gaussian = self.conditional_decoder(sample_normal(*q_zb, noise), classes)
        return class_cost(z_a, q_zb, p_za)

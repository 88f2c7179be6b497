"""The five networks of UMN around a backbone: q(z_a|x), q(y|z_a), q(z_b|z_a,y), p(z_a|z_b,y), p(x|z_a)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from noiseaudit import marginal, objective
from noiseaudit.blocks import mean_over_rows
from noiseaudit.data.perturb import Draws
from noiseaudit.densities import sample_normal
from noiseaudit.models.classifier import Classifier, Gaussian

# Floats in the largest activation of the sum over y, rows x classes x hidden units. On a CPU 4 MiB, what a
# cache may hold (from 0.5 to 64 MiB no clear difference was measured); elsewhere 256 MiB, for memory's sake.
CPU_BLOCK, DEVICE_BLOCK = 2**20, 2**26


class ClassConditional(nn.Module):
    """A dense network of (input, y), one hidden layer. Being linear in (input, y) there, its two parts are summed."""

    def __init__(self, n_in: int, n_classes: int, hidden: int, n_out: int) -> None:
        super().__init__()
        self.input = nn.Linear(n_in, hidden)
        self.label = nn.Embedding(n_classes, hidden)
        nn.init.uniform_(self.label.weight, -(n_in**-0.5), n_in**-0.5)
        self.output = nn.Linear(hidden, 2 * n_out)

    def forward(self, value: Tensor, classes: Tensor) -> Gaussian:
        """`value` is (B, 1, n_in) or (B, K, n_in), `classes` (K,) or (B, K): a Gaussian of (B, K, n_out)."""
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

    def conditional_term(
        self, z_a: Tensor, probs: Tensor, log_q_za: Tensor, given: Tensor, draws: Draws
    ) -> Tensor:
        """objective.conditional_term, averaged over the rows of a batch or some of them: a scalar.

        `z_a` is (B, Za), `probs` q(y|z_a) (B, C), `log_q_za` and `given` are (B,). The sum over y is exact up to
        marginal.EXACT_CLASSES, unbiased beyond. Rows go in blocks (noiseaudit.blocks), but for a stack of runs.
        """
        terms = marginal.all_classes(probs)
        if not marginal.is_exact(self.n_classes):
            uniform = (draws.uniform(marginal.SAMPLED)[: len(z_a)] + 1) / 2
            terms = marginal.some_classes(probs, given, uniform, marginal.TOP)
        noise = draws.normal(terms.weights.shape[1], self.latent_b)[: len(z_a)]
        rows = [z_a, terms.weights, log_q_za, noise]
        function: Callable[..., Tensor] = self._conditional_terms
        if terms.classes.dim() == 1:
            function = partial(function, classes=terms.classes)
        else:
            rows.append(terms.classes)
        parameters = [*self.conditional_encoder.parameters(), *self.conditional_decoder.parameters()]
        limit = CPU_BLOCK if z_a.device.type == "cpu" else DEVICE_BLOCK
        block = limit // (noise.shape[1] * self.hidden) if draws.may_be_split else len(z_a)
        return mean_over_rows(function, rows, parameters, block)

    def _conditional_terms(
        self, z_a: Tensor, weights: Tensor, log_q_za: Tensor, noise: Tensor, classes: Tensor
    ) -> Tensor:
        """objective.conditional_term of some rows: (b,)."""
        cost = self.class_costs(z_a, noise, classes)
        if classes.dim() > 1:
            level = marginal.baseline(weights, cost, marginal.TOP)
            return objective.conditional_term(weights, cost - level[:, None], log_q_za + level)
        return objective.conditional_term(weights, cost, log_q_za)

    def class_costs(self, z_a: Tensor, noise: Tensor, classes: Tensor) -> Tensor:
        """objective.class_cost: (B, Za), noise (B, K, Zb), classes (K,) or (B, K) -> (B, K)."""
        q_zb: Gaussian = self.conditional_encoder(z_a.unsqueeze(1), classes)
        p_za: Gaussian = self.conditional_decoder(sample_normal(*q_zb, noise), classes)
        return objective.class_cost(z_a, q_zb, p_za)

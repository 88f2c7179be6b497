"""Mislabeled VAE: Langevin, Mehlman, Regier, Lopez, Jordan and Yosef, "A deep generative model for semi-supervised
classification with noisy labels", 2018 (arXiv 1809.05957).

The true label y is latent, and the observed label y_hat comes from it by class-conditional noise of a known rate r:

    y ~ p(y),  z_b ~ N(0, I),  z_a ~ p(z_a|z_b, y),  x ~ p(x|z_a),  y_hat ~ p(y_hat|y)
    p(y_hat|y) = 1 - r where y_hat = y, r / (C - 1) elsewhere

The bound is derived here from that model, as Sun et al. 2021 (section 3.1) describe it. With the posterior
q(z_a|x) q(y|z_a) q(z_b|z_a, y), Jensen's inequality gives

    log p(x, y_hat) >= E_q [ log p(x|z_a) + log p(z_a|z_b, y) + log p(z_b) + log p(y) + log p(y_hat|y)
                             - log q(z_a|x) - log q(y|z_a) - log q(z_b|z_a, y) ]

and, collected by variable and summed exactly over y, the negative of it is, under z_a ~ q(z_a|x),

    reconstruction  - log p(x|z_a)
    conditional     sum_y q(y|z_a) [ KL(q(z_b|z_a, y) || N(0, I)) - E log p(z_a|z_b, y) ] + log q(z_a|x)
    label_kl        KL(q(y|z_a) || p(y))
    labelled        - sum_y q(y|z_a) log p(y_hat|y)        labelled rows only

so the bound differs from Eq. 4 of UMN in the last term alone, where a constant r stands for epsilon; there it is linear
in q, -q(y_hat|z_a) log[(1 - r)(C - 1) / r] up to a constant. Together with label_kl it draws q(y|z_a) of a labelled row
to p(y) p(y_hat|y), not to certainty.

Defaults: every weight 1, the bound itself; a uniform p(y). The rate has no default: Sun et al. 2021 give the true one
(`--noise-rate`). Encoders, decoders, perturbations and optimiser are UMN's, as in Sun et al., section 4.1.

Where the papers are ambiguous:

- whether the posterior of y sees y_hat. Here it does not, as Sun et al. say of theirs (Eq. 3): the classifier must do
  without y_hat on unlabelled rows. For the same reason the term is E_q log p(y_hat|y), the bound's, and not the larger
  log sum_y q(y|z_a) p(y_hat|y), which is forward correction and no part of that bound.
- the balance of the terms. Per row all weights are 1; but each term is averaged over the rows that have it, so the
  labelled rows count as much as they would if all rows were labelled. `alpha` weighs them anew.
- p(y), and the weight of the generative terms: Sun et al. give neither for their run of it.
- rates of 0 and 1 make the bound infinite and are refused.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from noiseaudit import objective
from noiseaudit.config import Settings, require
from noiseaudit.data.inputs import Inputs
from noiseaudit.data.perturb import Draws
from noiseaudit.data.training import Batch
from noiseaudit.densities import log_bernoulli, log_normal, log_unit_normal, sample_normal
from noiseaudit.errors import ConfigError
from noiseaudit.losses import labelled_mean
from noiseaudit.methods.base import Setup
from noiseaudit.methods.descent import Descent
from noiseaudit.models import BACKBONES
from noiseaudit.models.classifier import full_precision
from noiseaudit.models.vae import UMNNetworks
from noiseaudit.priors import log_prior


@dataclass(frozen=True)
class MislabeledVAEConfig(Settings):
    """Weights of the bound's terms, and the size of z_b."""

    latent_b: int = 32  # dimensions of z_b
    alpha: float = 1.0  # weight of the labelled term
    generative_weight: float = 1.0  # weight of the reconstruction and conditional terms
    label_kl_weight: float = 1.0

    def __post_init__(self) -> None:
        """Raises ConfigError naming the setting that is out of range."""
        super().__post_init__()
        self.within(1, 65_536, "latent_b")
        self.within(0, math.inf, "generative_weight", "label_kl_weight")
        require(0 < self.alpha < math.inf, "--set alpha", "above 0")


class MislabeledNetworks(UMNNetworks):
    """UMN's networks, and the rate of the noise as a buffer."""

    noise_rate: Tensor  # a scalar

    def __init__(
        self, encoder: nn.Module, decoder: nn.Module, setup: Setup, settings: MislabeledVAEConfig
    ) -> None:
        """`encoder` and `decoder` as in UMNNetworks."""
        prior = log_prior("uniform", setup.data.codes, setup.data.n_classes)
        super().__init__(encoder, decoder, prior, settings.hidden, settings.latent_a, settings.latent_b)
        self.register_buffer("noise_rate", torch.tensor(setup.noise_rate))


class MislabeledVAE(Descent[MislabeledNetworks, MislabeledVAEConfig]):
    """UMN's generative model with a given rate of noise in place of epsilon."""

    has_guider = False
    needs = frozenset({"noise_rate"})

    @staticmethod
    def settings(inputs: Inputs) -> MislabeledVAEConfig:
        """The bound itself."""
        return MislabeledVAEConfig()

    def build(self, setup: Setup) -> MislabeledNetworks:
        """Raises ConfigError without a noise rate between 0 and 1."""
        if setup.noise_rate is None:
            raise ConfigError(
                "mislabeled_vae needs the share of wrong labels", fix="Give it as --noise-rate."
            )
        require(0 < setup.noise_rate < 1, "--noise-rate", "between 0 and 1 for mislabeled_vae")
        shape = setup.data.shape
        self.log_likelihood = log_bernoulli if self.is_image and shape[0] == 1 else log_unit_normal
        encoder, decoder = BACKBONES[setup.backbone](shape, self.values.hidden, self.values.latent_a)
        return MislabeledNetworks(encoder, decoder, setup, self.values)

    def terms(
        self,
        learner: MislabeledNetworks,
        guider: MislabeledNetworks,
        batch: Batch,
        draws: Draws,
        progress: float,
    ) -> dict[str, Tensor]:
        """The negative bound, each term averaged over the batch, the labelled one over its labelled rows."""
        weights = self.values
        target, seen = self.perturb(batch.x, draws)
        q_za = learner.encode(seen)
        z_a = sample_normal(*q_za, draws.normal(weights.latent_a))
        log_probs = F.log_softmax(learner.classify(z_a), dim=1)
        probs = log_probs.exp()
        reconstruction = -self.log_likelihood(target, full_precision(learner.decoder(z_a)))
        conditional = learner.conditional_term(z_a, probs, log_normal(z_a, *q_za), batch.given, draws)
        label_kl = objective.label_kl_per_sample(probs, log_probs, learner.log_prior)
        labelled = noise_channel_loss(probs, batch.given, learner.noise_rate)
        return {
            "reconstruction": weights.generative_weight * reconstruction.mean(),
            "conditional": weights.generative_weight * conditional,
            "label_kl": weights.label_kl_weight * label_kl.mean(),
            "labelled": weights.alpha * labelled_mean(labelled, batch.given),
        }


def noise_channel_loss(probs: Tensor, given: Tensor, noise_rate: Tensor) -> Tensor:
    """-sum_y q(y|z_a) log p(y_hat|y), (B, C), (B,), scalar -> (B,); meaningless where `given` is -1."""
    rates = noise_rate.expand(len(given))
    log_likelihood = objective.log_label_likelihood(rates, given.clamp_min(0), probs.shape[1])
    return -(probs * log_likelihood).sum(1)

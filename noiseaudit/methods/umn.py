"""Uncertainty Mining Net: Sun, Kolagunda, Eliuk and Wang, "Training Better Deep Neural Networks with Uncertainty
Mining Net", BMVC 2021. The terms of one training step of Learner and Guider; the equations are in objective.py.

Defaults, the paper's where it gives a value: Adam 1e-3 with betas 0.9 and 0.99, every term of Eq. 4 weighed 1, a
uniform p(y). Not in the paper: 256 hidden units, 32 dimensions of z_a and z_b, Gaussian noise of 0.3 as eta and eta',
the Guider's decay (0.99, then 0.999 as in Mean Teacher) and the quarter of the schedule after which it changes.

Where the paper is ambiguous:

- Eq. 4 is printed with two KL terms as products and one sign reversed: the bound that it means is taken.
- The labelled term has no weight there, and it does not say over which rows terms are averaged. Here each is averaged
  over the rows that have it. With 5 labelled rows of 100 a labelled row weighs 20 times what a sum over the batch, as
  Eq. 4 reads, would give it. `alpha` weighs it anew.
- f(epsilon) of Eq. 6 is infinite at 0 and 1: epsilon is clamped to [0.01, 0.99] there, and takes no gradient.
- Inside a step, Learner and Guider see the batch under perturbations of their own. The Guider predicts from the mean of
  its posterior, the Learner from a draw of it.
- Epsilon is recorded after each epoch, on unperturbed rows, from posterior means; `step_epsilon` is the other reading,
  the value in a row's last step.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from noiseaudit import objective
from noiseaudit.class_noise import class_noise, is_due
from noiseaudit.config import UMNConfig
from noiseaudit.data.inputs import Inputs
from noiseaudit.data.perturb import Draws
from noiseaudit.data.training import Batch
from noiseaudit.densities import log_bernoulli, log_normal, log_unit_normal, sample_normal
from noiseaudit.methods.base import Setup
from noiseaudit.methods.descent import Descent
from noiseaudit.models import build_networks
from noiseaudit.models.classifier import Gaussian, full_precision
from noiseaudit.models.vae import UMNNetworks
from noiseaudit.priors import log_prior
from noiseaudit.schedules import sigmoid_rampup


class Seen(NamedTuple):
    """What Learner and Guider make of a perturbed batch, each of its own perturbation."""

    target: Tensor  # (B, *shape), to be reconstructed
    q_za: Gaussian
    z_a: Tensor  # (B, Za), drawn from q_za
    log_probs: Tensor  # (B, C), the Learner's
    guided: Tensor  # (B, C), the Guider's probabilities


class UMN(Descent[UMNNetworks, UMNConfig]):
    """The Learner trained by Eq. 4 with the Guider's epsilon as weight; the settings weigh every term."""

    has_guider = True
    can_be_tuned = True
    can_be_shared = True
    features_stride = 1  # on features, the generative terms are averaged over every n-th row of a batch

    @staticmethod
    def settings(inputs: Inputs) -> UMNConfig:
        """The paper's values: the defaults of UMNConfig."""
        return UMNConfig()

    def build(self, setup: Setup) -> UMNNetworks:
        shape = setup.data.shape
        self.log_likelihood = log_bernoulli if self.is_image and shape[0] == 1 else log_unit_normal
        prior = log_prior(self.values.prior, setup.data.codes, setup.data.n_classes)
        networks = build_networks(setup.backbone, shape, prior, self.values)
        if self.values.noise_weight:
            networks.noise = torch.zeros(setup.data.n_classes, setup.data.n_classes)
        return networks

    def after_epoch(self, epoch: int, epochs: int, probs: Tensor, codes: Tensor) -> None:
        if self.learner.noise.numel() and is_due(epoch, epochs, self.is_image):
            labelled = codes >= 0
            rates = class_noise(probs[labelled].numpy(), codes[labelled].numpy())
            if rates is not None:
                self.learner.noise.copy_(torch.from_numpy(rates))
            self.part.agree(self.learner.noise)

    @property
    def noise_known(self) -> bool:
        return bool(self.learner.noise.any())

    def terms(
        self, learner: UMNNetworks, guider: UMNNetworks, batch: Batch, draws: Draws, progress: float
    ) -> dict[str, Tensor]:
        """Eq. 4, each term averaged over the batch, the labelled one over its labelled rows."""
        weights, ramp = self.values, sigmoid_rampup(progress, self.values.rampup)
        target, q_za, z_a, log_probs, guided = self.look(learner, guider, batch, draws)
        probs = log_probs.exp()
        terms = {}
        if weights.generative_weight:  # the dearest part of a step
            stride = 1 if self.is_image else self.features_stride
            part = slice(None, None, stride)
            z_part = z_a[part]
            reconstruction = -self.log_likelihood(target[part], full_precision(learner.decoder(z_part)))
            log_q = log_normal(z_part, *(each[part] for each in q_za))
            conditional = learner.conditional_term(
                z_part, probs[part], log_q, batch.given[part], draws.thinned(stride)
            )
            terms["reconstruction"] = weights.generative_weight * self.part.mean(reconstruction, stride)
            terms["conditional"] = weights.generative_weight * self.part.share(
                conditional, len(z_part), stride
            )
        terms["label_kl"] = weights.label_kl_weight * self.label_kl(probs, log_probs, learner.log_prior)
        terms["labelled"] = self.labelled(probs, guided, batch.given, learner.noise)
        if weights.consistency_weight:
            gap = self.part.mean(objective.consistency(probs, guided))
            terms["consistency"] = ramp * weights.consistency_weight * gap
        if weights.entropy_weight:
            entropy = self.part.mean(objective.entropy(probs, log_probs))
            terms["entropy"] = ramp * weights.entropy_weight * entropy
        return terms

    def look(self, learner: UMNNetworks, guider: UMNNetworks, batch: Batch, draws: Draws) -> Seen:
        """The batch as the two networks see it in a step."""
        target, seen, seen_by_guider = self.perturb_twice(batch.x, draws)
        q_za = learner.encode(seen)
        z_a = sample_normal(*q_za, draws.normal(self.values.latent_a))
        with torch.no_grad():
            guided, _ = guider.predict(seen_by_guider)
        return Seen(target, q_za, z_a, F.log_softmax(learner.classify(z_a), dim=1), guided)

    def epsilon(self, learner: UMNNetworks, guider: UMNNetworks, batch: Batch, draws: Draws) -> Tensor:
        seen = self.look(learner, guider, batch, draws)
        return objective.label_uncertainty(seen.guided, seen.log_probs.exp(), batch.given.clamp_min(0))

    def label_kl(self, probs: Tensor, log_probs: Tensor, prior: Tensor) -> Tensor:
        """The third term of Eq. 4, or the one of the batch's mean: a scalar."""
        if self.values.label_kl == "batch":
            return self.part.once(objective.label_kl_of_mean(self.part.batch_mean(probs), prior))
        return self.part.mean(objective.label_kl_per_sample(probs, log_probs, prior))

    def labelled(self, probs: Tensor, guided: Tensor, given: Tensor, noise: Tensor) -> Tensor:
        """Eq. 6, or where T is known what takes its place, averaged over the labelled rows; 0 if there are none."""
        observed = given.clamp_min(0)
        epsilon = objective.label_uncertainty(guided, probs, observed)
        weight = objective.label_weight(epsilon, probs.shape[1], self.values.epsilon_min)
        losses = self.values.alpha * objective.labelled_term(probs, observed, weight)
        if noise.numel():  # both, so that runs of a stack take one path
            loss = objective.noisy_label_loss(probs, observed, noise, self.values.noise_power)
            knowing = self.values.noise_weight * loss
            losses = torch.where(noise.any(), knowing, losses)
        return self.part.labelled_mean(losses, given)

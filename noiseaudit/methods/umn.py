"""Uncertainty Mining Net (Sun et al., BMVC 2021): one training step of Learner and Guider, and their predictions."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from noiseaudit import objective
from noiseaudit.config import UMNConfig
from noiseaudit.data.perturb import Draws, add_noise, jitter_images
from noiseaudit.densities import log_bernoulli, log_normal, log_unit_normal, sample_normal
from noiseaudit.ema import make_guider, update_guider
from noiseaudit.methods.base import Batch, Prediction, Setup
from noiseaudit.models import build_networks
from noiseaudit.models.vae import Gaussian, UMNNetworks
from noiseaudit.schedules import cosine_decay, guider_decay, sigmoid_rampup
from noiseaudit.seeds import seeded_init, torch_generator


class UMN:
    """The Learner trained by Eq. 4 with the Guider's epsilon as weight; `config` sets the weights of every term."""

    has_guider = True

    @staticmethod
    def settings(backbone: str) -> UMNConfig:
        """The paper's values: the defaults of UMNConfig."""
        return UMNConfig()

    def __init__(self, setup: Setup) -> None:
        self.config, self.n_classes = setup.config, setup.n_classes
        self.is_image = len(setup.shape) == 3
        self.log_likelihood = log_bernoulli if setup.shape[0] == 1 and self.is_image else log_unit_normal
        with seeded_init(setup.seed):
            learner = build_networks(setup.backbone, setup.shape, setup.n_classes, setup.config)
        self.learner = learner.to(setup.device).train()
        self.guider = make_guider(self.learner)
        self.log_prior = setup.log_prior.to(setup.device)
        self.generator = torch_generator(setup.seed, "draws", setup.device)
        self.mixed_precision = setup.device.type == "cuda"
        self.optimiser = torch.optim.Adam(
            self.learner.parameters(),
            lr=self.config.learning_rate,
            betas=(self.config.beta1, self.config.beta2),
            fused=setup.device.type in ("cpu", "cuda"),
        )
        self.steps_done = 0

    def step(self, batch: Batch, progress: float) -> dict[str, Tensor]:
        config = self.config
        for group in self.optimiser.param_groups:
            group["lr"] = config.learning_rate * cosine_decay(progress, config.lr_decay_start)
        draws = Draws(self.generator, len(batch.x))
        with torch.autocast(batch.x.device.type, torch.bfloat16, enabled=self.mixed_precision):
            terms = self._terms(batch, draws, sigmoid_rampup(progress, config.rampup))
        loss = torch.stack(list(terms.values())).sum()
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        decay = guider_decay(
            self.steps_done,
            progress,
            config.guider_decay_early,
            config.guider_decay_late,
            config.guider_switch,
        )
        update_guider(self.guider, self.learner, decay)
        self.steps_done += 1
        return {"loss": loss.detach()} | {name: value.detach() for name, value in terms.items()}

    def _terms(self, batch: Batch, draws: Draws, ramp: float) -> dict[str, Tensor]:
        """The weighted terms of the loss, each averaged over the batch: scalars."""
        config = self.config
        target, seen = self._perturb(batch.x, draws)
        q_za = self.learner.encode(seen)
        z_a = sample_normal(*q_za, draws.normal(config.latent_a))
        log_probs = F.log_softmax(self.learner.classify(z_a), dim=1)
        probs = log_probs.exp()
        guided = self._guide(self._perturb(batch.x, draws)[1])

        decoded = self.learner.decoder(z_a).float()
        reconstruction = -self.log_likelihood(target, decoded)
        conditional = objective.conditional_term(
            probs, self.learner.class_costs(z_a, draws), log_normal(z_a, *q_za)
        )
        terms = {
            "reconstruction": config.generative_weight * reconstruction.mean(),
            "conditional": config.generative_weight * conditional.mean(),
            "label_kl": config.label_kl_weight * self._label_kl(probs, log_probs),
            "labelled": config.alpha * self._labelled(probs, guided, batch.given),
        }
        if config.consistency_weight:
            gap = objective.consistency(probs, guided).mean()
            terms["consistency"] = ramp * config.consistency_weight * gap
        if config.entropy_weight:
            terms["entropy"] = ramp * config.entropy_weight * objective.entropy(probs, log_probs).mean()
        return terms

    def _perturb(self, x: Tensor, draws: Draws) -> tuple[Tensor, Tensor]:
        """The image to reconstruct (jittered) and the one that is seen (jittered, with noise)."""
        with torch.autocast(x.device.type, enabled=False):  # positions need more than bfloat16's 8 bits
            if self.is_image and self.config.jitter:
                x = jitter_images(x, self.config.jitter, draws)
            return x, add_noise(x, self.config.input_noise, draws)

    @torch.no_grad()
    def _guide(self, x: Tensor) -> Tensor:
        """The Guider's probabilities from its encoder and classifier alone: (B, C)."""
        return self.guider.classify(self.guider.encode(x).mean).softmax(1)

    def _label_kl(self, probs: Tensor, log_probs: Tensor) -> Tensor:
        if self.config.label_kl == "batch":
            return objective.label_kl_of_batch(probs, self.log_prior)
        return objective.label_kl_per_sample(probs, log_probs, self.log_prior).mean()

    def _labelled(self, probs: Tensor, guided: Tensor, given: Tensor) -> Tensor:
        """Eq. 6 over the labelled rows, averaged over them; 0 if there are none."""
        rows = given >= 0
        probs, guided, given = probs[rows], guided[rows], given[rows]
        epsilon = objective.label_uncertainty(guided, probs, given)
        weight = objective.label_weight(epsilon, self.n_classes, self.config.epsilon_min)
        return objective.labelled_term(probs, given, weight).sum() / max(1, len(given))

    @torch.no_grad()
    def predict(self, x: Tensor) -> Prediction:
        """Learner and Guider on unperturbed x, z_a = posterior mean, float32: what epsilon is recorded from."""
        self.learner.eval()
        learner, _ = _classify_mean(self.learner, x)
        guider, latent = _classify_mean(self.guider, x)
        self.learner.train()
        return Prediction(learner, guider, latent.mean)


def _classify_mean(networks: UMNNetworks, x: Tensor) -> tuple[Tensor, Gaussian]:
    q_za = networks.encode(x)
    return networks.classify(q_za.mean).softmax(1), q_za

"""Learning to reweight: Ren, Zeng, Yang and Urtasun, "Learning to Reweight Examples for Robust Deep Learning", ICML
2018, Algorithm 1.

Each step weighs the examples of its batch by what learning from them would do for a few trusted labels:

1. a virtual SGD step on the batch's cross entropy, weighted by eps: theta^ = theta - a grad sum_i eps_i C_i(theta);
2. the gradient of the mean cross entropy of a trusted batch at theta^ with respect to eps, at eps = 0;
3. weights w~ = max(-gradient, 0), divided by their sum, or by 1 where all are 0 (the paper's delta): then nothing is
   learnt from this batch;
4. the real step on sum_i w_i C_i(theta).

So labels whose gradient points away from that of the trusted ones are left out of the step.

Where the paper leaves a choice: the size a of the virtual step scales all weights alike at eps = 0, so it is 1, as in
the authors' code. The training set contains the trusted rows, as section 3 assumes. Trusted batches are as large as the
training batch and drawn with replacement; they are perturbed like it. BatchNorm uses each batch's own statistics, and a
virtual step leaves its running ones alone. Different from the paper, so that methods are compared on the same terms:
the networks, the perturbations and Adam (Sun et al. 2021) in place of SGD with momentum for the real step.

Needs trusted labels of every class: where a class has none, its examples look harmful and are never learnt. They stay
in memory, on the device. Unlabelled rows are ignored; there is no Guider.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad

from noiseaudit.config import Settings
from noiseaudit.data.inputs import Inputs
from noiseaudit.data.perturb import Draws
from noiseaudit.data.training import Batch, to_input
from noiseaudit.losses import cross_entropy
from noiseaudit.methods.base import Setup
from noiseaudit.methods.descent import Descent
from noiseaudit.models import build_classifier
from noiseaudit.models.classifier import Classifier

TRUSTED_X, TRUSTED_GIVEN = "trusted_x", "trusted_given"  # buffers of the network: they differ between runs


class Reweight(Descent[Classifier, Settings]):
    """Cross entropy on labelled rows, weighted by a look ahead at the trusted ones."""

    has_guider = False
    uses_unlabelled = False
    needs = frozenset({"trusted"})

    @staticmethod
    def settings(inputs: Inputs) -> Settings:
        """What all methods have; this one adds none."""
        return Settings()

    def build(self, setup: Setup) -> Classifier:
        data = setup.data
        assert data.trusted is not None
        rows = (data.trusted & (data.codes >= 0)).nonzero().flatten()
        network = build_classifier(setup.backbone, data.shape, data.n_classes, self.values)
        network.register_buffer(TRUSTED_X, data.x[data.usable[rows]], persistent=False)
        network.register_buffer(TRUSTED_GIVEN, data.codes[rows], persistent=False)
        return network

    def terms(
        self, learner: Classifier, guider: Classifier, batch: Batch, draws: Draws, progress: float
    ) -> dict[str, Tensor]:
        """The weighted cross entropy of the batch."""
        _, seen = self.perturb(batch.x, draws)
        trusted = trusted_batch(learner, batch, draws)
        _, trusted_seen = self.perturb(trusted.x, draws)
        with torch.autocast(seen.device.type, enabled=False):  # products of gradients need float32
            benefits = look_ahead(learner, batch._replace(x=seen), trusted._replace(x=trusted_seen))
        losses = _Losses(learner)(seen, batch.given)
        return {"labelled": (weights_of(benefits) * losses).sum()}


def trusted_batch(network: Classifier, like: Batch, draws: Draws) -> Batch:
    """As many trusted rows as `like` has rows, drawn with replacement; `rows` counts the trusted ones."""
    x, given = network.get_buffer(TRUSTED_X), network.get_buffer(TRUSTED_GIVEN)
    rows = ((draws.uniform() + 1) / 2 * len(given)).long().clamp_max(len(given) - 1)
    return Batch(to_input(x[rows]).to(like.x.dtype), given[rows], rows)


def look_ahead(network: Classifier, batch: Batch, trusted: Batch) -> Tensor:
    """By how much the trusted loss falls for each bit of weight on each row of `batch`: (B,), 0 where unlabelled.

    Steps 1 and 2 above. The network, its BatchNorm statistics included, stays as it is.
    """
    module = _Losses(network)
    parameters = {name: value.detach() for name, value in module.named_parameters()}

    def losses(parameters: dict[str, Tensor], batch: Batch) -> Tensor:
        statistics = {name: value.clone() for name, value in module.named_buffers() if "trusted_" not in name}
        found: Tensor = functional_call(module, parameters | statistics, (batch.x, batch.given))
        return found

    def trusted_loss(eps: Tensor) -> Tensor:
        gradient = grad(lambda values: (eps * losses(values, batch)).sum())(parameters)
        ahead = {name: value - gradient[name] for name, value in parameters.items()}
        return losses(ahead, trusted).mean()

    gradient: Tensor = grad(trusted_loss)(batch.x.new_zeros(len(batch.x)))
    return -gradient.detach()


def weights_of(benefits: Tensor) -> Tensor:
    """Step 3, (B,) -> (B,): 0 or more, and 1 in sum unless all are 0."""
    rectified = benefits.clamp_min(0)
    total = rectified.sum()
    return rectified / torch.where(total > 0, total, 1)


class _Losses(nn.Module):
    """Cross entropy of each row as a module, for functional_call; 0 where unlabelled."""

    def __init__(self, network: Classifier) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor, given: Tensor) -> Tensor:
        losses = cross_entropy(self.network.classify(self.network.features(x)), given)
        return losses * (given >= 0)

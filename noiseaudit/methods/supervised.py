"""Supervised learning: cross entropy on the labelled rows, every label taken as true.

The baselines S-1 and S-2 of Sun et al., "Training Better Deep Neural Networks with Uncertainty Mining Net", BMVC 2021,
section 4.1: "all the labeled data are directly used for training". Unlabelled rows are ignored; only BatchNorm, on a
backbone that has it, would see those that a batch holds.

Setting `network`:

- "shared" (default): the encoder and classifier of every other method here, so that methods are compared on one
  network;
- "paper": the backbone's features and one linear layer. On conv13 that is S-1, on resnet101 S-2, and on mlp the
  network of section 4.2, one hidden ReLU layer of 784 units. Settings `hidden` and `latent_a` do not matter then.

Adam's values are the paper's. Where the paper is ambiguous: its Table 1 has S-1 and S-2 in the MNIST rows too, but its
text compares with the 784-unit network there; all three can be run. It does not say whether these baselines saw
perturbed inputs; here they see those of every other method (`input_noise`, `input_dropout`, `jitter`; 0 for none). The
layers of its 13-layer network are in a supplement that is not public (noiseaudit/models/conv.py says what stands for
it), and no weights are pretrained.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from noiseaudit.config import Settings, one_of
from noiseaudit.data.inputs import Inputs
from noiseaudit.data.perturb import Draws
from noiseaudit.data.training import Batch
from noiseaudit.losses import cross_entropy, labelled_mean
from noiseaudit.methods.base import Setup
from noiseaudit.methods.descent import Descent
from noiseaudit.models import BACKBONES, build_classifier
from noiseaudit.models.classifier import Classifier

PAPER_HIDDEN = 784  # units of the dense network's hidden layer, section 4.2


@dataclass(frozen=True)
class SupervisedConfig(Settings):
    """Which network; the rest is common to all methods."""

    network: Literal["shared", "paper"] = "shared"  # with all methods, or section 4's own

    def __post_init__(self) -> None:
        """Raises ConfigError naming the setting that is out of range."""
        super().__post_init__()
        one_of("--set network", self.network, ("shared", "paper"))


class LinearOnFeatures(Classifier):
    """A backbone without its last layer, and one linear layer in place of it."""

    def __init__(self, encoder: nn.Module, n_classes: int) -> None:
        """`encoder` ends in a linear layer, which is taken away."""
        name, last = [named for named in encoder.named_modules() if isinstance(named[1], nn.Linear)][-1]
        encoder.set_submodule(name, nn.Identity())
        super().__init__(encoder, n_classes, hidden=1, latent_a=last.in_features)
        self.classifier = nn.Linear(last.in_features, n_classes)

    def features(self, x: Tensor) -> Tensor:
        """The backbone's output: (B, d)."""
        found: Tensor = self.encoder(x)
        return found


class Supervised(Descent[Classifier, SupervisedConfig]):
    """Cross entropy on labelled rows."""

    has_guider = False
    uses_unlabelled = False
    can_be_tuned = True

    @staticmethod
    def settings(inputs: Inputs) -> SupervisedConfig:
        """The paper's optimiser, the shared network."""
        return SupervisedConfig()

    def build(self, setup: Setup) -> Classifier:
        shape, n_classes = setup.data.shape, setup.data.n_classes
        if self.values.network == "shared":
            return build_classifier(setup.backbone, shape, n_classes, self.values)
        encoder, _ = BACKBONES[setup.backbone](shape, PAPER_HIDDEN, self.values.latent_a)
        return LinearOnFeatures(encoder, n_classes)

    def terms(
        self, learner: Classifier, guider: Classifier, batch: Batch, draws: Draws, progress: float
    ) -> dict[str, Tensor]:
        """Cross entropy, the mean over the labelled rows."""
        _, seen = self.perturb(batch.x, draws)
        logits = learner.classify(learner.features(seen))
        return {"labelled": labelled_mean(cross_entropy(logits, batch.given), batch.given)}

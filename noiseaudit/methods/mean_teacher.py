"""Mean Teacher: Tarvainen and Valpola, "Mean teachers are better role models: Weight-averaged consistency targets
improve semi-supervised deep learning results", NIPS 2017.

    loss = cross entropy on labelled rows + w(t) |f(x, theta', eta') - f(x, theta, eta)|^2 on all rows

f are the softmax outputs of the student theta and the teacher theta' for two independent perturbations eta, eta' of
the same x; no gradient flows through the teacher, which is the student's exponential moving average. Student and
teacher are Learner and Guider here.

Defaults, the paper's where it has one:

- `guider_decay_early` 0.99 during the ramp-up and `guider_decay_late` 0.999 after it;
- w(t) = `consistency_weight` exp(-5 (1 - t)^2), t from 0 to 1 over the ramp-up; the weight is 100;
- `rampup` and `guider_switch`: the first quarter of the schedule, where the paper has its first 40,000 steps.

Where the paper is ambiguous: its equation does not say over what the squared distance and the cross entropy are
averaged, on which the meaning of 100 hangs. It builds on the Pi model of Laine and Aila 2017, whose Algorithm 1
averages both over the batch of B rows, and the squares over the C classes too, and whose weight is 100 times the
labelled share M / N. With labelled rows in that share of a batch, M / N is common to both terms, and Adam does not feel
a common factor. So here cross entropy is averaged over the labelled rows, the squares over all rows and over the
classes, and the weight is 100 whatever the labelled share. (`umn_plus` sums the squares over the classes: with 10
classes its weight of 50 is 500 of these.)

Different from the paper, so that methods are compared on the same terms: the networks; the perturbations (Gaussian
noise and, where set, affine jitter, against noise, shifts, flips and dropout); Adam with a constant 1e-3 and beta2 0.99
(Sun et al. 2021; the paper ramps its rate); a teacher in evaluation mode with averaged BatchNorm buffers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from noiseaudit.config import GuiderSettings
from noiseaudit.data.inputs import Inputs
from noiseaudit.data.perturb import Draws
from noiseaudit.data.training import Batch
from noiseaudit.losses import cross_entropy, labelled_mean
from noiseaudit.methods.base import Setup
from noiseaudit.methods.descent import Descent
from noiseaudit.models import build_classifier
from noiseaudit.models.classifier import Classifier
from noiseaudit.schedules import sigmoid_rampup


@dataclass(frozen=True)
class MeanTeacherConfig(GuiderSettings):
    """The consistency cost beside the teacher's decays."""

    consistency_weight: float = 100.0  # of the squared distance, averaged over classes and rows
    rampup: float = 0.25  # share of the schedule over which the weight ramps up

    def __post_init__(self) -> None:
        """Raises ConfigError naming the setting that is out of range."""
        super().__post_init__()
        self.within(0, math.inf, "consistency_weight")
        self.within(0, 1, "rampup")


class MeanTeacher(Descent[Classifier, MeanTeacherConfig]):
    """A student drawn to its own moving average."""

    has_guider = True
    can_be_tuned = True

    @staticmethod
    def settings(inputs: Inputs) -> MeanTeacherConfig:
        """The paper's values."""
        return MeanTeacherConfig()

    def build(self, setup: Setup) -> Classifier:
        return build_classifier(setup.backbone, setup.data.shape, setup.data.n_classes, self.values)

    def terms(
        self, learner: Classifier, guider: Classifier, batch: Batch, draws: Draws, progress: float
    ) -> dict[str, Tensor]:
        """Classification and consistency cost."""
        _, seen, seen_by_teacher = self.perturb_twice(batch.x, draws)
        logits = learner.classify(learner.features(seen))
        with torch.no_grad():
            taught, _ = guider.predict(seen_by_teacher)
        weight = self.values.consistency_weight * sigmoid_rampup(progress, self.values.rampup)
        return {
            "labelled": labelled_mean(cross_entropy(logits, batch.given), batch.given),
            "consistency": weight * consistency_cost(logits.softmax(1), taught).mean(),
        }


def consistency_cost(student: Tensor, teacher: Tensor) -> Tensor:
    """Mean over the classes of the squared difference of two predictions, (B, C) each: (B,)."""
    return ((student - teacher) ** 2).mean(1)

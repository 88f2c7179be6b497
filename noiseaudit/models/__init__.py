"""Backbones: what stands between x and z_a. One file each."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from noiseaudit.config import UMNConfig
from noiseaudit.models.conv import build_conv13, build_resnet18, build_resnet101
from noiseaudit.models.mlp import build_mlp
from noiseaudit.models.vae import UMNNetworks

# (shape of x, hidden, latent_a) -> encoder, decoder
Builder = Callable[[tuple[int, ...], int, int], tuple[nn.Module, nn.Module]]

BACKBONES: dict[str, Builder] = {
    "mlp": build_mlp,
    "conv13": build_conv13,
    "resnet18": build_resnet18,
    "resnet101": build_resnet101,
    "embeddings": build_mlp,  # frozen features in place of x: the same dense networks
}


def build_networks(backbone: str, shape: tuple[int, ...], n_classes: int, config: UMNConfig) -> UMNNetworks:
    """The five networks of UMN for samples of `shape`."""
    encoder, decoder = BACKBONES[backbone](shape, config.hidden, config.latent_a)
    return UMNNetworks(encoder, decoder, n_classes, config.hidden, config.latent_a, config.latent_b)

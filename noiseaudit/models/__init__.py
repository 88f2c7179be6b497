"""Backbones: what stands between x and z_a. One file each."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from noiseaudit.config import Settings, UMNConfig
from noiseaudit.models.classifier import Classifier
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
    "pretrained": build_mlp,  # noiseaudit.pretrained's features
}


def build_classifier(backbone: str, shape: tuple[int, ...], n_classes: int, settings: Settings) -> Classifier:
    """Encoder and classifier alone, the same as UMN's."""
    encoder, _ = BACKBONES[backbone](shape, settings.hidden, settings.latent_a)
    return Classifier(encoder, n_classes, settings.hidden, settings.latent_a)


def build_networks(
    backbone: str, shape: tuple[int, ...], log_prior: Tensor, settings: UMNConfig
) -> UMNNetworks:
    """The five networks of UMN for samples of `shape`; `log_prior` is (C,)."""
    encoder, decoder = BACKBONES[backbone](shape, settings.hidden, settings.latent_a)
    return UMNNetworks(encoder, decoder, log_prior, settings.hidden, settings.latent_a, settings.latent_b)

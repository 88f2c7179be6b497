"""Convolutional backbones: the 13-layer network of the paper's SVHN and CIFAR-10 runs, and torchvision's ResNets.

The paper's supplement with its exact layers is not public. `conv13` follows the 13 layers of Laine and Aila 2017 and
Tarvainen and Valpola 2017, which the paper compares with: nine convolutions, two poolings, an average and a dense
layer. Unlike theirs it has no dropout: one network serves all methods, and inputs alone are perturbed.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CONV13_MIN_SIDE = 12  # pixels: two poolings and an unpadded 3x3 convolution must leave something


def build_conv13(shape: tuple[int, ...], hidden: int, latent_a: int) -> tuple[nn.Module, nn.Module]:
    """Encoder (B, channels, H, W) -> (B, 2 latent_a) and decoder (B, latent_a) -> (B, channels, H, W)."""
    encoder = nn.Sequential(
        *_convolution(shape[0], 128), *_convolution(128, 128), *_convolution(128, 128),
        nn.MaxPool2d(2),
        *_convolution(128, 256), *_convolution(256, 256), *_convolution(256, 256),
        nn.MaxPool2d(2),
        *_convolution(256, 512, padding=0), *_convolution(512, 256, kernel=1), *_convolution(256, 128, kernel=1),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 2 * latent_a),
    )  # fmt: skip
    return encoder, ConvDecoder(shape, latent_a)


def build_resnet18(shape: tuple[int, ...], hidden: int, latent_a: int) -> tuple[nn.Module, nn.Module]:
    """ResNet-18 from random weights, and the same decoder as conv13."""
    return ResNetEncoder("resnet18", latent_a), ConvDecoder(shape, latent_a)


def build_resnet101(shape: tuple[int, ...], hidden: int, latent_a: int) -> tuple[nn.Module, nn.Module]:
    """ResNet-101 from random weights, and the same decoder as conv13."""
    return ResNetEncoder("resnet101", latent_a), ConvDecoder(shape, latent_a)


def _convolution(n_in: int, n_out: int, kernel: int = 3, padding: int | None = None) -> list[nn.Module]:
    pad = kernel // 2 if padding is None else padding
    return [
        nn.Conv2d(n_in, n_out, kernel, padding=pad, bias=False),
        nn.BatchNorm2d(n_out),
        nn.LeakyReLU(0.1),
    ]


class ResNetEncoder(nn.Module):
    """A torchvision ResNet with its last layer replaced; grey images are repeated to three channels."""

    def __init__(self, name: str, latent_a: int) -> None:
        super().__init__()
        from torchvision import models  # imported here: it is slow, and most runs need none of it

        self.network = models.get_model(name, weights=None)
        self.network.fc = nn.Linear(self.network.fc.in_features, 2 * latent_a)

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.network(x.expand(-1, 3, -1, -1))
        return output


class ConvDecoder(nn.Module):
    """From z_a up to the image: a small map doubled three times by interpolation and convolution."""

    def __init__(self, shape: tuple[int, ...], latent_a: int) -> None:
        super().__init__()
        channels, height, width = shape
        self.size = (height, width)
        self.seed_shape = (128, math.ceil(height / 8), math.ceil(width / 8))
        self.seed = nn.Linear(latent_a, math.prod(self.seed_shape))
        self.convolutions = nn.ModuleList(
            nn.Conv2d(n_in, n_out, 3, padding=1) for n_in, n_out in [(128, 64), (64, 32), (32, channels)]
        )

    def forward(self, z_a: Tensor) -> Tensor:
        maps: Tensor = self.seed(z_a).unflatten(1, self.seed_shape)
        for convolution in self.convolutions:
            maps = convolution(F.interpolate(torch.relu(maps), scale_factor=2.0))
        return maps[:, :, : self.size[0], : self.size[1]]

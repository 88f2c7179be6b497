"""Dense encoder and decoder with one hidden ReLU layer each: MNIST in the paper (section 4.1)."""

from __future__ import annotations

import math

from torch import nn

from noiseaudit.models.classifier import dense


def build_mlp(shape: tuple[int, ...], hidden: int, latent_a: int) -> tuple[nn.Module, nn.Module]:
    """Encoder (B, *shape) -> (B, 2 latent_a) and decoder (B, latent_a) -> (B, *shape)."""
    size = math.prod(shape)
    encoder = nn.Sequential(nn.Flatten(), *dense(size, hidden, 2 * latent_a))
    decoder = nn.Sequential(*dense(latent_a, hidden, size), nn.Unflatten(1, shape))
    return encoder, decoder

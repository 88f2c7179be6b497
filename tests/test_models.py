"""Every backbone keeps one contract: encoder (B, *shape) -> (B, 2 latent_a), decoder back to (B, *shape)."""

from __future__ import annotations

import pytest
import torch

from noiseaudit.config import UMNConfig
from noiseaudit.models import BACKBONES, build_networks
from noiseaudit.models.conv import CONV13_MIN_SIDE

IMAGES: list[tuple[int, ...]] = [(1, 8, 8), (3, 32, 32), (1, 28, 28), (3, 30, 45), (3, 45, 30)]
LATENT = 6


def shapes_of(backbone: str) -> list[tuple[int, ...]]:
    if backbone == "embeddings":
        return [(1,), (37,)]
    if backbone == "resnet101":
        return [(3, 32, 32)]
    least = CONV13_MIN_SIDE if backbone == "conv13" else 1
    return [shape for shape in IMAGES if min(shape[1:]) >= least] + [(3, least, least + 1)]


CASES = [(backbone, shape) for backbone in BACKBONES for shape in shapes_of(backbone)]


@pytest.mark.parametrize(("backbone", "shape"), CASES)
def test_shapes_with_a_batch_of_two_in_training_and_one_in_evaluation(
    backbone: str, shape: tuple[int, ...]
) -> None:
    encoder, decoder = BACKBONES[backbone](shape, 16, LATENT)
    z = encoder(torch.rand(2, *shape))
    assert z.shape == (2, 2 * LATENT)
    assert decoder(z[:, :LATENT]).shape == (2, *shape)
    encoder.eval()
    decoder.eval()
    with torch.no_grad():
        z = encoder(torch.rand(1, *shape))
        assert z.shape == (1, 2 * LATENT)
        assert decoder(z[:, :LATENT]).shape == (1, *shape)


@pytest.mark.parametrize("backbone", [name for name in BACKBONES if name != "resnet101"])
def test_every_parameter_learns(backbone: str) -> None:
    """No part of a backbone is left out of the graph."""
    shape = (5,) if backbone == "embeddings" else (3, 16, 16)
    torch.manual_seed(0)
    encoder, decoder = BACKBONES[backbone](shape, 16, LATENT)
    z = encoder(torch.rand(4, *shape))
    (z[:, LATENT:].square().sum() + decoder(z[:, :LATENT]).square().sum()).backward()
    for name, parameter in [*encoder.named_parameters(), *decoder.named_parameters()]:
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_conv13_has_nine_convolutions_in_its_encoder() -> None:
    """Laine and Aila's 13 layers count poolings, dropouts and the dense layer too."""
    encoder, _ = BACKBONES["conv13"]((3, 32, 32), 16, LATENT)
    widths = [m.out_channels for m in encoder.modules() if isinstance(m, torch.nn.Conv2d)]
    assert widths == [128, 128, 128, 256, 256, 256, 512, 256, 128]


def test_a_grey_image_is_to_a_resnet_what_its_three_copies_are() -> None:
    torch.manual_seed(0)
    encoder, _ = BACKBONES["resnet18"]((1, 16, 16), 16, LATENT)
    encoder.eval()
    grey = torch.rand(2, 1, 16, 16)
    with torch.no_grad():
        assert torch.equal(encoder(grey), encoder(grey.repeat(1, 3, 1, 1)))


def test_build_networks_follows_the_configuration() -> None:
    config = UMNConfig(hidden=7, latent_a=5, latent_b=3)
    networks = build_networks("mlp", (1, 4, 4), torch.zeros(9), config)
    assert networks.encode(torch.rand(2, 1, 4, 4)).mean.shape == (2, 5)
    assert networks.classify(torch.rand(2, 5)).shape == (2, 9)
    assert networks.conditional_encoder.output.weight.shape == (2 * 3, 7)
    assert networks.conditional_decoder.output.weight.shape == (2 * 5, 7)

"""What `auto` chooses, branch by branch, with the reason it gives."""

from __future__ import annotations

import re

import pytest
import torch

from noiseaudit import choose
from noiseaudit.choose import choose_backbone, choose_batch_size, choose_device, choose_epochs, choose_threads
from noiseaudit.config import AuditConfig
from noiseaudit.errors import ConfigError

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"),
    [(True, True, "cuda"), (True, False, "cuda"), (False, True, "mps"), (False, False, "cpu")],
)
def test_the_device_is_the_fastest_there_is(
    monkeypatch: pytest.MonkeyPatch, cuda: bool, mps: bool, expected: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert choose_device("auto").type == expected
    assert choose_device("cpu").type == "cpu"


@pytest.mark.parametrize("name", ["cuda", "mps"])
def test_a_device_that_is_not_there(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(
        ConfigError, match=f"--device {name}: torch sees no such device here. Use --device auto."
    ):
        choose_device(name)


@pytest.mark.parametrize(
    ("shape", "n_rows", "device", "backbone", "reason"),
    [
        ((512,), 100, CPU, "embeddings", "512-dimensional embeddings in place of images"),
        ((1, 28, 28), 60_000, CPU, "mlp", "small grey images of 28x28 px"),
        ((1, 28, 28), 60_000, CUDA, "mlp", "small grey images of 28x28 px"),
        ((1, 32, 33), 100, CPU, "conv13", "grey images of 33x32 px, few enough for a CPU"),
        ((3, 32, 32), 50_000, CUDA, "conv13", "colour images of 32x32 px on a cuda device"),
        ((3, 32, 32), 195, CPU, "conv13", "colour images of 32x32 px, few enough for a CPU"),
        ((3, 32, 32), 196, CPU, "mlp", "196 colour images of 32x32 px on a CPU"),
        ((3, 48, 48), 80, CPU, "conv13", "few enough"),
        ((3, 48, 49), 80, CPU, "resnet18", "few enough"),
        ((3, 128, 128), 5000, CUDA, "resnet18", "on a cuda device"),
        ((3, 128, 128), 5000, CPU, "mlp", "a convolutional network would take much longer"),
        ((3, 128, 128), 5000, CPU, "mlp", "patience with --backbone resnet18"),
        ((3, 32, 32), 5000, CPU, "mlp", "patience with --backbone conv13"),
        ((3, 8, 40), 100, CPU, "resnet18", "few enough"),  # too low for conv13's poolings
        ((3, 12, 40), 100, CPU, "conv13", "few enough"),
    ],
)
def test_the_backbone(
    shape: tuple[int, ...], n_rows: int, device: torch.device, backbone: str, reason: str
) -> None:
    choice = choose_backbone("auto", shape, n_rows, device)
    assert choice.value == backbone
    assert reason in choice.reason


@pytest.mark.parametrize(
    "shape", [(1, 1, 1), (3, 1, 64), (3, 8, 8), (3, 11, 48), (3, 12, 12), (1, 40, 12), (7,)]
)
def test_a_chosen_backbone_takes_the_samples(shape: tuple[int, ...]) -> None:
    from noiseaudit.models import BACKBONES

    for device in (CPU, CUDA):
        encoder, decoder = BACKBONES[choose_backbone("auto", shape, 10, device).value](shape, 8, 4)
        assert decoder(encoder(torch.rand(2, *shape))[:, :4]).shape == (2, *shape)


def test_a_backbone_that_was_asked_for() -> None:
    assert choose_backbone("resnet101", (3, 8, 8), 10, CPU) == ("resnet101", "as asked")
    assert choose_backbone("embeddings", (5,), 10, CPU) == ("embeddings", "as asked")


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("resnet81", (3, 32, 32), "--backbone: no such choice 'resnet81'. Did you mean 'resnet18'?"),
        ("mlp", (512,), "--backbone mlp does not fit --embeddings"),
        ("embeddings", (1, 8, 8), "--backbone embeddings does not fit images"),
        (
            "conv13",
            (3, 64, 11),
            "--backbone conv13 needs images of 12 px or more, not 11. Add --image-size 32",
        ),
    ],
)
def test_a_backbone_that_does_not_fit(name: str, shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        choose_backbone(name, shape, 10, CPU)


@pytest.mark.parametrize(
    ("n_rows", "expected"),
    [(2, 16), (640, 16), (1000, 32), (1797, 32), (5000, 128), (10_000, 256), (10**6, 256)],
)
def test_the_batch_size_is_a_power_of_two(n_rows: int, expected: int) -> None:
    assert choose_batch_size(AuditConfig(), n_rows) == expected


def test_a_batch_size_that_was_asked_for() -> None:
    assert choose_batch_size(AuditConfig(batch_size=7), 10**6) == 7


@pytest.mark.parametrize(
    ("steps", "expected"), [(1, 150), (26, 150), (27, 149), (40, 100), (133, 31), (10**4, 30)]
)
def test_the_epochs_make_a_fixed_number_of_steps(
    monkeypatch: pytest.MonkeyPatch, steps: int, expected: int
) -> None:
    monkeypatch.setattr(choose, "TRAINING_STEPS", 4000)
    monkeypatch.setattr(choose, "MIN_EPOCHS", 30)
    monkeypatch.setattr(choose, "MAX_EPOCHS", 150)
    assert choose_epochs(AuditConfig(), steps, (1, 8, 8), 10**4) == expected


@pytest.mark.parametrize(
    ("rows", "steps", "expected"),
    [(78, 5, 150), (400, 25, 30), (1_200, 37, 30), (3_600, 56, 51), (7_322, 29, 104)],
)
def test_few_features_are_passed_less_often(rows: int, steps: int, expected: int) -> None:
    """750 steps, or an epoch for 70 rows; from 7,300 rows of 256 a step on as many as of images."""
    assert choose_epochs(AuditConfig(), steps, (1280,), rows) == expected
    assert choose_epochs(AuditConfig(), steps, (3, 8, 8), rows) == min(150, -(-3_000 // steps))


def test_epochs_that_were_asked_for() -> None:
    assert choose_epochs(AuditConfig(epochs=3), 10**4, (9,), 10) == 3


@pytest.mark.parametrize(
    ("backbone", "rows", "n_classes", "threads"),
    [
        ("mlp", 32, 10, 1),
        ("mlp", 256, 10, 2),
        ("mlp", 1024, 10, 4),
        ("embeddings", 32, 10, 1),
        ("conv13", 32, 10, 4),
    ],
)
def test_threads_by_work(
    monkeypatch: pytest.MonkeyPatch, backbone: str, rows: int, n_classes: int, threads: int
) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 4)
    assert choose_threads(backbone, rows, n_classes, 256) == threads

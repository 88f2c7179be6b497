"""The network is the published one, auto prefers it where it helps, and an audit can stand on its features."""

from __future__ import annotations

import dataclasses
import importlib.resources
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from noiseaudit import choose, pretrained
from noiseaudit.audit import run_audit
from noiseaudit.choose import choose_backbone, prefers_features
from noiseaudit.config import AuditConfig
from noiseaudit.data.load import Found
from noiseaudit.data.probe import Probe
from noiseaudit.errors import ConfigError
from noiseaudit.labels.table import LabelTable
from noiseaudit.load_samples import SampleOptions, load_samples
from tests.test_pretrained_images import colours

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


def probe(height: list[int], width: list[int], *, grey: bool = False) -> Probe:
    n = len(height)
    return Probe(
        np.full(n, "ok", object), np.full(n, None, object), np.array(height), np.array(width),
        np.full(n, grey), 10**6,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("side", "expected"), [(8, 96), (19, 96), (32, 160), (40, 192), (44, 224), (500, 224)]
)
def test_small_images_are_enlarged(side: int, expected: int) -> None:
    assert pretrained.choose_side(probe([side] * 3, [side + 9] * 3), CPU) == expected


@pytest.mark.parametrize(
    ("side", "n", "device", "expected"),
    [
        (32, 58_593, CPU, 160),  # 1.5e9 pixels and a few less
        (32, 58_594, CPU, 128),
        (32, 200_000, CPU, 96),
        (64, 40_000, CPU, 192),
        (64, 60_000, CPU, 192),  # never below three times the side
        (32, 200_000, CUDA, 160),
    ],
)
def test_many_images_are_enlarged_less_on_a_cpu(
    side: int, n: int, device: torch.device, expected: int
) -> None:
    assert pretrained.choose_side(probe([side] * n, [side] * n), device) == expected


def found_images(paths: list[Path]) -> Found:
    names = np.array([path.name for path in paths], dtype=np.object_)
    table = LabelTable(source=None, sample_id=names, image=names, given_label=names)
    return Found(table, paths, Path("labels.csv"), "image", strict=False, max_pixels=10**6, workers=1)


@pytest.mark.parametrize(
    ("size", "mode", "device", "expected"),
    [
        ((32, 32), "RGB", CPU, True),
        ((32, 32), "RGB", CUDA, False),  # conv13 learns these from scratch
        ((48, 48), "RGB", CUDA, False),
        ((49, 49), "RGB", CUDA, True),
        ((28, 28), "L", CPU, False),
        ((33, 33), "L", CPU, True),
        ((300, 200), "L", CUDA, True),
    ],
)
def test_what_auto_prefers_features_for(
    tmp_path: Path, size: tuple[int, int], mode: str, device: torch.device, expected: bool
) -> None:
    Image.new(mode, size, "red" if mode == "RGB" else 9).save(tmp_path / "a.png")
    assert prefers_features(found_images([tmp_path / "a.png"]), device) is expected


def test_small_grey_pictures_stored_as_colour_are_learnt_from_scratch(tmp_path: Path) -> None:
    Image.new("RGB", (28, 28), (7, 7, 7)).save(tmp_path / "a.png")
    assert not prefers_features(found_images([tmp_path / "a.png"]), CPU)


@pytest.fixture
def without_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pretrained.importlib.util, "find_spec", lambda name: None)  # type: ignore[attr-defined]


@pytest.mark.usefixtures("without_extra")
def test_without_the_extra_auto_goes_on_and_asking_says_what_to_install(tmp_path: Path) -> None:
    paths = colours(tmp_path, 4)
    assert not prefers_features(found_images(paths), CPU)
    choice = choose_backbone("auto", (3, 32, 32), 5000, CPU)
    assert "pip install 'noiseaudit[pretrained]'" in choice.reason
    table = found_images(paths).table
    with pytest.raises(ConfigError, match=r"not installed. pip install 'noiseaudit\[pretrained\]'"):
        load_samples(
            table, SampleOptions(images=tmp_path), image_size=None, cache_dir=tmp_path, backbone="pretrained"
        )


def test_a_side_too_small_for_the_network() -> None:
    with pytest.raises(ConfigError, match="needs --image-size 32 or more, not 16"):
        pretrained.load_extractor(probe([40], [40]), 16, CPU)


def test_a_size_that_was_asked_for_is_for_pixels_or_for_the_network(tmp_path: Path) -> None:
    table = found_images(colours(tmp_path, 4)).table
    options = SampleOptions(images=tmp_path)
    by_backbone = {
        backbone: load_samples(table, options, image_size=64, cache_dir=tmp_path, backbone=backbone)
        for backbone in ("auto", "pretrained")
    }
    assert by_backbone["auto"].shape == (3, 64, 64)
    assert by_backbone["auto"].features is None
    assert by_backbone["pretrained"].shape == (1280,)
    assert by_backbone["pretrained"].features == "frozen features of EfficientNet-Lite0 at 64 px"


def test_pretrained_does_not_fit_embeddings() -> None:
    with pytest.raises(ConfigError, match="--backbone pretrained does not fit --embeddings"):
        choose_backbone("pretrained", (512,), 100, CPU)


def test_the_network_sees_what_is_in_photographs() -> None:
    """With the classifier of the same weights on top: a flower, and a palace. Wrong layers or scales see neither."""
    from sklearn.datasets import load_sample_images

    photographs = [Image.fromarray(image).resize((224, 224)) for image in load_sample_images().images]
    extractor = pretrained.load_extractor(probe([427], [640]), None, CPU)
    assert extractor.side == 224
    features = extractor.extract(np.stack([np.asarray(image).transpose(2, 0, 1) for image in photographs]))
    assert features.shape == (2, 1280)
    path = importlib.resources.files(pretrained.WEIGHTS_PACKAGE).joinpath(pretrained.WEIGHTS_FILE)
    weights = torch.load(str(path), weights_only=True)
    logits = torch.from_numpy(features.astype(np.float32)) @ weights["_fc.weight"].T + weights["_fc.bias"]
    monastery, palace, daisy = 663, 698, 985  # ImageNet's numbers
    china, flower = logits.topk(5).indices.tolist()
    assert flower[0] == daisy
    assert {monastery, palace} <= set(china)


def test_many_images_go_through_the_network_in_pieces() -> None:
    n = 2 * pretrained.AT_ONCE + 1
    images = np.random.default_rng(0).integers(0, 256, (n, 3, 32, 32), dtype=np.uint8)
    extract = pretrained.load_extractor(probe([32], [32]), 32, CPU).extract
    alone = np.concatenate([extract(image[None]) for image in images])
    assert np.abs(extract(images).astype(np.float32) - alone).max() < 0.01


@pytest.mark.slow
def test_an_audit_on_features_finds_what_was_planted(tmp_path: Path) -> None:
    """Two kinds of pattern; 6 of 60 labels wrong. The extractor is the real one."""
    rng = np.random.default_rng(0)
    labels, wrong = np.arange(60) % 2, np.arange(60) < 6
    for i in range(60):
        stripes = np.indices((40, 40))[labels[i]] // 4 % 2 * 200
        noise = rng.integers(0, 56, (40, 40, 3))
        Image.fromarray((stripes[..., None] + noise).astype(np.uint8)).save(tmp_path / f"{i}.png")
    given = np.where(wrong, 1 - labels, labels)
    names = np.array([f"{i}.png" for i in range(60)], dtype=np.object_)
    words = np.array(["down", "across"], dtype=np.object_)[given]
    table = LabelTable(source=None, sample_id=names, image=names, given_label=words)
    audit = run_audit(table, tmp_path, config=AuditConfig(epochs=40))
    assert audit.plan.backbone == choose.Choice(
        "pretrained", "frozen features of EfficientNet-Lite0 at 192 px"
    )
    assert sorted(audit.result.column("rank")[wrong].tolist()) == [1, 2, 3, 4, 5, 6]
    flagged = audit.result.suspects()
    assert flagged.sum() >= 3
    assert not flagged[~wrong].any()


def test_the_fingerprint_is_of_the_files_not_of_the_features(tmp_path: Path) -> None:
    table, options = found_images(colours(tmp_path, 4)).table, SampleOptions(images=tmp_path)
    kept = dataclasses.replace(options, feature_cache=tmp_path / "cache")
    prints = [
        load_samples(table, how, image_size=32, cache_dir=tmp_path, backbone="pretrained").fingerprint
        for how in (options, kept, kept)
    ]
    assert len(set(prints)) == 1
    Image.new("RGB", (20, 30), "red").save(tmp_path / "2.png")
    changed = load_samples(table, kept, image_size=32, cache_dir=tmp_path, backbone="pretrained")
    assert changed.fingerprint != prints[0]

"""The images behind features: those that the features were made of, and no other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from noiseaudit import load_samples as loading
from noiseaudit import pretrained
from noiseaudit.data.decode import Pixels
from noiseaudit.labels.read import read_labels
from noiseaudit.load_samples import SampleOptions, load_samples
from noiseaudit.samples import Samples
from tests.test_pretrained_images import colours

N = 12


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    colours(tmp_path, N)
    rows = [f"{i}.png,{'ab'[i % 2]}" for i in range(N)]
    (tmp_path / "labels.csv").write_text("\n".join(["image,label", *rows]) + "\n")
    return tmp_path / "labels.csv"


def loaded(labels: Path) -> Samples:
    return load_samples(
        read_labels(labels),
        SampleOptions(images=labels.parent),
        image_size=32,
        cache_dir=labels.parent,
        backbone="pretrained",
        keep_originals=True,
    )


@torch.no_grad()
def test_the_network_makes_the_features_of_them(labels: Path) -> None:
    found = loaded(labels)
    assert found.originals
    pixels, mean, deviation = found.originals
    assert pixels.shape == (N, 3, 32, 32)
    again = (pretrained.load_network()(pretrained.prepared(pixels.float())) - mean) / deviation
    varies = deviation > 0.02  # features are kept in half precision
    torch.testing.assert_close(again[:, varies], found.x[:, varies], rtol=0, atol=0.1)


def test_a_file_that_was_damaged_since_is_left_out(labels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = loading._load_images

    def worse(*args: object) -> Pixels:
        pixels = read(*args)  # type: ignore[arg-type]
        pixels.status[4], pixels.reason[4] = "unreadable", "it broke"
        return pixels

    whole = loaded(labels)
    monkeypatch.setattr(loading, "_load_images", worse)
    found = loaded(labels)
    assert found.status.tolist() == ["ok"] * 4 + ["unreadable"] + ["ok"] * (N - 5)
    assert found.reason[4] == "it broke"
    assert (found.x[4] == 0).all()
    kept = np.arange(N) != 4
    assert found.originals
    assert whole.originals
    torch.testing.assert_close(found.x[kept].mean(0), torch.zeros(found.x.shape[1]), rtol=0, atol=1e-4)
    assert not torch.equal(found.originals.mean, whole.originals.mean)  # it has no part in the scales

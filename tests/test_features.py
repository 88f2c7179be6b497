"""Features for instance-dependent corruption."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from noiseaudit.errors import ConfigError
from noiseaudit.features import instance_features
from noiseaudit.labels.read import read_labels
from noiseaudit.labels.table import LabelTable


@pytest.fixture
def table(tmp_path: Path) -> LabelTable:
    Image.new("RGB", (20, 30), (255, 0, 0)).save(tmp_path / "red.png")
    Image.new("L", (16, 16), 51).save(tmp_path / "grey.png")
    (tmp_path / "labels.csv").write_text("image,label\nred.png,a\ngrey.png,b\nabsent.png,b\n")
    return read_labels(tmp_path / "labels.csv")


def test_images_become_small_grey_values(table: LabelTable, tmp_path: Path) -> None:
    features = instance_features(table, images=tmp_path, embeddings=None)
    assert features.dtype == np.float32
    expected = np.repeat(
        np.array([[1 / 3], [0.2], [0.0]]), 256, axis=1
    )  # mean of the channels; absent is zero
    np.testing.assert_allclose(features, expected, atol=1e-6)


def test_embeddings_are_taken_as_they_are(table: LabelTable, tmp_path: Path) -> None:
    values = np.arange(6, dtype=np.float32).reshape(3, 2)
    np.save(tmp_path / "e.npy", values)
    np.testing.assert_array_equal(
        instance_features(table, images=None, embeddings=tmp_path / "e.npy"), values
    )


@pytest.mark.parametrize("both", [True, False])
def test_exactly_one_source(table: LabelTable, tmp_path: Path, both: bool) -> None:
    path = tmp_path if both else None
    with pytest.raises(ConfigError, match="--images or --embeddings"):
        instance_features(table, images=path, embeddings=path)

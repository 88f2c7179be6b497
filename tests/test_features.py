"""Features for instance-dependent corruption."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.preprocessing import StandardScaler

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


def test_images_become_small_standardised_grey_values(table: LabelTable, tmp_path: Path) -> None:
    features = instance_features(table, images=tmp_path, embeddings=None)
    assert features.dtype == np.float32
    # Greys of 85 and 51, mean of the channels, are one deviation above and below; absent is zero.
    np.testing.assert_allclose(features, np.repeat([[1.0], [-1.0], [0.0]], 256, axis=1), atol=1e-5)


def test_embeddings_are_standardised_and_constants_zero(table: LabelTable, tmp_path: Path) -> None:
    values = np.array([[1e6, 0.1], [2e6, 0.1], [6e6, 0.1]], np.float32)
    np.save(tmp_path / "e.npy", values)
    features = instance_features(table, images=None, embeddings=tmp_path / "e.npy")
    np.testing.assert_allclose(features[:, 0], StandardScaler().fit_transform(values)[:, 0], atol=1e-6)
    np.testing.assert_array_equal(features[:, 1], 0)


def test_an_embedding_that_cannot_be_used_is_zero(table: LabelTable, tmp_path: Path) -> None:
    np.save(tmp_path / "e.npy", [[1.0, 4.0], [3.0, 2.0], [np.nan, 1.0]])
    features = instance_features(table, images=None, embeddings=tmp_path / "e.npy")
    assert features.tolist() == [[-1.0, 1.0], [1.0, -1.0], [0.0, 0.0]]


@pytest.mark.parametrize(
    ("both", "message"), [(True, "are both given. Give one"), (False, "Give --images or --embeddings")]
)
def test_exactly_one_source(table: LabelTable, tmp_path: Path, both: bool, message: str) -> None:
    path = tmp_path if both else None
    with pytest.raises(ConfigError, match=message):
        instance_features(table, images=path, embeddings=path)

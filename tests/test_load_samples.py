"""What the engine trains on: images or embeddings, one of the two."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image

from noiseaudit.data.embeddings import UNREADABLE
from noiseaudit.errors import ConfigError, DataError
from noiseaudit.labels.table import LabelTable
from noiseaudit.load_samples import SampleOptions, load_samples
from noiseaudit.samples import Samples


def table(n: int) -> LabelTable:
    names = np.array([f"{i}.png" for i in range(n)], dtype=np.object_)
    labels = np.array(["cat", "dog"] * n, dtype=np.object_)[:n]
    return LabelTable(source=None, sample_id=names, image=names, given_label=labels)


def test_images(tmp_path: Path) -> None:
    for i in (0, 2):
        Image.fromarray(np.full((4, 5), 40 * i, np.uint8)).save(tmp_path / f"{i}.png")
    samples = load_samples(
        table(3), SampleOptions(images=tmp_path), image_size=None, cache_dir=tmp_path / "cache"
    )
    assert samples.x.dtype == torch.uint8
    assert samples.shape == (1, 4, 5)
    assert samples.x.flatten(1).float().mean(1).tolist() == [0.0, 0.0, 80.0]
    assert samples.status.tolist() == ["ok", "missing", "ok"]
    assert samples.reason[0] is None
    assert samples.reason[1]
    assert samples.fingerprint.startswith("sha256:")
    assert not (tmp_path / "cache").exists()


def test_a_memory_map_holds_the_same(tmp_path: Path) -> None:
    for i in range(3):
        Image.fromarray(np.full((4, 5), 40 * i, np.uint8)).save(tmp_path / f"{i}.png")
    cache = tmp_path / "cache"
    held, mapped = (
        load_samples(
            table(3), SampleOptions(images=tmp_path, max_memory=limit), image_size=None, cache_dir=cache
        )
        for limit in (10**6, 0)
    )
    assert any(cache.iterdir())
    assert torch.equal(held.x, mapped.x)
    assert held.fingerprint == mapped.fingerprint


def test_the_image_size_is_the_users(tmp_path: Path) -> None:
    Image.new("RGB", (5, 4), "red").save(tmp_path / "0.png")
    samples = load_samples(table(1), SampleOptions(images=tmp_path), image_size=16, cache_dir=tmp_path)
    assert samples.shape == (3, 16, 16)


def test_strict_stops_at_a_bad_image(tmp_path: Path) -> None:
    for i in (0, 1):
        Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / f"{i}.png")
    options = SampleOptions(images=tmp_path, strict=True)
    with pytest.raises(DataError, match=r"row 2, column 'image': '2\.png'"):
        load_samples(table(3), options, image_size=None, cache_dir=tmp_path)


def test_embeddings_are_standardised(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(3, 5, (50, 4)).astype(np.float32)
    np.save(tmp_path / "e.npy", values)
    options = SampleOptions(embeddings=tmp_path / "e.npy")
    samples = load_samples(table(50), options, image_size=None, cache_dir=tmp_path)
    assert samples.x.dtype == torch.float32
    assert samples.shape == (4,)
    assert samples.x.mean(0).numpy() == pytest.approx(np.zeros(4), abs=1e-5)
    assert samples.x.std(0, correction=0).numpy() == pytest.approx(np.ones(4), abs=1e-5)
    assert samples.status.tolist() == ["ok"] * 50


def _embedded(folder: Path, values: npt.NDArray[np.float64], *, strict: bool = False) -> Samples:
    np.save(folder / "e.npy", values)
    options = SampleOptions(embeddings=folder / "e.npy", strict=strict)
    return load_samples(table(len(values)), options, image_size=None, cache_dir=folder)


def test_a_bad_embedding_is_listed_and_touches_no_other(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(3, 5, (50, 4))
    values[7] = np.nan
    values[9, 2] = np.inf
    samples = _embedded(tmp_path, values)
    bad = np.isin(np.arange(50), [7, 9])
    assert samples.status.tolist() == np.where(bad, "unreadable", "ok").tolist()
    assert samples.reason[~bad].tolist() == [None] * 48
    assert samples.reason[bad].tolist() == [UNREADABLE] * 2
    assert not samples.x[torch.from_numpy(bad)].any()
    good = values[~bad]
    expected = (good - good.mean(axis=0)) / good.std(axis=0)
    assert samples.x.numpy()[~bad] == pytest.approx(expected, abs=1e-5)


def test_the_fingerprint_tells_a_bad_embedding_from_zeros(tmp_path: Path) -> None:
    values = np.ones((3, 2))
    prints = []
    for bad in (np.nan, np.inf, 0.0):
        values[1] = bad
        prints.append(_embedded(tmp_path, values).fingerprint)
    assert prints[0] == prints[1] != prints[2]


def test_strict_and_more_than_half_stop_at_bad_embeddings(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"e\.npy, row 1: '1\.png': the embedding is missing or empty, or holds NaN"
    ):
        _embedded(tmp_path, np.array([[1.0], [np.nan], [2.0]]), strict=True)
    with pytest.raises(DataError, match="2 of 3 embeddings cannot be read"):
        _embedded(tmp_path, np.array([[1.0], [np.nan], [np.nan]]))


@pytest.mark.parametrize(
    ("both", "found"),
    [(True, "both --images and --embeddings given"), (False, "neither --images nor --embeddings given")],
)
def test_either_images_or_embeddings(tmp_path: Path, both: bool, found: str) -> None:
    options = SampleOptions(images=tmp_path, embeddings=tmp_path / "e.npy") if both else SampleOptions()
    with pytest.raises(ConfigError, match=f"^{found}. Give either --images DIR or --embeddings FILE"):
        load_samples(table(2), options, image_size=None, cache_dir=tmp_path)

"""Frozen features of images: in the order of the rows, one look for each content, damaged files listed."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from noiseaudit.data import embed as embed_module
from noiseaudit.data.convert import Bytes
from noiseaudit.data.embed import Embedded, Extractor, embed_images
from noiseaudit.data.feature_store import FILE_NAME, Features, FeatureStore, open_store
from noiseaudit.data.parallel import map_chunks
from noiseaudit.data.probe import probe_images


class Counting:
    """Means of the colours as features, and how many images were asked for."""

    def __init__(self) -> None:
        self.images = 0

    def __call__(self, pixels: Bytes) -> Features:
        self.images += len(pixels)
        means: npt.NDArray[np.float64] = pixels.mean(axis=(2, 3))
        return means.astype(np.float16)


def colours(folder: Path, n: int) -> list[Path]:
    paths = [folder / f"{i}.png" for i in range(n)]
    for i, path in enumerate(paths):
        Image.new("RGB", (20, 30), (i, 3 * i % 256, 255 - i)).save(path)
    return paths


def embed(
    paths: list[Path],
    extract: Counting,
    store: FeatureStore | None = None,
    side: int = 32,
    version: str = "a",
) -> Embedded:
    extractor = Extractor(extract, 3, side, version)
    return embed_images(paths, probe_images(paths), extractor, store=store, workers=2)


def test_features_are_in_the_order_of_the_rows(tmp_path: Path) -> None:
    paths = colours(tmp_path, 150)  # more than a batch
    found = embed(paths, Counting())
    assert found.values.dtype == np.float32
    assert found.values.tolist() == [[i, 3 * i % 256, 255 - i] for i in range(150)]
    assert set(found.status) == {"ok"}
    assert len({digest.tobytes() for digest in found.digests}) == 150


def test_each_content_is_looked_at_once(tmp_path: Path) -> None:
    paths = colours(tmp_path, 3)
    (tmp_path / "copy.png").write_bytes(paths[1].read_bytes())
    extract = Counting()
    found = embed([*paths, tmp_path / "copy.png", paths[0]], extract)
    assert extract.images == 3
    assert found.values[:, 0].tolist() == [0, 1, 2, 1, 0]


@pytest.mark.parametrize("changed", [{"side": 64}, {"version": "b"}])
def test_another_network_or_size_has_other_features(tmp_path: Path, changed: dict[str, int | str]) -> None:
    paths, extract = colours(tmp_path, 4), Counting()
    with open_store(tmp_path / "cache") as store:
        embed(paths, extract, store)
        embed(paths, extract, store, **changed)  # type: ignore[arg-type]
    assert extract.images == 8


def test_damaged_images_are_listed(tmp_path: Path) -> None:
    paths = colours(tmp_path, 4)
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "cut.jpg")
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "cut.jpg").read_bytes()[:1500])
    paths[1] = paths[3] = tmp_path / "cut.jpg"
    found = embed(paths, Counting())
    assert found.status.tolist() == ["ok", "unreadable", "ok", "unreadable"]
    assert found.reason.tolist() == [None, "truncated or damaged image", None, "truncated or damaged image"]
    assert np.isnan(found.values).all(axis=1).tolist() == [False, True, False, True]
    assert found.digests.any(axis=1).tolist() == [True, False, True, False]


def test_a_picture_that_changes_while_it_is_read_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths, extract = colours(tmp_path, 3), Counting()
    before = embed_module._digest

    def digest(path: Path) -> bytes | None:
        found = None if path == paths[2] else before(path)
        if path == paths[1]:
            Image.new("RGB", (20, 30), "blue").save(path)
        return found

    monkeypatch.setattr(embed_module, "_digest", digest)
    with open_store(tmp_path / "cache") as store:
        found = embed(paths, extract, store)
    assert found.status.tolist() == ["ok", "unreadable", "unreadable"]
    assert found.reason[1:].tolist() == ["it changed while it was read", "it went away while it was read"]
    with sqlite3.connect(tmp_path / "cache" / FILE_NAME) as connection:
        assert connection.execute("SELECT count(*) FROM features").fetchone() == (1,)
    connection.close()


def test_workers_do_not_run_ahead_of_the_reader() -> None:
    done: list[int] = []
    results = map_chunks(lambda part: done.append(part[0]) or part[0], range(100), 2, chunk=1)  # type: ignore[func-returns-value]
    assert next(results) == 0
    assert len(done) <= 6  # two chunks for each of two workers, and those under way
    assert list(results) == list(range(1, 100))

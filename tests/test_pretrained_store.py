"""The store of features goes by content, is shared by processes, and stops no scan where it fails."""

from __future__ import annotations

import dataclasses
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from noiseaudit.data.embed import Extractor, embed_images
from noiseaudit.data.feature_store import FILE_NAME, open_store
from noiseaudit.data.probe import probe_images
from noiseaudit.errors import OutputError
from noiseaudit.load_samples import SampleOptions, load_samples
from tests.test_pretrained_images import Counting, colours, embed
from tests.test_pretrained_network import found_images


def test_the_store_knows_a_picture_wherever_it_lies(tmp_path: Path) -> None:
    paths = colours(tmp_path, 70)
    first, second = Counting(), Counting()
    with open_store(tmp_path / "cache") as store:
        expected = embed(paths, first, store)
    moved = [path.rename(path.with_name(f"moved{path.name}")) for path in paths]
    Image.new("RGB", (20, 30), (9, 9, 9)).save(moved[5])
    seen: list[tuple[int, int]] = []
    with open_store(tmp_path / "cache") as store:
        found = embed_images(
            moved,
            probe_images(moved),
            Extractor(second, 3, 32, "a"),
            store=store,
            workers=1,
            on_progress=lambda done, total: seen.append((done, total)),
        )
    assert (first.images, second.images) == (70, 1)
    assert seen == [(70, 70)]
    assert np.delete(found.values, 5, axis=0).tolist() == np.delete(expected.values, 5, axis=0).tolist()
    assert found.values[5].tolist() == [9, 9, 9]


def test_a_store_is_read_by_others_while_it_is_open(tmp_path: Path) -> None:
    vector = np.array([1.5, -2.0], np.float16)
    with open_store(tmp_path) as one, open_store(tmp_path) as other:
        one.put({b"k": vector})
        found = other.get([b"k", b"unknown"])
    assert list(found) == [b"k"]
    assert found[b"k"].tolist() == [1.5, -2.0]


def test_more_keys_than_one_query_takes(tmp_path: Path) -> None:
    features = {str(i).encode(): np.array([i], np.float16) for i in range(1100)}
    with open_store(tmp_path) as store:
        store.put(features)
        assert {key: float(value[0]) for key, value in store.get(list(features)).items()} == {
            key: float(value[0]) for key, value in features.items()
        }


def test_a_damaged_store_is_named(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"this is no database" * 100)
    with (
        pytest.raises(OutputError, match=rf"{FILE_NAME}: features cannot be kept here.*--feature-cache none"),
        open_store(tmp_path),
    ):
        pass


def test_a_store_that_breaks_later_is_named(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        with sqlite3.connect(tmp_path / FILE_NAME) as other:
            other.execute("DROP TABLE features")
        other.close()
        with pytest.raises(OutputError, match="no such table"):
            store.get([b"k"])


OPEN_MANY = """
import sys, time
from pathlib import Path
from noiseaudit.data.feature_store import open_store
import numpy as np
while time.time() < float(sys.argv[2]):
    pass
for i in range(20):
    with open_store(Path(sys.argv[1]) / str(i)) as store:
        store.put({sys.argv[3].encode(): np.ones(4, np.float16)})
"""


def test_processes_that_open_a_new_store_at_once_wait_for_each_other(tmp_path: Path) -> None:
    start = str(time.time() + 4)
    words = [sys.executable, "-c", OPEN_MANY, str(tmp_path), start]
    running = [subprocess.Popen([*words, str(i)], stderr=subprocess.PIPE) for i in range(4)]
    errors = [process.communicate()[1].decode() for process in running]
    assert errors == [""] * 4
    keys = [str(i).encode() for i in range(4)]
    for i in range(20):
        with open_store(tmp_path / str(i)) as store:
            assert sorted(store.get(keys)) == keys


def test_a_stored_value_of_another_length_is_made_again(tmp_path: Path) -> None:
    paths, extract = colours(tmp_path, 3), Counting()
    with open_store(tmp_path / "cache") as store:
        expected = embed(paths, extract, store)
    with sqlite3.connect(tmp_path / "cache" / FILE_NAME) as connection:
        connection.execute(
            "UPDATE features SET value = zeroblob(10) WHERE key = (SELECT min(key) FROM features)"
        )
    connection.close()
    with open_store(tmp_path / "cache") as store:
        assert embed(paths, extract, store).values.tolist() == expected.values.tolist()
    assert extract.images == 4


def test_a_store_that_fails_on_the_way_costs_a_warning(tmp_path: Path) -> None:
    paths = colours(tmp_path, 70)
    with open_store(tmp_path / "cache") as store:
        with sqlite3.connect(tmp_path / "cache" / FILE_NAME) as other:
            other.execute(
                "CREATE TRIGGER full BEFORE INSERT ON features BEGIN SELECT RAISE(FAIL, 'disk is full'); END"
            )
        other.close()
        found = embed(paths, Counting(), store)
    assert set(found.status) == {"ok"}
    assert len(found.warnings) == 1
    assert "features are not kept from here on" in found.warnings[0]
    assert "disk is full" in found.warnings[0]


def test_a_cache_nobody_asked_for_must_not_stop_a_scan(tmp_path: Path) -> None:
    table = found_images(colours(tmp_path, 4)).table
    (tmp_path / "file").write_text("")
    options = SampleOptions(images=tmp_path, feature_cache=tmp_path / "file" / "cache")
    samples = load_samples(table, options, image_size=32, cache_dir=tmp_path, backbone="pretrained")
    assert set(samples.status) == {"ok"}
    assert samples.warnings[0].startswith("features are not kept for the next scan")
    with pytest.raises(OutputError, match="features cannot be kept here"):
        load_samples(
            table, dataclasses.replace(options, must_cache=True), image_size=32, cache_dir=tmp_path,
            backbone="pretrained",
        )  # fmt: skip

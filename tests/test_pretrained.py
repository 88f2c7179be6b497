"""Frozen features: the network is the published one, the cache is by content, and a scan can stand on them."""

from __future__ import annotations

import dataclasses
import importlib.resources
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image

from noiseaudit import choose, pretrained
from noiseaudit.audit import run_audit
from noiseaudit.choose import choose_backbone, prefers_features
from noiseaudit.config import AuditConfig
from noiseaudit.data import embed as embed_module
from noiseaudit.data.convert import Bytes
from noiseaudit.data.embed import Embedded, Extractor, embed_images
from noiseaudit.data.feature_store import FILE_NAME, Features, FeatureStore, open_store
from noiseaudit.data.load import Found
from noiseaudit.data.parallel import map_chunks
from noiseaudit.data.probe import Probe, probe_images
from noiseaudit.errors import ConfigError, OutputError
from noiseaudit.labels.table import LabelTable
from noiseaudit.samples import SampleOptions, load_samples

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


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


def test_a_picture_that_changes_while_it_is_read_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths, extract = colours(tmp_path, 3), Counting()
    digests: dict[Path, int] = {}
    before = embed_module._digest

    def digest(path: Path) -> bytes | None:
        digests[path] = digests.get(path, 0) + 1
        if path == paths[1] and digests[path] == 2:
            Image.new("RGB", (20, 30), "blue").save(path)
        return None if path == paths[2] else before(path)

    monkeypatch.setattr(embed_module, "_digest", digest)
    with open_store(tmp_path / "cache") as store:
        found = embed(paths, extract, store)
    assert found.status.tolist() == ["ok", "unreadable", "unreadable"]
    assert found.reason[1:].tolist() == ["it changed while it was read", "it went away while it was read"]
    with sqlite3.connect(tmp_path / "cache" / FILE_NAME) as connection:
        assert connection.execute("SELECT count(*) FROM features").fetchone() == (1,)
    connection.close()


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


def test_workers_do_not_run_ahead_of_the_reader() -> None:
    done: list[int] = []
    results = map_chunks(lambda part: done.append(part[0]) or part[0], range(100), 2, chunk=1)  # type: ignore[func-returns-value]
    assert next(results) == 0
    assert len(done) <= 6  # two chunks for each of two workers, and those under way
    assert list(results) == list(range(1, 100))


def probe(height: list[int], width: list[int], *, grey: bool = False) -> Probe:
    n = len(height)
    return Probe(
        np.full(n, "ok", object), np.full(n, None, object), np.array(height), np.array(width),
        np.full(n, grey), 10**6,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("side", "expected"), [(8, 96), (32, 96), (40, 128), (48, 128), (64, 192), (70, 224), (500, 224)]
)
def test_small_images_are_enlarged(side: int, expected: int) -> None:
    assert pretrained.choose_side(probe([side] * 3, [side + 9] * 3)) == expected


def found_images(paths: list[Path]) -> Found:
    names = np.array([path.name for path in paths], dtype=np.object_)
    table = LabelTable(source=None, sample_id=names, image=names, given_label=names)
    return Found(table, paths, probe_images(paths), Path("labels.csv"), "image", strict=False)


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
        "pretrained", "frozen features of EfficientNet-Lite0 at 128 px"
    )
    assert sorted(audit.result.column("rank")[wrong].tolist()) == [1, 2, 3, 4, 5, 6]
    assert 4 <= audit.result.suspects().sum() <= 6


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

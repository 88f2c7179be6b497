"""Decoding fills one tensor, in memory or in a file, the same for any number of workers."""

from __future__ import annotations

import hashlib
import shutil
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image

from noiseaudit.data import opening
from noiseaudit.data.decode import Pixels, decode_images
from noiseaudit.data.parallel import map_chunks
from noiseaudit.data.probe import probe_images
from noiseaudit.errors import DataError, OutputError


def decode(paths: list[Path], cache: Path, **options: Any) -> Pixels:
    defaults: dict[str, Any] = {"size": None, "channels": 1, "workers": 1, "memory_limit": 10**9}
    return decode_images(paths, probe_images(paths), cache_dir=cache, **(defaults | options))


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    """80 grey images of 6 x 5 pixels, the i-th all i."""
    paths = [tmp_path / f"{i}.png" for i in range(80)]
    for i, path in enumerate(paths):
        Image.new("L", (5, 6), i).save(path)
    return paths


def test_rows_keep_their_order(paths: list[Path], tmp_path: Path) -> None:
    pixels = decode(paths, tmp_path)
    assert pixels.data.dtype == torch.uint8
    assert pixels.data.shape == (80, 1, 6, 5)
    assert (pixels.data == torch.arange(80).view(-1, 1, 1, 1)).all()
    assert pixels.is_ok.all()
    assert pixels.reason.tolist() == [None] * 80


def test_workers_and_memory_map_change_nothing(paths: list[Path], tmp_path: Path) -> None:
    paths[7].write_bytes(b"")
    Image.new("RGB", (5, 6), "red").save(paths[8])
    cache = tmp_path / "new" / "cache"
    plain = decode(paths, cache, size=(4, 4), channels=3)
    assert not cache.exists()
    threaded = decode(paths, cache, size=(4, 4), channels=3, workers=4)
    mapped = decode(paths, cache, size=(4, 4), channels=3, workers=4, memory_limit=80 * 48 - 1)
    assert (cache / "pixels.npy").stat().st_size > 80 * 48
    assert plain.data.shape == (80, 3, 4, 4)
    for other in (threaded, mapped):
        assert torch.equal(plain.data, other.data)
        assert plain.status.tolist() == other.status.tolist()
        assert plain.reason.tolist() == other.reason.tolist()
        assert np.array_equal(plain.digests, other.digests)
    mapped.data[0] = 9
    assert (np.load(cache / "pixels.npy", mmap_mode="r")[0] == 9).all()


def _saved(folder: Path, values: npt.NDArray[np.uint8], kind: str) -> Path:
    """A grey picture (h, w) stored as `kind`."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{len(list(folder.iterdir()))}.{'jpg' if kind == 'YCbCr' else 'png'}"
    grey = Image.fromarray(values)
    if kind == "P":
        grey.putpalette(bytes(np.repeat(np.arange(255, -1, -1), 3).tolist()))
        grey = grey.point(list(range(255, -1, -1)))
    else:
        grey = grey.convert(kind)
    grey.save(path)
    return path


@pytest.mark.parametrize("limit", [10**9, 0])
@pytest.mark.parametrize("kind", ["RGB", "RGBA", "P"])
def test_grey_stored_as_colour_is_the_same_as_grey(tmp_path: Path, kind: str, limit: int) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (40, 9, 7), dtype=np.uint8)
    grey = [_saved(tmp_path / "grey", values, "L") for values in noise]
    stored = [_saved(tmp_path / "stored", values, kind) for values in noise]
    assert not probe_images(stored).is_grey.any()
    for size in (None, (5, 4)):
        expected = decode(grey, tmp_path, size=size).data
        assert size or torch.equal(expected[:, 0], torch.from_numpy(noise))
        found = decode(stored, tmp_path / "cache", size=size, channels=3, workers=3, memory_limit=limit)
        assert found.data.shape == expected.shape
        assert torch.equal(found.data, expected)
        assert found.data.is_contiguous() == (limit > 0)  # in memory the other channels are let go


def test_a_colour_jpeg_without_colour_is_grey(tmp_path: Path) -> None:
    values = np.add.outer(np.arange(16), np.arange(16)).astype(np.uint8) * 8
    data = decode([_saved(tmp_path / "jpeg", values, "YCbCr")], tmp_path, channels=3).data
    assert data.shape == (1, 1, 16, 16)


def test_one_pixel_of_colour_keeps_all_channels(paths: list[Path], tmp_path: Path) -> None:
    image = Image.new("RGB", (5, 6), (7, 7, 7))
    image.putpixel((4, 5), (7, 7, 8))
    image.save(paths[41])
    assert decode(paths, tmp_path, channels=3).data.shape == (80, 3, 6, 5)


def test_what_cannot_be_read_has_no_say_in_the_channels(paths: list[Path], tmp_path: Path) -> None:
    Image.new("RGB", (50, 60), "red").save(paths[3])
    paths[3].write_bytes(paths[3].read_bytes()[:60])
    data = decode([*paths, paths[3], paths[4]], tmp_path, size=(6, 5), channels=3).data
    assert data.shape == (82, 1, 6, 5)
    assert data[[3, 80, 81], 0, 0, 0].tolist() == [0, 0, 4]


def test_memory_limit_is_in_bytes(paths: list[Path], tmp_path: Path) -> None:
    decode(paths, tmp_path / "cache", memory_limit=80 * 30)
    assert not (tmp_path / "cache").exists()
    decode(paths, tmp_path / "cache", memory_limit=80 * 30 - 1)
    assert (tmp_path / "cache" / "pixels.npy").exists()


def test_files_damaged_behind_the_header_become_unreadable(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)
    paths = [tmp_path / name for name in ("good.jpg", "cut.jpg", "cut.png", "gone.png")]
    for path in paths[:3]:
        Image.fromarray(noise).save(path)
    for path in paths[1:3]:
        path.write_bytes(path.read_bytes()[:1500])
    assert probe_images(paths).status.tolist() == ["ok", "ok", "ok", "missing"]
    pixels = decode([*paths, paths[1]], tmp_path)
    assert pixels.status.tolist() == ["ok", "unreadable", "unreadable", "missing", "unreadable"]
    damaged = "truncated or damaged image"
    assert pixels.reason.tolist() == [None, damaged, damaged, "no such file", damaged]
    assert pixels.data[0].any()
    assert not pixels.data[1:].any()
    assert pixels.digests[0].tobytes() == hashlib.sha256(paths[0].read_bytes()).digest()
    assert not pixels.digests[1:].any()


def test_the_same_file_is_decoded_once(
    paths: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = [paths[3], paths[5], paths[3], paths[3]]
    found = probe_images(used)
    opened: list[Path] = []
    check = opening._check_file

    def count(path: Path) -> None:
        opened.append(path)
        check(path)

    monkeypatch.setattr(opening, "_check_file", count)
    pixels = decode_images(
        used, found, size=None, channels=1, workers=1, memory_limit=10**9, cache_dir=tmp_path
    )
    assert opened == [paths[3], paths[5]]
    assert pixels.data[:, 0, 0, 0].tolist() == [3, 5, 3, 3]
    assert np.array_equal(pixels.digests, pixels.digests[[0, 1, 0, 0]])


def test_several_sizes_need_one_to_be_named(paths: list[Path], tmp_path: Path) -> None:
    Image.new("L", (9, 9), 200).save(paths[1])
    with pytest.raises(DataError, match=r"2 sizes.*--image-size"):
        decode(paths[:2], tmp_path)
    assert decode(paths[:2], tmp_path, size=(3, 2)).data[:, 0, 2, 1].tolist() == [0, 200]


def test_a_file_swapped_for_a_larger_one_is_not_decoded(paths: list[Path], tmp_path: Path) -> None:
    found = probe_images(paths[:2], max_pixels=30)
    Image.new("L", (6, 6), 9).save(paths[1])
    pixels = decode_images(
        paths[:2], found, size=(6, 5), channels=1, workers=1, memory_limit=10**9, cache_dir=tmp_path
    )
    assert pixels.status.tolist() == ["ok", "too_large"]


def test_a_full_disk_stops_before_writing(
    paths: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Usage(NamedTuple):
        free: int

    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(100))
    with pytest.raises(OutputError, match="need 2400 bytes, but 100 are free"):
        decode(paths, tmp_path / "cache", memory_limit=0)
    assert not (tmp_path / "cache" / "pixels.npy").exists()


def test_an_unwritable_cache_is_named(paths: list[Path]) -> None:
    with pytest.raises(OutputError, match=r"0\.png.*cannot write decoded images"):
        decode(paths, paths[0] / "cache", memory_limit=0)


def test_no_pillow_warning_escapes_from_threads(tmp_path: Path) -> None:
    palette = Image.new("P", (8, 8))
    palette.putpalette([0, 0, 0, 255, 0, 0])
    paths = [tmp_path / f"{i}.png" for i in range(64)]
    for path in paths:
        palette.save(path, transparency=b"\x00\x80")
    (tmp_path / "x.jpg").write_bytes(b"")
    Image.new("L", (8, 8)).save(tmp_path / "x.jpg", exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pixels = decode([*paths, tmp_path / "x.jpg"], tmp_path, workers=4)
    assert pixels.is_ok.all()
    assert (pixels.data[:64] == 255).all()


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("count", [0, 1, 31, 32, 33, 200])
def test_map_chunks_covers_everything_in_order(workers: int, count: int) -> None:
    chunks = list(map_chunks(list, range(count), workers))
    assert [item for chunk in chunks for item in chunk] == list(range(count))


def test_map_chunks_passes_errors_on() -> None:
    def work(items: Sequence[int]) -> int:
        return 1 // (items[0] - 32)

    with pytest.raises(ZeroDivisionError):
        list(map_chunks(work, range(100), 2))

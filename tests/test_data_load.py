"""find_images and load_images: the whole way from cells to pixels, and when bad images stop it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from noiseaudit.data.decode import Pixels
from noiseaudit.data.load import find_images, load_images
from noiseaudit.errors import DataError
from noiseaudit.labels.table import LabelTable


def load(folder: Path, cells: list[str | None] | None, **options: Any) -> Pixels:
    n = len(cells or [None])
    table = LabelTable(
        source=None,
        sample_id=np.array([f"id{i}" for i in range(n)], dtype=object),
        image=None if cells is None else np.array(cells, dtype=object),
        given_label=np.array(["a"] * n, dtype=object),
    )
    image_size = options.pop("image_size", None)
    found = find_images(table, folder, file=Path("labels.csv"), **options)
    workers = options.get("workers", 1)
    return load_images(found, image_size=image_size, workers=workers, memory_limit=10**9, cache_dir=folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for i in range(4):
        Image.new("L", (5, 6), i).save(tmp_path / f"{i}.png")
    (tmp_path / "empty.png").touch()
    return tmp_path


def test_native_size_and_order(folder: Path) -> None:
    pixels = load(folder, ["2.png", "0.png", "3.png"])
    assert pixels.data.shape == (3, 1, 6, 5)
    assert pixels.data[:, 0, 0, 0].tolist() == [2, 0, 3]


def test_grey_stored_as_colour_counts_as_grey(folder: Path) -> None:
    for name, colour in (("2.png", (2, 2, 2)), ("red.png", (9, 0, 0))):
        Image.new("RGB", (5, 6), colour).save(folder / name)
    assert load(folder, ["2.png", "0.png", "empty.png"]).data[:, :, 0, 0].tolist() == [[2], [0], [0]]
    assert load(folder, ["2.png", "red.png"]).data[:, :, 0, 0].tolist() == [[2, 2, 2], [9, 0, 0]]


def test_options_reach_their_place(folder: Path) -> None:
    pixels = load(folder, ["1.png", "../images2/x.png"], image_size=7, allow_roots=[folder.parent], workers=2)
    assert pixels.data.shape == (2, 1, 7, 7)
    Image.new("L", (9, 9)).save(folder / "big.png")
    assert load(folder, ["1.png", "big.png"], max_pixels=30).status.tolist() == ["ok", "too_large"]


def test_bad_images_are_listed_and_the_rest_goes_on(folder: Path) -> None:
    pixels = load(folder, ["0.png", "gone.png", "2.png", None, "empty.png", "3.png"])
    assert pixels.status.tolist() == ["ok", "missing", "ok", "missing", "unreadable", "ok"]
    assert [bool(reason) for reason in pixels.reason] == [False, True, False, True, True, False]
    assert not any(str(folder) in str(reason) for reason in pixels.reason)


def test_more_than_half_bad_stops(folder: Path) -> None:
    with pytest.raises(DataError) as caught:
        load(folder, ["0.png", "a.png", "b.png", "1.png", "empty.png"])
    assert str(caught.value) == (
        "labels.csv, column 'image': 3 of 5 images cannot be read (row 1 'a.png': no such file; "
        "row 2 'b.png': no such file; "
        "row 4 'empty.png': empty file (zero bytes)). Is --images the right folder?"
    )


def test_more_than_half_truncated_stops_too(folder: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)
    for i in (0, 1):
        Image.fromarray(noise).save(folder / f"{i}.jpg")
        (folder / f"{i}.jpg").write_bytes((folder / f"{i}.jpg").read_bytes()[:1500])
    with pytest.raises(DataError, match=r"2 of 3 images cannot be read \(row 0 '0\.jpg': truncated"):
        load(folder, ["0.jpg", "1.jpg", "2.png"])


def test_strict_stops_at_the_first_bad_row(folder: Path) -> None:
    message = r"labels\.csv, row 1, column 'image': 'a\.png': no such file.*--strict"
    with pytest.raises(DataError, match=message):
        load(folder, ["0.png", "a.png", "2.png", "b.png"], strict=True)
    assert load(folder, ["0.png", "1.png"], strict=True).is_ok.all()


def test_a_table_without_images_is_refused(folder: Path) -> None:
    with pytest.raises(DataError, match=r"no image column.*--embeddings"):
        load(folder, None)

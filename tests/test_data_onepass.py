"""Headers and pixels in one pass are those of two, whatever the guess was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from noiseaudit.data import load as load_module
from noiseaudit.data import opening
from noiseaudit.data.geometry import Geometry
from noiseaudit.data.load import Found, find_images, load_images
from noiseaudit.data.onepass import decode_unprobed
from noiseaudit.data.probe import probe_images
from noiseaudit.errors import DataError
from noiseaudit.labels.table import LabelTable


def found(folder: Path, names: list[str], **options: Any) -> Found:
    cells = np.array(names, dtype=object)
    labels = np.array(["a"] * len(names), dtype=object)
    return find_images(LabelTable(None, cells, cells, labels), folder, file=Path("labels.csv"), **options)


def save(folder: Path, i: int, mode: str, size: tuple[int, int], suffix: str = "png") -> str:
    noise = np.random.default_rng(i).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(noise).convert(mode).save(folder / f"{i}.{suffix}")
    return f"{i}.{suffix}"


def both(folder: Path, names: list[str], monkeypatch: pytest.MonkeyPatch, **options: Any) -> None:
    """Two passes and one give the same, header by header and pixel by pixel."""
    reading: dict[str, Any] = {"memory_limit": 10**9, "cache_dir": folder / "cache"} | options
    two = found(folder, names)
    expected = load_images(two, **reading)
    monkeypatch.setattr(load_module, "MANY", 1)
    for workers in (1, 3):
        one = found(folder, names, workers=workers)
        pixels = load_images(one, workers=workers, **reading)
        assert torch.equal(pixels.data, expected.data)
        assert pixels.status.tolist() == expected.status.tolist()
        assert pixels.reason.tolist() == expected.reason.tolist()
        assert np.array_equal(pixels.digests, expected.digests)
        for name in ("status", "reason", "height", "width", "is_grey"):
            assert getattr(one.probe, name).tolist() == getattr(two.probe, name).tolist()


def mixed(folder: Path) -> list[str]:
    names = [save(folder, i, "RGB", (70 + i, 60), "jpg") for i in range(8)]
    names += [save(folder, 8, "L", (64, 64), "jpg"), save(folder, 9, "CMYK", (64, 64), "jpg")]
    names += [save(folder, 10, "RGB", (900, 800), "jpg"), save(folder, 11, "P", (50, 90))]
    for i, cut in ((20, 400), (21, 2000)):  # in the header, and behind it
        names.append(save(folder, i, "RGB", (64, 64), "jpg"))
        (folder / names[-1]).write_bytes((folder / names[-1]).read_bytes()[:cut])
    with Image.open(folder / names[0]) as image:
        exif = image.getexif()
        exif[0x0112] = 6  # lies on its side
        image.save(folder / "turned.jpg", exif=exif)
    return [*names, "turned.jpg", "gone.png", names[2], names[-1], "gone.png"]


@pytest.mark.parametrize("options", [{}, {"image_size": 40}, {"memory_limit": 0}])
def test_of_all_kinds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]) -> None:
    both(tmp_path, mixed(tmp_path), monkeypatch, **options)


@pytest.mark.parametrize("odd", [("RGB", (28, 28)), ("L", (28, 30)), ("RGB", (400, 300))])
def test_a_wrong_guess_is_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, odd: tuple[str, tuple[int, int]]
) -> None:
    """Two headers say grey, 28 px; the fourth image, which is not looked at, says otherwise."""
    names = [save(tmp_path, i, "L", (28, 28)) for i in range(9)]
    names[3] = save(tmp_path, 30, *odd)
    monkeypatch.setattr(load_module, "LOOKED_AT", 2)
    both(tmp_path, names, monkeypatch)


def test_no_header_that_is_looked_at_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["gone.png", *(save(tmp_path, i, "RGB", (28, 28)) for i in range(4)), "lost.png"]
    monkeypatch.setattr(load_module, "LOOKED_AT", 2)
    both(tmp_path, names, monkeypatch)


def test_bad_images_stop_it_as_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [save(tmp_path, 0, "L", (28, 28)), "a.png", "b.png"]
    messages = []
    for many in (10**6, 1):
        monkeypatch.setattr(load_module, "MANY", many)
        for strict in (False, True):
            with pytest.raises(DataError) as caught:
                load_images(found(tmp_path, names, strict=strict), memory_limit=10**9, cache_dir=tmp_path)
            messages.append(str(caught.value))
    assert messages[:2] == messages[2:]
    assert "2 of 3 images" in messages[0]
    assert "row 1" in messages[1]


def test_a_large_file_is_judged_by_its_header(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file beyond LARGE bytes, with too many pixels or no image at all, is not read whole."""
    names = [save(tmp_path, i, "L", (28, 28)) for i in range(3)]
    names += [save(tmp_path, 3, "L", (400, 300)), "junk.png"]
    (tmp_path / "junk.png").write_bytes(bytes(10_000))
    both(tmp_path, names, monkeypatch)
    expected = probe_images([tmp_path / name for name in names], max_pixels=28 * 28)
    assert expected.status.tolist() == ["ok", "ok", "ok", "too_large", "unreadable"]
    monkeypatch.setattr(opening, "LARGE", 9_000)
    whole: list[str] = []

    def opened(path: Path, *options: Any, **more: Any) -> Any:
        whole.append(path.name)
        return path.open(*options, **more)

    monkeypatch.setattr(opening, "open", opened, raising=False)
    pixels, probe = decode_unprobed(
        [tmp_path / name for name in names],
        Geometry((28, 28), 1),
        28 * 28,
        workers=1,
        memory_limit=10**9,
        cache_dir=tmp_path,
    )
    assert whole == names[:3]
    for array, of in ((pixels.status, expected.status), (pixels.reason, expected.reason)):
        assert array.tolist() == of.tolist()
    assert probe.status.tolist() == expected.status.tolist()
    assert probe.reason.tolist() == expected.reason.tolist()

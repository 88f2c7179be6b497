"""Headers are read without decoding; every bad file gets a status and a reason free of paths."""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFile

from noiseaudit.data import opening
from noiseaudit.data.probe import Probe, probe_images


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds no pixels."""
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    idat = b"IDAT" + zlib.compress(b"\0")

    def chunk(data: bytes) -> bytes:
        return struct.pack(">I", len(data) - 4) + data + struct.pack(">I", zlib.crc32(data))

    return b"\x89PNG\r\n\x1a\n" + chunk(body) + chunk(idat) + chunk(b"IEND")


def probe_one(path: Path, max_pixels: int = 50_000_000) -> tuple[str, str | None]:
    found = probe_images([path], max_pixels=max_pixels)
    return found.status[0], found.reason[0]


def test_size_and_mode_come_from_the_header(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths: list[Path] = []
    for mode in ("L", "RGB", "P", "1", "I;16", "LA"):
        paths.append(tmp_path / f"{mode[0]}{len(paths)}.png")
        Image.new(mode, (7, 5)).save(paths[-1])

    def refuse(self: ImageFile.ImageFile) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr(ImageFile.ImageFile, "load", refuse)
    found = probe_images(paths)
    assert found.status.tolist() == ["ok"] * 6
    assert found.reason.tolist() == [None] * 6
    assert set(found.width.tolist()) == {7}
    assert set(found.height.tolist()) == {5}
    assert found.is_grey.tolist() == [True, False, False, True, True, True]
    assert found.is_ok.all()


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tiff"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_size_is_upright(tmp_path: Path, suffix: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"x.{suffix}"
    Image.new("RGB", (7, 5)).save(path, exif=exif)
    found = probe_images([path])
    assert (found.width[0], found.height[0]) == ((5, 7) if orientation >= 5 else (7, 5))


def test_bad_files_are_listed(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.png").write_text("not an image")
    (tmp_path / "cut.png").write_bytes(png_header(4, 4)[:20])
    (tmp_path / "cut.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    (tmp_path / "page.eps").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n")
    unknown = "not an image of a known format (JPEG, PNG, WEBP, BMP, TIFF, GIF)"
    assert probe_one(tmp_path / "empty.png") == ("unreadable", "empty file (zero bytes)")
    assert probe_one(tmp_path / "text.png") == ("unreadable", unknown)
    assert probe_one(tmp_path / "page.eps") == ("unreadable", unknown)
    assert probe_one(tmp_path / "cut.png")[0] == "unreadable"
    assert probe_one(tmp_path / "cut.jpg")[0] == "unreadable"
    assert probe_one(tmp_path / "gone.png") == ("missing", "no such file")
    assert probe_one(tmp_path) == ("missing", "the image cell is empty or names a folder")
    for name in ("nul\0.png", "x" * 5000, "text.png/below"):
        assert probe_one(tmp_path / name) == ("missing", "no such file")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    assert probe_one(tmp_path / "pipe.png") == ("unreadable", "not a regular file")


def test_an_unreadable_file_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError

    Image.new("L", (2, 2)).save(tmp_path / "x.png")
    monkeypatch.setattr(Image, "open", refuse)
    assert probe_one(tmp_path / "x.png") == ("unreadable", "permission denied")


@pytest.mark.parametrize("side", [8_000, 12_000, 40_000, 2_000_000_000])
def test_bombs_are_refused_from_the_header(tmp_path: Path, side: int) -> None:
    (tmp_path / "bomb.png").write_bytes(png_header(side, side))
    assert probe_one(tmp_path / "bomb.png") == ("too_large", "more than 50000000 pixels (--max-pixels)")


def test_the_limit_is_exact_and_may_exceed_pillows(tmp_path: Path) -> None:
    Image.new("L", (10, 10)).save(tmp_path / "x.png")
    assert probe_one(tmp_path / "x.png", 100)[0] == "ok"
    assert probe_one(tmp_path / "x.png", 99) == ("too_large", "more than 99 pixels (--max-pixels)")
    (tmp_path / "huge.png").write_bytes(png_header(20_000, 20_000))
    assert probe_one(tmp_path / "huge.png", 400_000_000)[0] == "ok"


def test_pillow_is_left_as_it_was(tmp_path: Path) -> None:
    limit = Image.MAX_IMAGE_PIXELS
    probe_one(tmp_path, 400_000_000)
    assert limit == Image.MAX_IMAGE_PIXELS


def test_each_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Path] = []
    check = opening._check_file

    def count(path: Path) -> None:
        seen.append(path)
        check(path)

    monkeypatch.setattr(opening, "_check_file", count)
    a, b, gone = tmp_path / "a.png", tmp_path / "b.png", tmp_path / "gone.png"
    Image.new("L", (3, 2)).save(a)
    Image.new("RGB", (4, 5)).save(b)
    found = probe_images([b, a, gone, b, a, gone])
    assert sorted(seen) == [a, b, gone]
    assert found.width.tolist() == [4, 3, 0, 4, 3, 0]
    assert found.status.tolist() == ["ok", "ok", "missing"] * 2


def test_workers_do_not_change_the_result(tmp_path: Path) -> None:
    paths = [tmp_path / f"{i}.png" for i in range(100)]
    for i, path in enumerate(paths[::2]):
        Image.new("L", (i + 1, 3)).save(path)

    def values(found: Probe) -> list[object]:
        return [found.status.tolist(), found.reason.tolist(), found.width.tolist(), found.is_grey.tolist()]

    one, four = probe_images(paths, workers=1), probe_images(paths, workers=4)
    assert values(one) == values(four)
    assert one.width[::2].tolist() == np.arange(1, 51).tolist()

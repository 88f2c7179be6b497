"""The short way through plain JPEG files ends where Pillow's does: same headers, same pixels, same complaints."""

from __future__ import annotations

import io
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from noiseaudit.data import jpeg as jpeg_module
from noiseaudit.data.convert import Bytes
from noiseaudit.data.jpeg import plain_jpeg
from noiseaudit.data.jpeg_header import plain_header
from noiseaudit.data.opening import UnusableImageError, pillow_settings, usable_image
from noiseaudit.data.probe import read_header
from noiseaudit.data.resize import read_array, to_array

LIMIT = 10**6
PHOTO = np.add.outer(np.arange(60) * 3, np.arange(80))[:, :, None] + np.array([0, 20, 40])


def jpeg(mode: str = "RGB", times: int = 1, **options: Any) -> bytes:
    noise = np.random.default_rng(0).integers(0, 60, PHOTO.shape)
    file = io.BytesIO()
    pixels = (PHOTO // 2 + noise).astype(np.uint8).repeat(times, axis=0).repeat(times, axis=1)
    Image.fromarray(pixels).convert(mode).save(file, "JPEG", **options)
    return file.getvalue()


def by_pillow(data: bytes, size: tuple[int, int], channels: int = 3) -> Bytes | str:
    try:
        with pillow_settings(LIMIT), usable_image(data, LIMIT) as image:
            return to_array(image, size=size, channels=channels)
    except UnusableImageError as error:
        return error.reason


def by_us(data: bytes, size: tuple[int, int], channels: int = 3) -> Bytes | str:
    try:
        with pillow_settings(LIMIT):
            return read_array(data, LIMIT, size=size, channels=channels)
    except UnusableImageError as error:
        return error.reason


@pytest.mark.parametrize("size", [(60, 80), (33, 20), (100, 90), (7, 7)])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"progressive": True},
        {"subsampling": 0},
        {"restart_marker_blocks": 2},
        {"comment": "a"},
        {"quality": 5},
    ],
)
def test_same_pixels(options: dict[str, Any], size: tuple[int, int]) -> None:
    for mode, channels in (("RGB", 3), ("L", 1), ("L", 3)):
        data = jpeg(mode, **options)
        assert plain_header(data) == (60, 80, len(mode))
        assert np.array_equal(by_us(data, size, channels), by_pillow(data, size, channels))


def whole(size: tuple[int, int], data: bytes | None = None) -> Bytes:
    with pillow_settings(LIMIT):
        pixels = plain_jpeg(data or jpeg(), size, 3)
    assert pixels is not None
    return pixels


def test_without_torchvisions_decoder_all_is_pillows(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = whole((30, 40))
    monkeypatch.setattr(jpeg_module, "_DECODE", None)
    assert plain_jpeg(jpeg(), (30, 40), 3) is None
    assert np.array_equal(by_us(jpeg(), (30, 40)), expected)


def test_plain_pixels_are_those_of_pillow_itself() -> None:
    with Image.open(io.BytesIO(jpeg())) as image:
        assert np.array_equal(whole((60, 80)).transpose(1, 2, 0), np.asarray(image))
        resized = np.asarray(image.resize((40, 30), Image.Resampling.BILINEAR), dtype=np.int16)
    assert np.abs(whole((30, 40)).transpose(1, 2, 0) - resized).max() <= 1


def test_what_is_not_plain_is_left_to_pillow(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    for data in (
        jpeg("CMYK"), jpeg(exif=exif), jpeg(icc_profile=b"x"), b"", b"\xff\xd8", b"\x89PNG\r\n\x1a\n" + bytes(40),
        jpeg()[:100],
    ):  # fmt: skip
        assert plain_header(data) is None
        ours, pillows = by_us(data, (24, 24)), by_pillow(data, (24, 24))
        assert ours == pillows if isinstance(pillows, str) else np.array_equal(ours, pillows)


@pytest.mark.parametrize(("times", "size", "drafted"), [(1, 8, False), (5, 75, True), (5, 76, False)])
def test_a_draft_is_taken_of_large_files_four_times_too_large(times: int, size: int, drafted: bool) -> None:
    data = jpeg(times=times)  # (60, 80) pixels, or (300, 400)
    assert np.array_equal(by_us(data, (size, size)), by_pillow(data, (size, size)))
    assert np.array_equal(by_us(data, (size, size)), whole((size, size), data)) is not drafted


def test_the_limit_comes_before_the_pixels() -> None:
    assert read_header(jpeg(), 60 * 80).status == "ok"
    assert read_header(jpeg(), 60 * 80 - 1).status == "too_large"
    with pytest.raises(UnusableImageError) as caught:
        read_array(jpeg(), 60 * 80 - 1, size=(8, 8), channels=3)
    assert caught.value.status == "too_large"


def test_truncated_anywhere_it_says_what_pillow_says() -> None:
    for data in (jpeg(), jpeg(progressive=True)):
        for length in [*range(0, len(data), 97), len(data) - 3, len(data) - 2, len(data) - 1]:
            assert isinstance(by_us(data[:length], (60, 80)), str)
            assert by_us(data[:length], (60, 80)) == by_pillow(data[:length], (60, 80))


def test_damaged_anywhere_it_is_what_pillow_makes_of_it(capfd: pytest.CaptureFixture[str]) -> None:
    rng, data = random.Random(0), jpeg()
    start = data.index(b"\xff\xda") + 14  # behind the headers
    for _ in range(150):
        damaged = bytearray(data)
        damaged[rng.randrange(start, len(data))] = rng.randrange(256)
        ours, pillows = by_us(bytes(damaged), (60, 80)), by_pillow(bytes(damaged), (60, 80))
        assert isinstance(ours, str) == isinstance(pillows, str)
        assert ours == pillows if isinstance(pillows, str) else np.array_equal(ours, pillows)
    capfd.readouterr()  # libjpeg's remarks

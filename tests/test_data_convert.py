"""Every format and mode becomes upright 8-bit grey or RGB with the values that the file means."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from noiseaudit.data.convert import Bytes, to_upright
from noiseaudit.data.opening import UnusableImageError, pillow_settings, usable_image
from noiseaudit.data.resize import to_array

# Asymmetric under every flip and turn.
PATTERN = np.array([[0, 40, 80], [120, 160, 200]], dtype=np.uint8)
COLOURS = np.stack([PATTERN, PATTERN[::-1], PATTERN[:, ::-1]], axis=2)
UPRIGHT = {
    1: PATTERN,
    2: PATTERN[:, ::-1],
    3: PATTERN[::-1, ::-1],
    4: PATTERN[::-1],
    5: PATTERN.T,
    6: np.rot90(PATTERN, -1),
    7: PATTERN[::-1, ::-1].T,
    8: np.rot90(PATTERN, 1),
}


def read(path: Path) -> Bytes:
    with pillow_settings(10**6), usable_image(path, 10**6) as image:
        return np.asarray(to_upright(image))


def read_as(path: Path, size: tuple[int, int], channels: int) -> Bytes:
    with pillow_settings(10**8), usable_image(path, 10**8) as image:
        return to_array(image, size=size, channels=channels)


@pytest.mark.parametrize("suffix", ["png", "bmp", "tiff"])
def test_grey_is_kept(tmp_path: Path, suffix: str) -> None:
    Image.fromarray(PATTERN).save(tmp_path / f"x.{suffix}")
    assert read(tmp_path / f"x.{suffix}").tolist() == PATTERN.tolist()


def test_a_grey_gif_has_equal_channels(tmp_path: Path) -> None:
    Image.fromarray(PATTERN).save(tmp_path / "x.gif")
    assert read(tmp_path / "x.gif").tolist() == np.repeat(PATTERN[:, :, None], 3, axis=2).tolist()


@pytest.mark.parametrize(
    ("suffix", "options"),
    [
        ("png", {}),
        ("bmp", {}),
        ("tiff", {}),
        ("tiff", {"compression": "tiff_lzw"}),
        ("webp", {"lossless": True}),
    ],
)
def test_rgb_is_kept(tmp_path: Path, suffix: str, options: dict[str, Any]) -> None:
    Image.fromarray(COLOURS).save(tmp_path / f"x.{suffix}", **options)
    assert read(tmp_path / f"x.{suffix}").tolist() == COLOURS.tolist()


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_jpeg_modes(tmp_path: Path, mode: str) -> None:
    source = Image.new("RGB", (16, 16), (200, 100, 50)).convert(mode)
    source.save(tmp_path / "x.jpg", quality=100)
    expected = np.asarray(source if mode == "L" else source.convert("RGB"), dtype=np.int16)
    pixels = read(tmp_path / "x.jpg")
    assert pixels.shape == expected.shape
    assert np.abs(pixels - expected).max() <= 3


def test_cmyk_tiff_by_hand(tmp_path: Path) -> None:
    Image.new("CMYK", (1, 1), (255, 0, 0, 0)).save(tmp_path / "cyan.tiff")
    assert read(tmp_path / "cyan.tiff").tolist() == [[[0, 255, 255]]]


def test_one_bit_is_black_and_white(tmp_path: Path) -> None:
    Image.fromarray(PATTERN > 100).save(tmp_path / "x.png")
    assert read(tmp_path / "x.png").tolist() == [[0, 0, 0], [255, 255, 255]]


def test_palette_colours_are_looked_up(tmp_path: Path) -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 200, 100, 0])
    image.putpixel((1, 0), 1)
    for suffix in ("png", "gif", "bmp", "tiff"):
        image.save(tmp_path / f"x.{suffix}")
        assert read(tmp_path / f"x.{suffix}").tolist() == [[[10, 20, 30], [200, 100, 0]]]


@pytest.mark.parametrize("transparency", [1, b"\xff\x00"])
@pytest.mark.parametrize("suffix", ["png", "gif"])
def test_transparent_palette_entries_are_white(
    tmp_path: Path, suffix: str, transparency: int | bytes
) -> None:
    if suffix == "gif" and isinstance(transparency, bytes):
        transparency = 1
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 200, 100, 0])
    image.putpixel((1, 0), 1)
    image.save(tmp_path / f"x.{suffix}", transparency=transparency)
    assert read(tmp_path / f"x.{suffix}").tolist() == [[[10, 20, 30], [255, 255, 255]]]


@pytest.mark.parametrize("suffix", ["png", "webp", "tiff"])
def test_alpha_is_laid_over_white(tmp_path: Path, suffix: str) -> None:
    pixels = np.array([[[10, 20, 30, 255], [10, 20, 30, 0], [0, 0, 0, 51]]], dtype=np.uint8)
    options: dict[str, Any] = {"lossless": True, "exact": True} if suffix == "webp" else {}
    Image.fromarray(pixels).save(tmp_path / f"x.{suffix}", **options)
    # 255 * (1 - 51 / 255) = 204
    assert read(tmp_path / f"x.{suffix}").tolist() == [[[10, 20, 30], [255, 255, 255], [204, 204, 204]]]


def test_grey_alpha_stays_grey(tmp_path: Path) -> None:
    Image.fromarray(np.array([[[10, 255], [10, 0], [0, 51]]], dtype=np.uint8), "LA").save(tmp_path / "x.png")
    assert read(tmp_path / "x.png").tolist() == [[10, 255, 204]]


def test_a_transparent_grey_value_is_white(tmp_path: Path) -> None:
    Image.fromarray(PATTERN).save(tmp_path / "x.png", transparency=40)
    assert read(tmp_path / "x.png").tolist() == [[0, 255, 80], [120, 160, 200]]


@pytest.mark.parametrize("suffix", ["png", "tiff"])
def test_16_bits_are_scaled_over_the_full_range(tmp_path: Path, suffix: str) -> None:
    values = np.array([[0, 128, 129, 256, 257, 32768, 65535]], dtype=np.uint16)
    Image.fromarray(values).save(tmp_path / f"x.{suffix}")
    # v / 257, rounded: 128 / 257 = 0.498, 129 / 257 = 0.502, 32768 / 257 = 127.502
    assert read(tmp_path / f"x.{suffix}").tolist() == [[0, 0, 1, 1, 1, 128, 255]]


def test_big_endian_16_bits(tmp_path: Path) -> None:
    Image.frombytes("I;16B", (3, 1), b"\x00\x00\x80\x00\xff\xff").save(tmp_path / "x.tiff")
    assert read(tmp_path / "x.tiff").tolist() == [[0, 128, 255]]


def test_32_bit_integers(tmp_path: Path) -> None:
    Image.fromarray(np.array([[0, 257, 65535]], dtype=np.int32)).save(tmp_path / "x.tiff")
    assert read(tmp_path / "x.tiff").tolist() == [[0, 1, 255]]
    Image.fromarray(np.array([[-100, 0, 100_000]], dtype=np.int32)).save(tmp_path / "x.tiff")
    # 100 / 100,100 * 255 = 0.25
    assert read(tmp_path / "x.tiff").tolist() == [[0, 0, 255]]


def test_floats_are_scaled_from_their_own_range(tmp_path: Path) -> None:
    path = tmp_path / "x.tiff"
    for values, expected in [
        ([[-1.0, 0.0, 1.0]], [[0, 128, 255]]),
        ([[0.5, 0.5]], [[0, 0]]),
        ([[np.nan, 0.0, 2.0, np.inf]], [[0, 0, 255, 0]]),
        ([[np.nan]], [[0]]),
    ]:
        Image.fromarray(np.array(values, dtype=np.float32)).save(path)
        assert read(path).tolist() == expected


@pytest.mark.parametrize(
    ("suffix", "options"),
    [("png", {}), ("tiff", {}), ("tiff", {"compression": "tiff_lzw"}), ("webp", {"lossless": True})],
)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(
    tmp_path: Path, suffix: str, options: dict[str, Any], orientation: int
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(PATTERN).save(tmp_path / f"x.{suffix}", exif=exif, **options)
    pixels = read(tmp_path / f"x.{suffix}")
    grey = pixels if pixels.ndim == 2 else pixels[:, :, 0]
    assert grey.tolist() == UPRIGHT[orientation].tolist()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_of_jpeg(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    blocks = np.kron(PATTERN, np.ones((16, 16), np.uint8))
    Image.fromarray(blocks).save(tmp_path / "x.jpg", exif=exif, quality=95)
    corners = read(tmp_path / "x.jpg")[8::16, 8::16].astype(np.int16)
    assert np.abs(corners - UPRIGHT[orientation]).max() <= 2


def test_exif_behind_the_pixels_of_a_png_counts(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(PATTERN).save(tmp_path / "x.png")
    body = b"eXIf" + exif.tobytes().removeprefix(b"Exif\0\0")
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    whole = (tmp_path / "x.png").read_bytes()
    (tmp_path / "x.png").write_bytes(whole[:-12] + chunk + whole[-12:])
    assert read(tmp_path / "x.png").tolist() == UPRIGHT[6].tolist()


@pytest.mark.parametrize("exif", [b"Exif\0\0garbage", b"Exif\0\0II*\0\x08\0\0\0\xff\xff"])
@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_damaged_exif_does_not_lose_the_image(tmp_path: Path, exif: bytes, suffix: str) -> None:
    Image.new("L", (3, 2), 7).save(tmp_path / f"x.{suffix}", exif=exif)
    assert read(tmp_path / f"x.{suffix}").tolist() == [[7, 7, 7], [7, 7, 7]]


@pytest.mark.parametrize("suffix", ["gif", "tiff", "webp", "png"])
def test_first_frame_counts(tmp_path: Path, suffix: str) -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "lime", "blue")]
    options: dict[str, Any] = {"lossless": True} if suffix == "webp" else {}
    frames[0].save(tmp_path / f"x.{suffix}", save_all=True, append_images=frames[1:], **options)
    assert (read(tmp_path / f"x.{suffix}") == [255, 0, 0]).all()


def test_truncated_pixels_are_unusable(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(tmp_path / "x.jpg")
    whole = (tmp_path / "x.jpg").read_bytes()
    (tmp_path / "x.jpg").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UnusableImageError) as caught:
        read(tmp_path / "x.jpg")
    assert (caught.value.status, caught.value.reason) == ("unreadable", "truncated or damaged image")


def test_channels_and_layout(tmp_path: Path) -> None:
    Image.fromarray(COLOURS).save(tmp_path / "x.png")
    assert read_as(tmp_path / "x.png", (2, 3), 3).tolist() == COLOURS.transpose(2, 0, 1).tolist()
    grey = np.asarray(Image.fromarray(COLOURS).convert("L"))
    assert read_as(tmp_path / "x.png", (2, 3), 1).tolist() == [grey.tolist()]
    Image.fromarray(PATTERN).save(tmp_path / "g.png")
    assert read_as(tmp_path / "g.png", (2, 3), 3).tolist() == [PATTERN.tolist()] * 3


def test_resizing_averages_and_squashes(tmp_path: Path) -> None:
    checkerboard = np.indices((64, 32)).sum(axis=0) % 2 * 255
    Image.fromarray(checkerboard.astype(np.uint8)).save(tmp_path / "x.png")
    small = read_as(tmp_path / "x.png", (8, 8), 1)
    assert small.shape == (1, 8, 8)
    assert np.abs(small.astype(np.int16) - 127).max() <= 6  # without antialiasing: 0 or 255


def test_a_large_jpeg_is_decoded_small_but_alike(tmp_path: Path) -> None:
    ramp = np.add.outer(np.arange(1024), np.arange(1024)) // 8
    Image.fromarray(ramp.astype(np.uint8)).save(tmp_path / "x.jpg", quality=95)
    Image.fromarray(ramp.astype(np.uint8)).save(tmp_path / "x.png")
    from_jpeg = read_as(tmp_path / "x.jpg", (32, 32), 1).astype(np.int16)
    assert np.abs(from_jpeg - read_as(tmp_path / "x.png", (32, 32), 1)).max() <= 2
    with usable_image(tmp_path / "x.jpg", 10**8) as image:
        to_array(image, size=(32, 32), channels=1)
        assert image.size == (128, 128)  # an eighth: the smallest that JPEG offers

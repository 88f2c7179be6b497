"""Thumbnails are small, upright, free of metadata and the same every time."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from noiseaudit.data.thumbnail import thumbnail


def opened(path: Path, px: int = 96) -> Image.Image:
    picture = thumbnail(path, px)
    assert picture is not None
    return Image.open(io.BytesIO(picture))


def test_tiny_images_are_enlarged_without_blur(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 256, (28, 20), dtype=np.uint8)
    Image.fromarray(values).save(tmp_path / "x.png")
    image = opened(tmp_path / "x.png")
    assert image.format == "PNG"
    assert np.array_equal(np.asarray(image), np.kron(values, np.ones((3, 3), np.uint8)))


def test_tiny_images_stay_as_they_are_where_that_is_asked(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 256, (28, 20), dtype=np.uint8)
    Image.fromarray(values).save(tmp_path / "x.png")
    picture = thumbnail(tmp_path / "x.png", enlarge=False)
    assert picture is not None
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(picture))), values)


@pytest.mark.parametrize(
    ("size", "expected"), [((400, 200), (96, 48)), ((60, 49), (60, 49)), ((10, 5000), (1, 96))]
)
def test_others_are_jpeg_and_keep_their_shape(
    tmp_path: Path, size: tuple[int, int], expected: tuple[int, int]
) -> None:
    Image.new("RGB", size, (200, 100, 50)).save(tmp_path / "x.png")
    image = opened(tmp_path / "x.png")
    assert image.format == "JPEG"
    assert image.size == expected
    assert np.abs(np.asarray(image, dtype=np.int16) - [200, 100, 50]).max() <= 3


@pytest.mark.parametrize("side", [20, 300])
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tiff"])
def test_metadata_is_stripped_after_turning(tmp_path: Path, side: int, suffix: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "SECRET"
    Image.new("RGB", (side, side // 2)).save(
        tmp_path / f"x.{suffix}", exif=exif, dpi=(72, 72), icc_profile=b"SECRET"
    )
    assert b"SECRET" in (tmp_path / f"x.{suffix}").read_bytes()
    image = opened(tmp_path / f"x.{suffix}")
    assert image.height > image.width
    assert not image.getexif()
    assert b"SECRET" not in (thumbnail(tmp_path / f"x.{suffix}") or b"")
    assert not {"exif", "icc_profile", "xmp"} & set(image.info)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "F"])
@pytest.mark.parametrize("side", [10, 200])
def test_every_mode_is_shown_and_repeats(tmp_path: Path, mode: str, side: int) -> None:
    suffix = "tiff" if mode in ("CMYK", "F") else "png"
    Image.new(mode, (side, side)).save(tmp_path / f"x.{suffix}")
    picture = thumbnail(tmp_path / f"x.{suffix}", 50)
    assert picture is not None
    assert picture == thumbnail(tmp_path / f"x.{suffix}", 50)
    assert Image.open(io.BytesIO(picture)).size == (50, 50)


def test_unusable_images_have_none(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no")
    noise = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "cut.png")
    assert thumbnail(tmp_path / "cut.png", max_pixels=64 * 64 - 1) is None
    (tmp_path / "cut.png").write_bytes((tmp_path / "cut.png").read_bytes()[:1500])
    for name in ("text.png", "cut.png", "gone.png", "nul\0.png"):
        assert thumbnail(tmp_path / name) is None


def test_reports_need_no_torch_for_thumbnails() -> None:
    check = "import sys, noiseaudit.data.thumbnail, noiseaudit.data.paths; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0

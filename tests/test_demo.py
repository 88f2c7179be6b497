"""The demo's digits on disk."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from noiseaudit.demo import MARKER, prepare_demo, write_digits
from noiseaudit.errors import OutputError


def test_images_and_labels_are_scikit_learns(tmp_path: Path) -> None:
    digits = load_digits()
    with write_digits(tmp_path, limit=30).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["label"] for row in rows] == [str(label) for label in digits.target[:30]]
    for row, pixels in zip(rows, digits.images[:30], strict=True):
        with Image.open(tmp_path / "images" / row["image"]) as image:
            assert (image.format, image.mode, image.size) == ("PNG", "L", (8, 8))
            np.testing.assert_allclose(np.asarray(image) * (16 / 255), pixels, atol=0.04)


def test_all_of_them(tmp_path: Path) -> None:
    labels = prepare_demo(tmp_path / "demo")
    assert len(labels.read_text().splitlines()) == 1798
    assert len(list((tmp_path / "demo" / "images").iterdir())) == 1797


def test_only_an_earlier_demo_is_replaced_and_only_by_force(tmp_path: Path) -> None:
    demo = tmp_path / "demo"
    prepare_demo(demo)
    (demo / "noisy.csv").touch()
    with pytest.raises(OutputError, match="--force"):
        prepare_demo(demo)
    assert (demo / "noisy.csv").exists()
    prepare_demo(demo, force=True)
    assert not (demo / "noisy.csv").exists()


def test_somebody_elses_folder_is_kept(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(OutputError, match="not an earlier demo"):
        prepare_demo(tmp_path, force=True)
    with pytest.raises(OutputError, match="not an earlier demo"):
        prepare_demo(tmp_path / "thesis.tex", force=True)
    assert (tmp_path / "thesis.tex").exists()


def test_a_file_that_is_called_like_the_marker_is_not_enough(tmp_path: Path) -> None:
    for name in ("about.txt", MARKER):
        (tmp_path / name).write_text("mine")
    with pytest.raises(OutputError, match="not an earlier demo"):
        prepare_demo(tmp_path, force=True)
    assert (tmp_path / "about.txt").read_text() == "mine"


def test_a_link_is_not_replaced(tmp_path: Path) -> None:
    prepare_demo(tmp_path / "demo")
    (tmp_path / "link").symlink_to(tmp_path / "demo")
    with pytest.raises(OutputError, match="is a link"):
        prepare_demo(tmp_path / "link", force=True)
    assert (tmp_path / "demo" / "labels.csv").exists()


def test_an_empty_folder_is_used(tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    assert prepare_demo(tmp_path / "demo").exists()

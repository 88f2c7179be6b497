"""Image cells become files below the roots, or stop with the row that leads outside."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from noiseaudit.data.paths import first_rows, resolve_images
from noiseaudit.errors import DataError

FILE = Path("labels.csv")


def resolve(images_dir: Path, *cells: str | None, allow: tuple[Path, ...] = ()) -> list[Path]:
    return resolve_images(np.array(cells, dtype=object), images_dir, allow_roots=allow, file=FILE)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path.resolve() / "images"
    (folder / "a" / "b").mkdir(parents=True)
    (folder / "a" / "x.png").touch()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "y.png").touch()
    return folder


def test_relative_cells_lie_under_the_folder(images: Path) -> None:
    assert resolve(images, "a/x.png", "gone.png", "a/b/../x.png", "./a/x.png") == [
        images / "a/x.png",
        images / "gone.png",
        images / "a/x.png",
        images / "a/x.png",
    ]


def test_relative_folder_names_work(images: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(images.parent)
    assert resolve(Path("images"), "a/x.png") == [images / "a/x.png"]


def test_backslashes_separate_folders(images: Path) -> None:
    assert resolve(images, "a\\x.png") == [images / "a" / "x.png"]


@pytest.mark.skipif(os.name == "nt", reason="a backslash cannot be part of a Windows name")
def test_literal_backslash_in_a_name_comes_first(images: Path) -> None:
    (images / "a\\x.png").touch()
    assert resolve(images, "a\\x.png") == [images / "a\\x.png"]


def test_absolute_cells_inside_are_admitted(images: Path) -> None:
    assert resolve(images, str(images / "a" / "x.png")) == [images / "a/x.png"]


@pytest.mark.parametrize(
    "cell", ["../other/y.png", "..\\other\\y.png", "a/../../other/y.png", "..", "../gone.png"]
)
def test_dots_that_lead_outside_are_refused(images: Path, cell: str) -> None:
    with pytest.raises(DataError, match=r"labels\.csv, row 1, column 'image': .*outside.*--allow-root DIR"):
        resolve(images, "a/x.png", cell)


def test_absolute_cells_outside_are_refused_unless_allowed(images: Path) -> None:
    outside = images.parent / "other" / "y.png"
    with pytest.raises(DataError, match="row 0"):
        resolve(images, str(outside))
    assert resolve(images, str(outside), allow=(images.parent / "other",)) == [outside]
    assert resolve(images, "../other/y.png", allow=(images.parent / "other",)) == [outside]


def test_a_sibling_whose_name_begins_alike_is_outside(images: Path) -> None:
    (images.parent / "images2").mkdir()
    with pytest.raises(DataError, match="row 0"):
        resolve(images, "../images2/x.png")


def test_links_count_by_where_they_lead(images: Path) -> None:
    (images / "inside.png").symlink_to(images / "a" / "x.png")
    (images / "outside.png").symlink_to(images.parent / "other" / "y.png")
    (images / "folder").symlink_to(images.parent / "other")
    assert resolve(images, "inside.png") == [images / "a/x.png"]
    for cell in ("outside.png", "folder/y.png", "folder\\y.png"):
        with pytest.raises(DataError, match=r"row 1, column 'image'.*--allow-root"):
            resolve(images, "inside.png", cell)
    allowed = resolve(images, "outside.png", "folder/y.png", allow=(images.parent / "other",))
    assert allowed == [images.parent / "other/y.png"] * 2


def test_an_images_folder_that_is_a_link_works(images: Path) -> None:
    link = images.parent / "link"
    link.symlink_to(images)
    assert (
        resolve(link, "a/x.png", str(link / "a" / "x.png"), str(images / "a" / "x.png"))
        == [images / "a/x.png"] * 3
    )


def test_a_link_to_itself_is_a_missing_file(images: Path) -> None:
    (images / "loop.png").symlink_to(images / "loop.png")
    assert not resolve(images, "loop.png")[0].exists()


@pytest.mark.parametrize("cell", ["a\0b.png", "\ud800.png", "x" * 5000, "a/" * 3000 + "x.png", None, ""])
def test_impossible_names_are_no_file_and_no_crash(images: Path, cell: str | None) -> None:
    (path,) = resolve(images, cell)
    assert not os.path.isfile(path)


def test_missing_folders_name_their_option(images: Path) -> None:
    with pytest.raises(DataError, match=r"no such folder.*--images"):
        resolve(images / "gone", "x.png")
    with pytest.raises(DataError, match=r"not a folder.*--images"):
        resolve(images / "a" / "x.png", "x.png")
    with pytest.raises(DataError, match=r"no such folder.*--allow-root"):
        resolve(images, "x.png", allow=(images / "gone",))


def test_first_rows_point_back_to_the_first_use() -> None:
    a, b = Path("a"), Path("b")
    assert first_rows([a, b, a, a, b]).tolist() == [0, 1, 0, 0, 1]

from __future__ import annotations

from pathlib import Path

import pytest

from noiseaudit.errors import ConfigError, DataError
from noiseaudit.labels import ColumnNames, edit_label_file, read_labels
from noiseaudit.labels.read import read_again


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "images"
    for name in ("dog/b.JPG", "dog/sub/a.png", "cat/2.png", "cat/10.png", "cat/notes.txt", "cat/.hidden.png"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def test_classes_are_first_level_folders_in_code_point_order(root: Path) -> None:
    table = read_labels(root)
    assert table.image is not None
    assert table.image.tolist() == ["cat/10.png", "cat/2.png", "dog/b.JPG", "dog/sub/a.png"]
    assert table.given_label.tolist() == ["cat", "cat", "dog", "dog"]
    assert table.sample_id.tolist() == table.image.tolist()
    assert table.warnings == ()
    assert table.source is not None
    assert table.source.format == "folder"
    assert read_again(table.source)["label"] == table.given_label.tolist()


def test_loose_images_are_unlabelled_and_empty_folders_no_class(root: Path) -> None:
    (root / "loose.png").touch()
    (root / "bird").mkdir()
    table = read_labels(root)
    assert table.given_label.tolist()[-1] is None
    assert table.classes == ("cat", "dog")
    assert table.warnings[0] == (
        "1 images lie in the folder itself, not in a class folder: taken as unlabelled"
    )
    assert "'bird' holds no images" in table.warnings[1]


def test_a_folder_of_unlabelled_images(root: Path) -> None:
    (root / "unknown").mkdir()
    (root / "unknown" / "u.png").touch()
    table = read_labels(root, missing_label="unknown")
    assert table.given_label.tolist() == ["cat", "cat", "dog", "dog", None]


def test_links_are_followed_but_not_in_circles(root: Path) -> None:
    (root / "fox").symlink_to(root / "dog" / "sub", target_is_directory=True)
    (root / "dog" / "loop").symlink_to(root, target_is_directory=True)
    table = read_labels(root)
    assert table.image is not None
    assert table.image.tolist() == [
        "cat/10.png",
        "cat/2.png",
        "dog/b.JPG",
        "dog/sub/a.png",
        "fox/a.png",
    ]


def test_edits_are_written_as_csv(root: Path, tmp_path: Path) -> None:
    (root / "dog" / 'odd,"\r.png').touch()
    source = read_labels(root).source
    assert source is not None
    out = tmp_path / "cleaned.csv"
    edit_label_file(
        source, out, labels={0: "dog", 1: None}, drop={2}, extra={"p": [0.5, None, 0.25, 1.0, None]}
    )
    assert out.read_bytes() == (
        b'image,label,p\ncat/10.png,dog,0.5\ncat/2.png,,\n"dog/odd,""\r.png",dog,1.0\ndog/sub/a.png,dog,\n'
    )


def test_bad_trees_stop(tmp_path: Path, root: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").touch()
    with pytest.raises(DataError, match=r"empty: no images in this folder \(0 sub-folders and 1 files\)"):
        read_labels(tmp_path / "empty")
    with pytest.raises(ConfigError, match="an image folder has no columns"):
        read_labels(root, columns=ColumnNames(label="label"))
    (root / "cat" / "self").symlink_to("self")
    with pytest.raises(DataError, match=r"cat/self: cannot be read \(Too many levels"):
        read_labels(root)
    (root / "cat" / "self").unlink()
    (root / "cat" / "a\udcff.png").touch()
    with pytest.raises(DataError, match=r"image near .* is not valid text"):
        read_labels(root)


def test_images_without_class_folders_stop_with_what_was_found(tmp_path: Path) -> None:
    for name in ("a.png", "b.jpg", "notes.txt"):
        (tmp_path / name).touch()
    with pytest.raises(DataError) as caught:
        read_labels(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: 2 images lie directly in this folder, and none in a class folder "
        "(0 sub-folders and 3 files). Give a folder with one sub-folder of images per class, or a label file "
        "with an image and a label column."
    )


def test_one_folder_beside_a_label_file_stops_and_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.png").touch()
    (tmp_path / "labels.TSV").touch()
    expected = f"perhaps {tmp_path / 'labels.TSV'} as DATA, and the folder of its images as --images."
    with pytest.raises(
        DataError, match="all images in sub-folders lie in 'images', and at least two"
    ) as caught:
        read_labels(tmp_path)
    assert str(caught.value).endswith(expected)


@pytest.mark.parametrize("name", ["labels.csv", "labels.tsv", "labels.jsonl", "labels.parquet"])
def test_a_label_file_in_the_tree_warns(root: Path, name: str) -> None:
    (root / "dog" / name).touch()
    (root / f".{name}").touch()
    assert read_labels(root).warnings == ()
    (root / name).touch()
    assert read_labels(root).warnings == (
        "folder names are taken as labels; if the labels are in a file, "
        f"give the folder's {name} as DATA, and the folder as --images",
    )


def test_splits_taken_as_classes_warn(root: Path) -> None:
    (root / "cat").rename(root / "Train")
    assert read_labels(root).warnings == ()
    (root / "dog").rename(root / "test")
    assert read_labels(root).warnings == (
        "the folders Train, test are taken as classes; if they are splits, scan one of them",
    )


def test_a_single_split_stops_and_names_the_folder_to_scan(tmp_path: Path) -> None:
    for name in ("train/cat/a.png", "train/dog/b.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    with pytest.raises(DataError) as caught:
        read_labels(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: all images in sub-folders lie in 'train', and at least two classes are needed. "
        f"Its sub-folders look like classes: scan {tmp_path / 'train'}."
    )
    assert read_labels(tmp_path / "train").classes == ("cat", "dog")


def test_a_single_class_is_not_taken_for_a_split(tmp_path: Path) -> None:
    (tmp_path / "cat" / "2024").mkdir(parents=True)
    for name in ("a.png", "2024/b.png"):
        (tmp_path / "cat" / name).touch()
    with pytest.raises(DataError, match=r"Give a folder with one sub-folder of images per class.*column\.$"):
        read_labels(tmp_path)

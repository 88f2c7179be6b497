"""Tar shards: labels beside their images, bad images by their row, and errors that name shard and member."""

from __future__ import annotations

from pathlib import Path

import pytest

from noiseaudit.data.opening import UnusableImageError, picture_bytes
from noiseaudit.errors import DataError, InputError
from noiseaudit.labels.columns import ColumnNames
from noiseaudit.labels.read import read_labels
from tests.containers import pictures, read, write_tar


def test_labels_of_shards(tmp_path: Path) -> None:
    image = pictures(1)[0]
    members = [
        ("./a/1.png", image), ("./a/1.json", b'{"caption": "x", "label": 7, "species": "newt"}'),
        ("./a/2.JPG", image), ("./a/2.json", b'{"label": 8, "species": "toad"}'),
        ("a/3.seg.png", image), ("README", b"no sample"), ("a/.hidden", b""),
    ]  # fmt: skip
    file = write_tar(tmp_path / "x.tar", members)
    table = read_labels(file)
    assert table.given_label.tolist() == ["7", "8", None]
    assert table.class_type == "integer"
    assert table.image is not None
    assert table.image.tolist() == ["x.tar/a/1.png", "x.tar/a/2.JPG", "x.tar/a/3.seg.png"]
    assert read_labels(file, columns=ColumnNames(label="species")).given_label.tolist() == [
        "newt",
        "toad",
        None,
    ]


def test_bad_images_of_shards_are_listed(tmp_path: Path) -> None:
    image = pictures(1)[0]
    members = [(f"{i}.png", image) for i in range(4)] + [(f"{i}.cls", str(i % 2).encode()) for i in range(7)]
    members += [("4.png", b""), ("5.png", image[:40])]
    file = write_tar(tmp_path / "x.tar", members)
    table = read_labels(file)
    pixels = read(table)
    assert pixels.status.tolist() == ["ok"] * 4 + ["unreadable"] * 2 + ["missing"]
    assert pixels.reason.tolist()[4:] == [
        "empty file (zero bytes)",
        "not an image of a known format (JPEG, PNG, WEBP, BMP, TIFF, GIF)",
        "the sample holds no image",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([("1.png", b"x"), ("1.jpg", b"x"), ("1.cls", b"0")], r"x\.tar: sample '1' has several images"),
        ([("1.png", b"x"), ("1.json", b"{")], r"x\.tar: member '1\.json' is not UTF-8 JSON"),
        ([("1.png", b"x"), ("1.json", b'{"a": 1}')], r"member '1\.json' has no label.*--label-column.*'a'"),
        ([("1.png", b"x"), ("1.txt", b"\xff")], r"member '1\.txt' is not UTF-8 text"),
        ([("1.png", b"x"), ("1.png", b"x")], r"member '1\.png' is there twice"),
    ],
)
def test_bad_shards(tmp_path: Path, members: list[tuple[str, bytes]], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_labels(write_tar(tmp_path / "x.tar", members))


def test_shards_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "x.tar").write_bytes(b"\x1f\x8b" + bytes(600))
    with pytest.raises(DataError, match=r"x\.tar: not a readable, uncompressed tar archive"):
        read_labels(tmp_path / "x.tar")
    whole = write_tar(tmp_path / "y.tar", [("1.png", bytes(3000)), ("1.cls", b"0")]).read_bytes()
    (tmp_path / "y.tar").write_bytes(whole[:1500])
    with pytest.raises(DataError, match=r"y\.tar: not a readable, uncompressed tar archive"):
        read_labels(tmp_path / "y.tar")
    with pytest.raises(DataError, match=r"x-1\.tar: no such shard"):
        read_labels(tmp_path / "x-{1..2}.tar")
    with pytest.raises(InputError, match=r"\{2\.\.1\} counts down"):
        read_labels(tmp_path / "x-{2..1}.tar")


def test_a_shard_that_shrinks_after_it_was_listed(tmp_path: Path) -> None:
    image = pictures(2)
    members = [(f"{i}.png", image[i]) for i in range(2)] + [(f"{i}.cls", b"%d" % i) for i in range(2)]
    file = write_tar(tmp_path / "x.tar", members)
    table = read_labels(file)
    file.write_bytes(file.read_bytes()[:1100])
    assert table.pictures is not None
    assert picture_bytes(table.pictures[0]) == image[0]
    with pytest.raises(UnusableImageError) as caught:
        picture_bytes(table.pictures[1])
    assert caught.value.reason == "the shard ends within this image"
    file.unlink()
    with pytest.raises(UnusableImageError) as caught:
        picture_bytes(table.pictures[0])
    assert (caught.value.status, caught.value.reason) == ("missing", "no such shard any more")

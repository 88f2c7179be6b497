"""The image of each row: in a folder, or in the data set that was scanned, also where these moved."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from noiseaudit.data.opening import picture_bytes
from noiseaudit.errors import DataError
from noiseaudit.labels.read import read_labels
from noiseaudit.result import AuditResult
from noiseaudit.row_pictures import row_pictures
from tests.test_labels_containers import pictures, write_shards


def test_images_of_a_data_set_that_moved(tmp_path: Path, make_audit: Callable[..., AuditResult]) -> None:
    images = pictures(8)
    source = read_labels(write_shards(tmp_path / "a", images)).source
    assert source is not None
    audit = make_audit(n=8, n_unlabelled=0, n_unread=0)
    run = {"source": dataclasses.asdict(source) | {"path": str(source.path)}, "paths": {"images": None}}
    find = row_pictures(audit, run)
    assert find is not None
    found = [find(row) for row in range(8)]
    assert sorted(picture_bytes(one) for one in found if one is not None) == sorted(images)
    (tmp_path / "a").rename(tmp_path / "b")
    assert row_pictures(audit, run) is None
    moved = read_labels(tmp_path / "b").source
    again = row_pictures(audit, run, None, moved)
    assert again is not None
    place = again(3)
    assert place is not None
    assert picture_bytes(place) in images
    short = make_audit(n=7, n_unlabelled=0, n_unread=0)
    assert row_pictures(short, run, None, moved) is None  # of other rows


def test_images_of_a_folder(tmp_path: Path, make_audit: Callable[..., AuditResult]) -> None:
    names = ["a.png", "../a.png", "/etc/passwd", *(f"{i}.png" for i in range(5))]
    audit = make_audit(n=8, n_unlabelled=0, n_unread=0, images=names)
    assert row_pictures(audit, {}) is None
    find = row_pictures(audit, {"paths": {"images": str(tmp_path)}})
    assert find is not None
    assert [find(row) for row in range(4)] == [tmp_path / "a.png", None, None, tmp_path / "0.png"]
    with pytest.raises(DataError, match="no such folder"):
        row_pictures(audit, {}, tmp_path / "gone")

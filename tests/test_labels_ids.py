from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noiseaudit.errors import DataError
from noiseaudit.labels.ids import sample_ids


def ids_of(ids: list[str | None] | None, images: list[str | None] | None, n_rows: int) -> list[str]:
    return sample_ids(ids, images, n_rows, file=Path("data.csv"), id_column="id")


def test_the_id_column_comes_first_then_the_path_then_the_row_number() -> None:
    assert ids_of(["x", "y"], ["a", "a"], 2) == ["x", "y"]
    assert ids_of(None, ["b", "a"], 2) == ["b", "a"]
    assert ids_of(None, None, 3) == ["0", "1", "2"]


def test_repeated_paths_are_numbered_around_paths_that_look_numbered() -> None:
    assert ids_of(None, ["a", "a", "b", "a"], 4) == ["a", "a#2", "b", "a#3"]
    assert ids_of(None, ["a", "a", "a#2", "a"], 4) == ["a", "a#3", "a#2", "a#4"]
    assert ids_of(None, ["a#2", "a#2", "a", "a"], 4) == ["a#2", "a#2#2", "a", "a#3"]


def test_rows_without_an_image_are_named_by_row() -> None:
    assert ids_of(None, ["a", None, None, "row 1"], 4) == ["a", "row 1", "row 2", "row 1#2"]


@given(st.lists(st.sampled_from(["a", "a#2", "a#3", "a#2#2", "b", None])))
def test_ids_are_unique_and_first_occurrences_keep_their_path(images: list[str | None]) -> None:
    ids = ids_of(None, images, len(images))
    assert len(set(ids)) == len(images)
    for image in set(images) - {None}:
        assert ids[images.index(image)] == image


def test_empty_or_repeated_ids_stop() -> None:
    with pytest.raises(DataError, match=r"row 2, column 'id': id 'x' is that of row 0 too"):
        ids_of(["x", "y", "x"], None, 3)
    with pytest.raises(DataError, match=r"row 1, column 'id': empty id"):
        ids_of(["x", None], None, 2)

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noiseaudit.errors import DataError
from noiseaudit.labels.ids import check_ids, sample_ids


def test_the_path_comes_first_then_the_row_number() -> None:
    assert sample_ids(["b", "a"], 2) == ["b", "a"]
    assert sample_ids(None, 3) == ["0", "1", "2"]


def test_repeated_paths_are_numbered_around_paths_that_look_numbered() -> None:
    assert sample_ids(["a", "a", "b", "a"], 4) == ["a", "a#2", "b", "a#3"]
    assert sample_ids(["a", "a", "a#2", "a"], 4) == ["a", "a#3", "a#2", "a#4"]
    assert sample_ids(["a#2", "a#2", "a", "a"], 4) == ["a#2", "a#2#2", "a", "a#3"]


def test_rows_without_an_image_are_named_by_row() -> None:
    assert sample_ids(["a", None, None, "row 1"], 4) == ["a", "row 1", "row 2", "row 1#2"]


@given(st.lists(st.sampled_from(["a", "a#2", "a#3", "a#2#2", "b", None])))
def test_ids_are_unique_and_first_occurrences_keep_their_path(images: list[str | None]) -> None:
    ids = sample_ids(images, len(images))
    assert len(set(ids)) == len(images)
    for image in set(images) - {None}:
        assert ids[images.index(image)] == image


def test_empty_or_repeated_ids_stop() -> None:
    with pytest.raises(DataError, match=r"row 2, column 'id': id 'x' is that of row 0 too"):
        check_ids(["x", "y", "x"], file=Path("data.csv"), column="id")
    with pytest.raises(DataError, match=r"row 1, column 'id': empty id"):
        check_ids(["x", None], file=Path("data.csv"), column="id")
    check_ids(["x", "y"], file=Path("data.csv"), column="id")

"""Columns as text, without a loop over their cells."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noiseaudit.arrays import class_codes, codes, flags, numbers, optional_texts, texts
from noiseaudit.cells import cell_texts, float_texts, joined_lines


@given(st.lists(st.floats(allow_nan=False)))
def test_numbers_are_written_as_python_writes_them(values: list[float]) -> None:
    assert float_texts(np.array(values, np.float64)).to_pylist() == [repr(value) for value in values]


@given(st.lists(st.none() | st.floats(0, 1, width=32)))
def test_single_precision_is_written_as_double(values: list[float | None]) -> None:
    column = pa.chunked_array([pa.array(values, pa.float32())])
    expected = [None if value is None else repr(value) for value in column.to_pylist()]
    assert cell_texts(column).to_pylist() == expected


@given(st.lists(st.none() | st.text(max_size=3)))
def test_texts_are_changed_where_they_are_not_plain(values: list[str | None]) -> None:
    def change(text: str) -> str:
        return f"<{text}>"

    plain = [None if v is None else v if all(" " <= c <= "~" for c in v) else f"<{v}>" for v in values]
    column = pa.chunked_array([pa.array(values, pa.string())])
    assert cell_texts(column, change).to_pylist() == plain
    assert cell_texts(column.dictionary_encode(), change).to_pylist() == plain
    assert cell_texts(column).to_pylist() == values
    assert optional_texts(values).to_pylist() == values


def test_lines() -> None:
    table = pa.table({"a": ["x", None], "n": [1, None], "b": [True, False], "f": [0.5, math.pi]})
    assert joined_lines(table, "\t") == f"x\t1\ttrue\t0.5\n\t\tfalse\t{math.pi!r}"


@given(st.lists(st.lists(st.none() | st.sampled_from(["a", "b", "é", ""]), max_size=4), max_size=4))
def test_codes_over_chunks_with_dictionaries_of_their_own(chunks: list[list[str | None]]) -> None:
    plain = pa.chunked_array([pa.array(chunk, pa.string()) for chunk in chunks], pa.string())
    kind = pa.dictionary(pa.int32(), pa.string())
    own = pa.chunked_array([pa.array(chunk, pa.string()).dictionary_encode() for chunk in chunks], kind)
    for column in (plain, own):
        places, distinct = codes(column)
        names = [*distinct.to_pylist(), None]
        assert [names[place] for place in places] == plain.to_pylist()
        known = class_codes(column, ["é", "a"])
        assert known.tolist() == [{"é": 0, "a": 1}.get(str(cell), -1) for cell in plain.to_pylist()]


@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.float64, np.float32, np.uint8])
def test_numpy_and_back(dtype: type) -> None:
    values: npt.NDArray[Any] = np.arange(5).astype(dtype)
    assert numbers(values).equals(pa.array(values))
    assert flags(values > 2).to_pylist() == [False, False, False, True, True]
    assert texts(["a", "", "é"]).to_pylist() == ["a", "", "é"]

"""NumPy, texts and codes as Arrow has them, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noiseaudit.arrays import class_codes, codes, flags, numbers, texts


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

"""Columns spelled as CSV has them: numbers as `repr`, which reads back exactly."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
from hypothesis import example, given
from hypothesis import strategies as st

from noiseaudit.cells import cell_texts, float_texts, joined_lines, six_digits

Floats = st.floats(allow_nan=True, allow_infinity=True)


@given(st.lists(Floats))
@example([5e-324, -2.2250738585072014e-308, 1.7976931348623157e308, 1e16, 123456789012345.67, 1e-5, -0.0])
def test_a_number_is_spelled_as_repr(values: list[float]) -> None:
    assert float_texts(np.array(values, np.float64)).to_pylist() == [repr(value) for value in values]


@given(st.lists(st.none() | st.floats(width=32, allow_nan=False)), st.integers(0, 3))
def test_a_float32_is_spelled_as_its_exact_double(values: list[float | None], cut: int) -> None:
    array = pa.array(values, pa.float32())
    column = pa.chunked_array([array[:cut], array[cut:]])
    assert cell_texts(column).to_pylist() == [None if v is None else repr(v) for v in values]


@given(st.lists(st.none() | st.sampled_from(["cat", "Köln", "a\tb"])), st.integers(0, 3))
def test_only_what_is_not_plain_is_changed_in_text_and_in_dictionaries(
    values: list[str | None], cut: int
) -> None:
    array = pa.array(values, pa.string())
    seen = []

    def change(old: str) -> str:
        seen.append(old)
        return f"<{old}>"

    expected = [v if v in (None, "cat") else f"<{v}>" for v in values]
    assert cell_texts(pa.chunked_array([array[:cut], array[cut:]]), change).to_pylist() == expected
    seen.clear()
    coded = pa.chunked_array([array[:cut].dictionary_encode(), array[cut:].dictionary_encode()])
    assert cell_texts(coded, change).to_pylist() == expected
    assert sorted(seen) == sorted({v for v in values if v not in (None, "cat")})


def test_lines_are_cells_between_separators() -> None:
    table = pa.table({"a": ["x", None], "b": [True, False], "c": [1, None], "d": [0.1, 1e-9]})
    assert joined_lines(table, "\t") == "x\ttrue\t1\t0.1\n\tfalse\t\t1e-09"


def test_six_significant_digits_are_kept() -> None:
    rng = np.random.default_rng(0)
    values = [
        0.0,
        1.0,
        0.999105316884051,
        -2.5,
        123456789.0,
        math.inf,
        *(10 ** rng.uniform(-12, 12, 500)).tolist(),
    ]
    found = six_digits(pa.table({"p": [None, *values], "n": [None, *range(len(values))]}))
    assert found.column("p").to_pylist() == [None, *(float(f"{value:.6g}") for value in values)]
    assert found.column("n").to_pylist() == [None, *range(len(values))]

"""Parquet is opened or refused with one line; columns become the arrays that pyarrow makes with pandas' help."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noiseaudit.errors import DataError
from noiseaudit.parquet import is_valid, open_parquet, to_numpy

WITHOUT_PANDAS = """
import sys
from pathlib import Path
from noiseaudit.parquet import open_parquet, to_numpy
with open_parquet(Path(sys.argv[1])) as file:
    table = file.read()
arrays = [to_numpy(table.column(name)) for name in table.column_names]
assert [array.tolist()[0] for array in arrays] == [1, 0.5, "a", True, ["x"], None], arrays
assert "pandas" not in sys.modules
"""


def test_a_file_is_read(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1, 2]}), tmp_path / "a.parquet")
    with open_parquet(tmp_path / "a.parquet") as file:
        assert file.read().to_pydict() == {"a": [1, 2]}


def test_no_such_file(tmp_path: Path) -> None:
    with (
        pytest.raises(DataError, match=r"a\.parquet: no such file\. Look\."),
        open_parquet(tmp_path / "a.parquet", fix="Look."),
    ):
        pass


@pytest.mark.parametrize("content", [b"", b"PAR1", b"image,label\n", b"PAR1" + bytes(40) + b"PAR1"])
def test_not_parquet(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(content)
    with (
        pytest.raises(DataError, match=r"a\.parquet: not a readable Parquet file, .*\. Look\.") as caught,
        open_parquet(tmp_path / "a.parquet", fix="Look."),
    ):
        pass
    assert "\n" not in str(caught.value)


def test_damage_that_only_reading_finds(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"a": ["text"] * 1000}), path)
    content = bytearray(path.read_bytes())
    content[4:30] = bytes(26)
    path.write_bytes(content)
    with pytest.raises(DataError, match="not a readable Parquet file"), open_parquet(path) as file:
        file.read()


@given(
    st.sampled_from(["int64", "float32", "double", "string", "bool"]).flatmap(
        lambda kind: st.tuples(
            st.just(kind),
            st.lists(
                st.none()
                | {
                    "int64": st.integers(-(2**50), 2**50),
                    "float32": st.floats(width=32, allow_nan=False),
                    "double": st.floats(allow_nan=False),
                    "string": st.text(max_size=3),
                    "bool": st.booleans(),
                }[kind]
            ),
        )
    ),
    st.integers(0, 5),
)
def test_columns_are_those_of_pyarrow(typed: tuple[str, list[Any]], cut: int) -> None:
    kind, cells = typed
    array = pa.array(cells, kind)
    column = pa.chunked_array([array[:cut], array[cut:]])
    got, expected = to_numpy(column), column.to_numpy(zero_copy_only=False)
    assert got.dtype == expected.dtype
    np.testing.assert_array_equal(got, expected)
    assert is_valid(column).tolist() == [cell is not None for cell in cells]


def test_lists_stay_lists() -> None:
    column = pa.chunked_array([[["a", "b"], ["c", "d"], None]])
    assert to_numpy(column).tolist() == [["a", "b"], ["c", "d"], None]
    assert to_numpy(column).shape == (3,)


def test_a_column_may_be_written_to() -> None:
    column = pa.chunked_array([[1.0, 2.0]])
    to_numpy(column)[0] = 5
    assert column.to_pylist() == [1.0, 2.0]


def test_pandas_is_not_imported(tmp_path: Path) -> None:
    cells = {
        "int": [1, 2], "float": [0.5, None], "text": ["a", None], "bool": [True, False],
        "list": [["x"], None], "nulls": pa.nulls(2, pa.string()),
    }  # fmt: skip
    pq.write_table(pa.table(cells), tmp_path / "a.parquet")
    subprocess.run([sys.executable, "-c", WITHOUT_PANDAS, str(tmp_path / "a.parquet")], check=True)

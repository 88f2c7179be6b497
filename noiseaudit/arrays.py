"""NumPy arrays and texts as Arrow arrays, without importing pandas.

`pyarrow.array` and `pyarrow.scalar` import it where it is installed, which takes longer than all else that a command
that reads an audit imports. Nothing is copied.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc


def numbers(values: npt.NDArray[Any]) -> pa.Array:
    """Integers or floats, (n,), as they are: NaN is no null."""
    whole = np.ascontiguousarray(values)
    return pa.Array.from_buffers(pa.from_numpy_dtype(whole.dtype), len(whole), [None, pa.py_buffer(whole)])


def flags(values: npt.NDArray[np.bool_]) -> pa.Array:
    """Booleans, (n,)."""
    return numbers(values.view(np.uint8)).cast(pa.bool_())


def texts(values: Sequence[str]) -> pa.Array:
    """A few texts; none is null."""
    encoded = [value.encode() for value in values]
    ends = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
    return pieces(np.frombuffer(b"".join(encoded), np.uint8), ends).cast(pa.string())


def optional_texts(values: Sequence[str | None]) -> pa.Array:
    """Texts, None as null: (n,)."""
    known = np.fromiter((value is not None for value in values), np.bool_, len(values))
    return pc.if_else(flags(known), texts([value or "" for value in values]), null(pa.string()))


def text(value: str) -> pa.Scalar:
    """One text as an operand."""
    return texts([value])[0]


def null(kind: pa.DataType) -> pa.Scalar:
    """One null as an operand."""
    return pa.nulls(1, kind)[0]


def pieces(data: npt.NDArray[np.uint8], bounds: npt.NDArray[np.int64]) -> pa.Array:
    """The bytes between each of the rising `bounds`, (m + 1,), and the next: large binary, (m,)."""
    buffers = [None, pa.py_buffer(np.ascontiguousarray(bounds)), pa.py_buffer(data)]
    return pa.Array.from_buffers(pa.large_binary(), len(bounds) - 1, buffers)


def bytes_of(array: pa.Array) -> pa.Buffer:
    """What `array`, of large binary without nulls, holds, one piece after the other."""
    bounds = np.frombuffer(array.buffers()[1], np.int64)[array.offset : array.offset + len(array) + 1]
    return array.buffers()[2].slice(int(bounds[0]), int(bounds[-1] - bounds[0]))


def codes(column: pa.ChunkedArray) -> tuple[npt.NDArray[np.int32], pa.Array]:
    """Each text's place among the distinct ones, -1 where null, (n,); and these, in order of appearance."""
    encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    whole = encoded.unify_dictionaries().combine_chunks()
    if isinstance(whole, pa.ChunkedArray):  # it has no chunk, or more than a chunk can hold
        whole = pa.concat_arrays(whole.chunks) if whole.num_chunks else pa.nulls(0, whole.type)
    return from_arrow(_or_none(whole.indices.cast(pa.int32()))), whole.dictionary


def class_codes(column: pa.ChunkedArray, names: Sequence[str]) -> npt.NDArray[np.int32]:
    """Each text's place among `names`, -1 where it is null or none of them, (n,)."""
    places, distinct = codes(column)
    known = _or_none(pc.index_in(distinct, value_set=texts(names)))
    return np.append(from_arrow(known), np.int32(-1))[places]


def from_arrow(array: pa.Array) -> npt.NDArray[Any]:
    """Numbers without nulls as NumPy, (n,)."""
    found: npt.NDArray[Any] = np.from_dlpack(array)
    return found


def _or_none(places: pa.Array) -> pa.Array:
    """-1 in place of null."""
    return pc.coalesce(places, numbers(np.array([-1], np.int32))[0])

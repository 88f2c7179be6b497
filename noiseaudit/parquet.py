"""Parquet files opened, and their columns taken to NumPy, without importing pandas."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from noiseaudit.arrays import codes
from noiseaudit.atomic import NO_ROOM
from noiseaudit.errors import DataError


@contextmanager
def open_parquet(path: Path, *, fix: str | None = None) -> Iterator[pq.ParquetFile]:
    """The open file. Raises DataError if it is not a readable Parquet file, also where a later read finds so."""
    # pyarrow's read_table would import pandas.
    with readable_parquet(path, fix=fix), pq.ParquetFile(path) as file:
        yield file


@contextmanager
def readable_parquet(path: Path, *, fix: str | None = None) -> Iterator[None]:
    """Raises DataError about `path` where the block fails to read it."""
    try:
        yield
    except FileNotFoundError as error:
        raise DataError("no such file", file=path, fix=fix) from error
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:  # the last: of text in cells and names
        if isinstance(error, OSError) and error.errno in NO_ROOM:  # of what is written meanwhile
            raise
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise DataError(
            f"not a readable Parquet file, perhaps truncated ({reason})", file=path, fix=fix
        ) from error


def to_numpy(column: pa.ChunkedArray) -> npt.NDArray[Any]:
    """A column as NumPy, (n,): numbers with NaN for null, all else that has nulls as objects with None.
    Texts that come as a dictionary are one object each, however many rows have them.

    pyarrow's own to_numpy would import pandas, which takes longer than all else that reading an audit imports.
    """
    kind = column.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return _numbers(column)
    if pa.types.is_boolean(kind) and not column.null_count:
        return _flags(column)
    if pa.types.is_dictionary(kind):
        return _shared(column)
    return np.fromiter(column.to_pylist(), dtype=np.object_, count=len(column))


def is_valid(column: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    """Where a column is not null, (n,)."""
    return _flags(pc.is_valid(column))


def is_true(column: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    """Where a column of booleans is true, (n,); null is not."""
    return _flags(pc.and_kleene(pc.is_valid(column), column))


def _shared(column: pa.ChunkedArray) -> npt.NDArray[np.object_]:
    """One object for each distinct text, however many rows have it."""
    places, distinct = codes(column)
    return np.array([*distinct.to_pylist(), None], dtype=np.object_)[places]


def _numbers(column: pa.ChunkedArray) -> npt.NDArray[Any]:
    values: npt.NDArray[Any] = np.from_dlpack(column.drop_null().combine_chunks())
    if not column.null_count:
        return values.copy()
    dtype = values.dtype if values.dtype.kind == "f" else np.dtype(np.float64)
    full = np.full(len(column), np.nan, dtype)
    full[is_valid(column)] = values
    return full


def _flags(column: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    return np.from_dlpack(column.combine_chunks().cast(pa.uint8())).astype(np.bool_)

"""Embeddings in place of images: a .npy file aligned with the rows, or Parquet joined on sample_id."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from noiseaudit.data.enough import check_enough
from noiseaudit.errors import DataError
from noiseaudit.labels.table import LabelTable

if TYPE_CHECKING:
    import pyarrow as pa

Embeddings = npt.NDArray[np.float32]

UNREADABLE = "the embedding is missing or empty, or holds NaN, infinity or a value beyond float32"


def load_embeddings(path: Path, table: LabelTable, *, strict: bool = False) -> Embeddings:
    """Read embeddings, (n, d) float32, one row per row of `table`.

    A row with a value that is missing, NaN, infinite or beyond float32 becomes all NaN: see `is_readable`.
    `.npy`: a 2-D numeric array in the order of the rows. `.parquet`: a column sample_id and exactly one list
    column of numbers, rows in any order; a list that is null or empty is missing. Nothing is unpickled.

    Raises DataError if the file is missing, damaged or of another kind, if length or ids differ from the
    table's, if more than half of the rows are not readable, or, when `strict`, at the first that is not.
    """
    if not path.is_file():
        raise DataError("no such file", file=path, fix="Give --embeddings a .npy or .parquet file.")
    if path.suffix.lower() == ".npy":
        return _read_npy(path, table, strict=strict)
    if path.suffix.lower() in (".parquet", ".pq"):
        return _read_parquet(path, table, strict=strict)
    raise DataError("not a .npy or .parquet file", file=path, fix="Save the embeddings as one of these.")


def is_readable(values: Embeddings) -> npt.NDArray[np.bool_]:
    """Which rows of embeddings (n, d) are finite, (n,)."""
    return np.asarray(np.isfinite(values).all(axis=1), dtype=np.bool_)


def _read_npy(path: Path, table: LabelTable, *, strict: bool) -> Embeddings:
    try:
        values = np.lib.format.open_memmap(path, mode="r")
    except (OSError, ValueError, EOFError, SyntaxError) as error:
        problem = "not a .npy file of numbers, or truncated"
        raise DataError(problem, file=path, fix="Write it with numpy.save, without objects.") from error
    if values.ndim != 2 or values.dtype.kind not in "fiu" or values.shape[1] == 0:
        raise DataError(
            f"holds {values.dtype.name} of shape {values.shape}, not one row of numbers per sample",
            file=path,
            fix="Save a 2-D array of floats.",
        )
    if len(values) != len(table):
        raise DataError(
            f"has {len(values)} rows, but the label file has {len(table)}",
            file=path,
            fix="Save one row per label row in the same order, or use Parquet with a sample_id column.",
        )
    return _checked(values, path, table.sample_id, strict=strict)


def _checked(values: npt.NDArray[Any], path: Path, ids: npt.NDArray[Any], *, strict: bool) -> Embeddings:
    """`values` and `ids` in the order of the file, so that messages count its rows."""
    with np.errstate(over="ignore"):
        converted = values.astype(np.float32)
    is_ok = is_readable(converted)
    converted[~is_ok] = np.nan
    check_enough(
        is_ok,
        np.full(len(ids), UNREADABLE, dtype=np.object_),
        ids,
        what="embeddings",
        strict=strict,
        file=path,
        column=None,
        fix="Is --embeddings the right file?",
    )
    return converted


def _read_parquet(path: Path, table: LabelTable, *, strict: bool) -> Embeddings:
    ids, lists = _read_columns(path)
    matrix = _to_matrix(lists, path)
    row_of = _rows_by_id(ids, path)
    wanted = table.sample_id.tolist()
    missing = [(row, sample_id) for row, sample_id in enumerate(wanted) if sample_id not in row_of]
    if missing:
        row, sample_id = missing[0]
        raise DataError(
            f"{len(missing)} of {len(wanted)} samples have none; first {sample_id!r} (row {row} there)",
            file=path,
            column="sample_id",
            fix="Embed every row of the label file under its sample_id.",
        )
    if len(ids) > len(wanted):
        extra = set(ids).difference(wanted)
        row = min(row_of[sample_id] for sample_id in extra)
        raise DataError(
            f"{len(extra)} ids are not in the label file; first {ids[row]!r}",
            file=path,
            row=row,
            column="sample_id",
            fix="Remove these rows, or give the label file they belong to.",
        )
    values = _checked(matrix, path, np.array(ids, dtype=np.object_), strict=strict)
    return values[[row_of[sample_id] for sample_id in wanted]]


def _rows_by_id(ids: list[str | None], path: Path) -> dict[str | None, int]:
    row_of: dict[str | None, int] = {}
    for row, sample_id in enumerate(ids):
        if sample_id is None or sample_id in row_of:
            problem = "empty id" if sample_id is None else f"id {sample_id!r} appears twice"
            fix = "Give every row an id of its own."
            raise DataError(problem, file=path, row=row, column="sample_id", fix=fix)
        row_of[sample_id] = row
    return row_of


def _read_columns(path: Path) -> tuple[list[str | None], pa.ChunkedArray]:
    import pyarrow as pa

    from noiseaudit.parquet import open_parquet

    with open_parquet(path, fix="Write it again.") as parquet:
        schema = parquet.schema_arrow
        lists = [field.name for field in schema if _is_list_of_numbers(field.type)]
        if "sample_id" not in schema.names or len(lists) != 1:
            raise DataError(
                f"needs sample_id and exactly one list column of numbers; has {', '.join(schema.names)}",
                file=path,
                fix="Write the columns sample_id and embedding.",
            )
        columns = parquet.read(["sample_id", *lists])
        return columns["sample_id"].cast(pa.string()).to_pylist(), columns[lists[0]]


def _is_list_of_numbers(kind: pa.DataType) -> bool:
    import pyarrow.types as types

    is_list = types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)
    return bool(is_list and (types.is_floating(kind.value_type) or types.is_integer(kind.value_type)))


def _to_matrix(lists: pa.ChunkedArray, path: Path) -> npt.NDArray[Any]:
    """(n, d) from a column of lists of equal length, NaN where a list is null or empty."""
    import pyarrow.compute as pc

    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy()
    filled = np.flatnonzero(lengths)
    if not len(filled):
        return np.full((len(lengths), 1), np.nan, np.float32)
    first = int(filled[0])
    width = int(lengths[first])
    if len(other := filled[lengths[filled] != width]):
        raise DataError(
            f"a list of {lengths[other[0]]} numbers, but row {first} has {width}",
            file=path,
            row=int(other[0]),
            fix="Give every sample a list of the same length.",
        )
    values = np.asarray(pc.list_flatten(lists).to_numpy()).reshape(len(filled), width)
    if len(filled) == len(lengths):
        return values
    matrix = np.full((len(lengths), width), np.nan, np.result_type(values, np.float32))
    matrix[filled] = values
    return matrix

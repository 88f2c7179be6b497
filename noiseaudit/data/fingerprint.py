"""A content hash of what an audit saw: labels and decoded pixels, and no path of the machine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from noiseaudit.data.convert import Bytes
from noiseaudit.data.parallel import map_chunks
from noiseaudit.labels.table import LabelTable

if TYPE_CHECKING:
    from noiseaudit.data.decode import Pixels

_COLUMNS = ("sample_id", "image", "given_label", "true_label", "split", "annotator", "batch")
_CHUNK_ROWS = 65_536
_CHUNK_BYTES = 16 * 2**20
_BLOCK_ROWS = 64  # part of what the hash is: another number, another fingerprint


def fingerprint(table: LabelTable, inputs: Pixels | npt.NDArray[Any], *, workers: int = 1) -> str:
    """`"sha256:..."` of the table's columns and of `inputs`: Pixels, embeddings (n, d) or files' hashes (n, 32).

    The image cells count as written in the label file. Memory stays bounded whatever n is. Pixels are hashed in
    blocks of rows by `workers` threads, whose number changes nothing.
    """
    digest = hashlib.sha256()
    for part in _table_parts(table):
        digest.update(part)
    if isinstance(inputs, np.ndarray):
        parts = _array_parts(inputs)
    else:
        for part in _column_parts("status", inputs.status):
            digest.update(part)
        parts = _block_parts(inputs.data.numpy(), workers)
    for part in parts:
        digest.update(part)
    return f"sha256:{digest.hexdigest()}"


def _table_parts(table: LabelTable) -> Iterator[bytes]:
    yield _line({"rows": len(table), "class_type": table.class_type})
    for name in _COLUMNS:
        yield from _column_parts(name, getattr(table, name))
    if table.trusted is not None:
        yield from _column_parts("trusted", table.trusted)


def _column_parts(name: str, cells: npt.NDArray[Any] | None) -> Iterator[bytes]:
    yield _line({"column": name, "present": cells is not None})
    if cells is None:
        return
    for start in range(0, len(cells), _CHUNK_ROWS):
        yield _line(cells[start : start + _CHUNK_ROWS].tolist())


def _array_parts(values: npt.NDArray[Any]) -> Iterator[bytes]:
    yield _line({"dtype": values.dtype.name, "shape": values.shape})
    little_endian = values.dtype.newbyteorder("<")
    rows = max(1, _CHUNK_BYTES // max(1, values[:1].nbytes))
    for start in range(0, len(values), rows):
        yield values[start : start + rows].astype(little_endian, copy=False).tobytes()


def _block_parts(values: Bytes, workers: int) -> Iterator[bytes]:
    """Hashes of the blocks in order: pixels are many, and one thread would take a tenth of the time of decoding."""
    yield _line({"dtype": values.dtype.name, "shape": values.shape, "block": _BLOCK_ROWS})
    yield from map_chunks(
        lambda rows: hashlib.sha256(np.ascontiguousarray(values[rows[0] : rows[-1] + 1]).data).digest(),
        range(len(values)),
        workers,
        chunk=_BLOCK_ROWS,
    )


def _line(value: object) -> bytes:
    return json.dumps(value).encode("ascii") + b"\n"

"""A content hash of what an audit saw: labels and image files, and no path of the machine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from itertools import chain
from typing import Any

import numpy.typing as npt

from noiseaudit.labels.table import LabelTable

_COLUMNS = ("sample_id", "image", "given_label", "true_label", "split", "annotator", "batch")
_CHUNK_ROWS = 65_536
_CHUNK_BYTES = 16 * 2**20


def fingerprint(table: LabelTable, inputs: npt.NDArray[Any]) -> str:
    """`"sha256:..."` of the table's columns and of `inputs`: hashes of image files (n, 32), or embeddings (n, d).

    The image cells count as written in the label file. Memory stays bounded whatever n is.
    """
    digest = hashlib.sha256()
    for part in chain(_table_parts(table), _array_parts(inputs)):
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


def _line(value: object) -> bytes:
    return json.dumps(value).encode("ascii") + b"\n"

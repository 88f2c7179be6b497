"""The truth file joined to an audit in bulk, where it is plain: one row a sample, nothing that contradicts.

Everything else is NotPlain: noiseaudit.truth then goes through it row by row, and says what is wrong and where.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from noiseaudit.arrays import codes, from_arrow, numbers
from noiseaudit.labels.bulk import opened, read_header
from noiseaudit.labels.bulk_parquet import is_plain, plain_texts
from noiseaudit.labels.revision import NotPlain
from noiseaudit.labels.spans import find_spans, record_pieces
from noiseaudit.labels.table import FORMATS, Strings
from noiseaudit.labels.values import BOOLEANS
from noiseaudit.parquet import is_valid, open_parquet
from noiseaudit.result import Audited
from noiseaudit.truth_columns import KEYS
from noiseaudit.truth_file import Choose

PIECE = 1_000_000  # rows of the truth file that are looked up at a time; a name is one row's within each
Places = npt.NDArray[np.int64]


class Told(NamedTuple):
    """What the file says about each row of the audit, (n,)."""

    true_label: Strings  # None where nothing
    claims: npt.NDArray[np.int8]  # is_corrupted: 1, 0, or -1 where nothing


def told_in_bulk(path: Path, audit: Audited, choose: Choose, missing_label: str | None) -> Told:
    """What a CSV, TSV or Parquet file says about an audit. Raises NotPlain; DataError as `choose` does."""
    cells = _read(path, choose)
    key = next(key for key in KEYS if key in cells)
    names = cells.pop(key)
    if names.null_count:
        raise NotPlain
    places = _looked_up(_column(audit, key), names, key)
    del names
    if key == "sample_id" and (images := cells.pop("image", None)) is not None:
        _check_images(images, places, _column(audit, "image"))
    true = cells.get("true_label")
    claims = cells.get("is_corrupted")
    return Told(
        _of_rows(true, places, lambda name: None if name == missing_label else name, np.object_, None),
        _of_rows(claims, places, _claim, np.int8, -1),
    )


def _read(path: Path, choose: Choose) -> dict[str, pa.ChunkedArray]:
    """The chosen columns by role: text, null where empty."""
    kind = FORMATS.get(path.suffix.lower())
    if kind not in ("csv", "tsv", "parquet") or not path.is_file():
        raise NotPlain
    return _read_parquet(path, choose) if kind == "parquet" else _read_delimited(path, kind, choose)


def _read_parquet(path: Path, choose: Choose) -> dict[str, pa.ChunkedArray]:
    with open_parquet(path) as file:
        columns = choose(file.schema_arrow.names)
        if not all(is_plain(file.schema_arrow, name) for name in columns.values()):
            raise NotPlain
        table = file.read(columns=list(columns.values()))
    return {role: pa.chunked_array([plain_texts(table.column(name), None)]) for role, name in columns.items()}


def _read_delimited(path: Path, kind: str, choose: Choose) -> dict[str, pa.ChunkedArray]:
    with opened(path) as file:
        header = read_header(file, path, kind, {"is_corrupted"})
        columns = choose(header.names)
        chunks: dict[str, list[pa.Array]] = {role: [] for role in columns}
        for piece in record_pieces(file):
            spans = find_spans(piece, header.separator, len(header.names))
            for role, name in columns.items():
                texts = plain_texts(spans.texts(header.names.index(name)), None)
                chunks[role].append(texts if role in KEYS else texts.dictionary_encode())
    if not all(chunks.values()):
        raise NotPlain
    return {role: pa.chunked_array(parts) for role, parts in chunks.items()}


def _column(audit: Audited, name: str) -> pa.ChunkedArray:
    tables = [table for _, table in audit.tables([name])]
    if not tables:
        raise NotPlain
    return pa.concat_tables(tables).column(name)


def _looked_up(wanted: pa.ChunkedArray, names: pa.ChunkedArray, key: str) -> Places:
    """The row of the file that is about each row of the audit, -1 where none is, (n,)."""
    if key == "sample_id" and wanted.equals(names):  # a sample_id stands once in an audit
        return np.arange(len(wanted))
    found = np.full(len(wanted), -1, np.int64)
    for first in range(0, len(names), PIECE):
        part = names.slice(first, PIECE).combine_chunks()
        if pc.count_distinct(part).as_py() < len(part):
            raise NotPlain
        place = pc.index_in(wanted, value_set=part)
        here = is_valid(place)
        if (found[here] >= 0).any():
            raise NotPlain
        found[here] = from_arrow(place.drop_null().combine_chunks()) + first
    if (found < 0).all():
        raise NotPlain
    return found


def _check_images(images: pa.ChunkedArray, places: Places, own: pa.ChunkedArray) -> None:
    """Raise NotPlain if a joined row names another image."""
    joined = np.flatnonzero(places >= 0)
    named, known = images.take(numbers(places[joined])), own.take(numbers(joined))
    if pc.any(pc.not_equal(named, known)).as_py():
        raise NotPlain


def _of_rows(column: Any, places: Places, meaning: Any, kind: Any, nothing: object) -> npt.NDArray[Any]:
    """What each row of the audit is told, by the meaning of each distinct text."""
    if column is None:
        return np.full(len(places), nothing, kind)
    own, distinct = codes(column)
    means = np.array([*map(meaning, distinct.to_pylist()), nothing], kind)
    return np.asarray(means[np.append(own, np.int32(-1))[places]])


def _claim(text: str) -> int:
    claim = BOOLEANS.get(text.strip().lower())
    if claim is None:
        raise NotPlain
    return int(claim)

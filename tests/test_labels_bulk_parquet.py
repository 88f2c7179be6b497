"""Parquet label files rewritten a row group at a time: the table that pandas would make, and nothing else touched."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from noiseaudit.arrays import optional_texts
from noiseaudit.errors import DataError
from noiseaudit.labels import Source
from noiseaudit.labels.bulk_parquet import rewrite_parquet
from noiseaudit.labels.revision import Changes, NotPlain

KINDS: dict[str, tuple[pa.DataType, list[Any]]] = {
    "string": (pa.string(), ["cat", "", "Köln", None]),
    "large_string": (pa.large_string(), ["cat", "", "Köln", None]),
    "dictionary": (pa.dictionary(pa.int32(), pa.string()), ["cat", "Köln", None]),
    "int16": (pa.int16(), [3, -7, 0, None]),
    "bool": (pa.bool_(), [True, False, None]),
}


def _spelled(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def rewritten(
    table: pa.Table,
    labels: Mapping[int, str | None],
    drop: frozenset[int],
    extra: Mapping[str, pa.Array],
    group: int = 3,
    **written: Any,
) -> tuple[pq.ParquetFile, list[str | None]]:
    """The file after the changes, and the labels that were read on the way."""
    seen: list[str | None] = []

    def revise(cells: Mapping[str, pa.Array], n: int) -> Changes:
        rows = range(len(seen), len(seen) + n)
        seen.extend(cells["label"].to_pylist())
        return Changes(
            np.array([row in labels for row in rows], np.bool_),
            optional_texts([labels.get(row) for row in rows]),
            np.array([row in drop for row in rows], np.bool_),
            {name: cells[rows.start : rows.stop] for name, cells in extra.items()},
        )

    with tempfile.TemporaryDirectory() as folder:
        path, out = Path(folder, "in.parquet"), Path(folder, "out.parquet")
        pq.write_table(table, path, row_group_size=group, **written)
        added = {name: cells.type for name, cells in extra.items()}
        rewrite_parquet(Source(path, "parquet", "label"), out, revise, added)
        return pq.ParquetFile(pa.BufferReader(out.read_bytes())), seen


@settings(max_examples=60)
@given(st.sampled_from([*KINDS]), st.data())
def test_the_table_is_that_of_pandas(kind: str, data: st.DataObject) -> None:
    arrow, values = KINDS[kind]
    column = data.draw(st.lists(st.sampled_from(values), min_size=1, max_size=9))
    n = len(column)
    some = st.sets(st.integers(0, n - 1))
    labels = {row: data.draw(st.sampled_from(values)) for row in sorted(data.draw(some))}
    drop = frozenset(data.draw(some))
    flags = data.draw(st.lists(st.none() | st.booleans(), min_size=n, max_size=n))
    frame = pd.DataFrame(
        {
            "label": pd.Series(column, dtype=object),
            "when": pd.to_datetime(range(n), unit="s"),
            "box": [[row, 0.5] for row in range(n)],
        }
    )
    schema = pa.schema(
        [
            pa.field("label", arrow, metadata={"unit": "class"}),
            pa.field("when", pa.timestamp("ns")),
            pa.field("box", pa.list_(pa.float64())),
        ],
        metadata={"owner": "Zoë"},
    )
    table = pa.Table.from_pandas(frame, schema, preserve_index=False).replace_schema_metadata(schema.metadata)
    spelled = {row: _spelled(v) if v is not None else None for row, v in labels.items()}
    file, seen = rewritten(table, spelled, drop, {"flag": pa.array(flags, pa.bool_())})

    wanted = frame.assign(flag=pd.Series(flags, dtype=object))
    for row, label in labels.items():
        wanted.at[row, "label"] = label
    wanted = wanted.drop(index=[*drop])
    got = file.read()
    assert got.drop_columns("box").to_pylist() == wanted.drop(columns="box").to_dict("records")
    assert got.column("box").to_pylist() == wanted["box"].tolist()
    assert got.schema.remove_metadata() == schema.append(pa.field("flag", pa.bool_())).remove_metadata()
    assert got.schema.metadata[b"owner"] == "Zoë".encode()
    assert got.field("label").metadata[b"unit"] == b"class"
    assert seen == [None if v in (None, "") else _spelled(v) for v in column]
    sizes = [len(range(first, min(first + 3, n))) for first in range(0, n, 3)]
    kept = [sum(row not in drop for row in range(3 * i, 3 * i + size)) for i, size in enumerate(sizes)]
    groups = [file.metadata.row_group(i).num_rows for i in range(file.metadata.num_row_groups)]
    assert [size for size in groups if size] == [size for size in kept if size]


def test_codecs_stay() -> None:
    table = pa.table({"label": ["a", "b"], "n": [1, 2]})
    file, _ = rewritten(table, {0: "b"}, frozenset(), {}, compression={"label": "gzip", "n": "zstd"})
    group = file.metadata.row_group(0)
    assert [group.column(i).compression for i in range(2)] == ["GZIP", "ZSTD"]


@pytest.mark.parametrize(
    ("column", "label"),
    [
        (pa.array([1.0, 2.0]), "2"),
        (pa.array([1, 2], pa.int8()), "300"),
        (pa.array([1, 2]), "02"),
        (pa.array([True, False]), "maybe"),
        (pa.array(["a", "b"], pa.binary()), "b"),
    ],
)
def test_what_is_not_plain_is_left_to_the_careful_way(column: pa.Array, label: str) -> None:
    with pytest.raises(NotPlain):
        rewritten(pa.table({"label": column}), {0: label}, frozenset(), {})


def test_a_blank_where_none_may_be_is_left_to_the_careful_way() -> None:
    table = pa.table({"label": ["a"]}, schema=pa.schema([pa.field("label", pa.string(), nullable=False)]))
    with pytest.raises(NotPlain):
        rewritten(table, {0: None}, frozenset(), {})


def test_an_added_column_must_be_new() -> None:
    with pytest.raises(DataError, match="column 'n': the column to append is there already"):
        rewritten(pa.table({"label": ["a"], "n": [1]}), {}, frozenset(), {"n": pa.array([2.0])})

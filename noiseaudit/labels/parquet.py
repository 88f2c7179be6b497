"""Parquet label files: read by column; rewritten with the same schema, row groups and compression."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from noiseaudit.atomic import atomic_path
from noiseaudit.errors import DataError
from noiseaudit.labels.revision import Revision
from noiseaudit.labels.values import typed_label
from noiseaudit.parquet import open_parquet, readable_parquet


class ParquetReader:
    """The column names and the columns of a Parquet file. Raises DataError if it is not readable."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with open_parquet(path) as file:
            self._schema = file.schema_arrow
            self.names: list[str] = self._schema.names
        self.nested = nested_columns(self._schema)
        check_names(self.names, path)

    def columns(self, wanted: Sequence[str]) -> dict[str, list[Any]]:
        """The values of these columns, one list each; None where null."""
        for name in wanted:
            check_scalar(self._schema.field(name), self._path)
        with open_parquet(self._path) as file:
            table = file.read(columns=list(wanted))
            return {name: table.column(name).to_pylist() for name in wanted}


def edit_parquet(path: Path, out: Path, label_column: str, revision: Revision) -> None:
    """Write the file after the revision: same schema, metadata, types, row groups and codecs."""
    with pq.ParquetFile(path) as file:
        revision.check(file.schema_arrow.names, file.metadata.num_rows, path)
        extra = {name: _typed_array(cells) for name, cells in revision.extra.items()}
        schema = file.schema_arrow
        for name, cells in extra.items():
            schema = schema.append(pa.field(name, cells.type))
        with atomic_path(out) as temporary, writer(temporary, schema, file, label_column, extra) as written:
            for group, first in row_groups(file):
                with readable_parquet(path):
                    table = file.read_row_group(group)
                revised = _revise_group(table, first, label_column, revision, path)
                for name, cells in extra.items():
                    revised = revised.append_column(name, cells.slice(first, table.num_rows))
                kept = [row for row in range(table.num_rows) if first + row not in revision.drop]
                if len(kept) < table.num_rows:
                    revised = revised.take(pa.array(kept, pa.int64()))
                written.write_table(revised.cast(schema), row_group_size=max(1, len(kept)))


def check_names(names: Sequence[str], path: Path) -> None:
    """Raise DataError if two columns have the same name."""
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise DataError(
            "two columns have this name", file=path, column=repeated[0], fix="Rename one of them."
        )


def check_scalar(field: Any, path: Path) -> None:
    """Raise DataError unless cells are single values. Before reading: encoded images may not fit in memory."""
    if _is_nested(field.type):
        raise DataError(
            f"cells of type {str(field.type)[:60]}, where text, integers or true/false are needed",
            file=path,
            column=field.name,
            fix="Give one label a row (no lists, no soft labels), and images as files with their paths here.",
        )


def nested_columns(schema: Any) -> frozenset[str]:
    """The columns whose cells are lists, mappings or raw bytes."""
    return frozenset(field.name for field in schema if _is_nested(field.type))


def _is_nested(kind: Any) -> bool:
    return bool(pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def writer(path: Path, schema: Any, file: Any, label_column: str, extra: Mapping[str, Any]) -> Any:
    """What writes such a file again, with further columns `extra`: same codecs and format."""
    codecs = _codecs(file.metadata)
    codecs |= dict.fromkeys(extra, codecs.get(label_column, "snappy"))
    return pq.ParquetWriter(path, schema, compression=codecs, version=file.metadata.format_version)


def _codecs(metadata: Any) -> dict[str, str]:
    """Codec by column path, as in the first row group."""
    if metadata.num_row_groups == 0:
        return {}
    group = metadata.row_group(0)
    columns = [group.column(place) for place in range(group.num_columns)]
    names = {"UNCOMPRESSED": "none"}
    return {
        column.path_in_schema: names.get(column.compression, column.compression.lower()) for column in columns
    }


def row_groups(file: Any) -> Iterator[tuple[int, int]]:
    """Each row group with the number of its first row."""
    first = 0
    for group in range(file.num_row_groups):
        yield group, first
        first += file.metadata.row_group(group).num_rows


def _revise_group(table: Any, first: int, label_column: str, revision: Revision, path: Path) -> Any:
    rows = range(first, first + table.num_rows)
    changes = {row - first: revision.labels[row] for row in rows if row in revision.labels}
    if not changes:
        return table
    place = table.schema.get_field_index(label_column)
    field = table.schema.field(place)
    if not field.nullable and None in changes.values():
        raise DataError(
            "the column admits no nulls, so no label can be blanked",
            file=path,
            column=label_column,
            fix="Drop or relabel the rows instead.",
        )
    return table.set_column(place, field, _revise_labels(table.column(place), changes))


def _revise_labels(column: Any, changes: Mapping[int, str | None]) -> Any:
    coded = pa.types.is_dictionary(column.type)
    value_type = column.type.value_type if coded else column.type
    kind = _python_kind(value_type)
    values = column.to_pylist()
    for row, label in changes.items():
        values[row] = None if label is None else typed_label(label, kind)
    labels = pa.array(values, value_type)
    return recode(labels, column) if coded else labels


def recode(labels: Any, column: Any) -> Any:
    """Dictionary-encode with the column's own dictionary, new labels at its end."""
    old = column.unify_dictionaries().chunk(0).dictionary
    new = pc.unique(labels.filter(pc.invert(pc.is_in(labels, value_set=old)))).drop_null()
    dictionary = pa.concat_arrays([old, new])
    codes = pc.index_in(labels, value_set=dictionary, skip_nulls=True).cast(column.type.index_type)
    return pa.DictionaryArray.from_arrays(codes, dictionary, ordered=column.type.ordered)


def _python_kind(value_type: Any) -> type:
    if pa.types.is_boolean(value_type):
        return bool
    if pa.types.is_integer(value_type):
        return int
    return float if pa.types.is_floating(value_type) else str


def _typed_array(cells: Sequence[Any]) -> Any:
    array = pa.array(cells)
    return array.cast(pa.string()) if pa.types.is_null(array.type) else array

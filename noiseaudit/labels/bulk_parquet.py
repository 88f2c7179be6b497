"""Parquet label files rewritten a row group at a time, without looking at a row alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from noiseaudit.arrays import flags, null, text
from noiseaudit.labels.parquet import recode, row_groups, writer
from noiseaudit.labels.revision import Changes, NotPlain, Revise, check_added
from noiseaudit.labels.table import Source
from noiseaudit.parquet import open_parquet


def rewrite_parquet(source: Source, out: Path, revise: Revise, added: Mapping[str, pa.DataType]) -> None:
    """Write `source` to `out` after the changes that `revise` has for its rows; `added` are new columns.

    Raises NotPlain where edit_label_file must do it: labels, images or ids that are neither text, integers nor
    booleans, or labels that do not fit. DataError if the file is not readable or an added column exists already.
    """
    path, names = source.path, source.columns.named()
    with open_parquet(path) as file:
        schema = file.schema_arrow
        if not all(is_plain(schema, name) for name in names.values()):
            raise NotPlain
        check_added(added, schema.names, path)
        for name, kind in added.items():
            schema = schema.append(pa.field(name, kind))
        with writer(out, schema, file, source.label_column, added) as written:
            for group, _ in row_groups(file):
                table = _revised(file.read_row_group(group), source, names, revise).cast(schema)
                written.write_table(table, row_group_size=max(1, len(table)))


def is_plain(schema: Any, name: str) -> bool:
    """Whether there is one such column, of text, integers or booleans."""
    places = schema.get_all_field_indices(name)
    if len(places) != 1:
        return False
    kind = schema.field(places[0]).type
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_integer(kind)
        or pa.types.is_boolean(kind)
    )


def _revised(table: Any, source: Source, names: Mapping[str, str], revise: Revise) -> Any:
    missing = {"label": source.missing_label}
    texts = {role: plain_texts(table.column(name), missing.get(role)) for role, name in names.items()}
    changes = revise(texts, len(table))
    place = table.schema.get_field_index(source.label_column)
    field = table.schema.field(place)
    if changes.relabelled.any():
        table = table.set_column(place, field, _relabelled(table.column(place), field, changes))
    for name, cells in changes.extra.items():
        table = table.append_column(name, cells)
    return table.filter(flags(~changes.dropped)) if changes.dropped.any() else table


def plain_texts(column: pa.ChunkedArray | pa.Array, missing: str | None) -> pa.Array:
    """Cells as `read_labels` has them: null where null, empty, or the missing label."""
    kind = column.type
    plain = column.cast(kind.value_type) if pa.types.is_dictionary(kind) else column
    cells = plain.cast(pa.string())
    cells = cells.combine_chunks() if isinstance(cells, pa.ChunkedArray) else cells
    for empty in {"", missing or ""}:
        cells = pc.if_else(pc.equal(cells, text(empty)), null(pa.string()), cells)
    return cells


def _relabelled(column: pa.ChunkedArray, field: Any, changes: Changes) -> Any:
    """The column with its new labels, of the same type."""
    if not field.nullable and changes.labels.filter(flags(changes.relabelled)).null_count:
        raise NotPlain
    kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    rows = flags(changes.relabelled)
    new = _typed(changes.labels.filter(rows), kind)
    labels = pc.replace_with_mask(column.cast(kind).combine_chunks(), rows, new)
    return recode(labels, column) if pa.types.is_dictionary(field.type) else labels


def _typed(labels: pa.Array, kind: pa.DataType) -> pa.Array:
    """Labels as values that read back as these texts. Raises NotPlain if there are none."""
    try:
        typed = labels.cast(kind)
    except pa.ArrowInvalid as error:
        raise NotPlain from error
    if not typed.cast(pa.string()).equals(labels):
        raise NotPlain
    return typed

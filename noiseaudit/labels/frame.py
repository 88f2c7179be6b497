"""A pandas DataFrame in place of a label file."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from noiseaudit.errors import DataError
from noiseaudit.labels.columns import FIND_ALL, ColumnNames, required_roles, resolve_columns
from noiseaudit.labels.parquet import check_scalar, nested_columns
from noiseaudit.labels.roles import read_rows
from noiseaudit.labels.table import LabelTable, Source

if TYPE_CHECKING:
    import pandas as pd

NAME = Path("DataFrame")  # what messages call it


class FrameReader:
    """Names and columns of a DataFrame, with missing values as None. Its index is not looked at."""

    def __init__(self, frame: pd.DataFrame) -> None:
        try:
            self._table = pa.Table.from_pandas(frame, preserve_index=False)
        except (pa.ArrowException, TypeError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise DataError(
                f"a column mixes kinds of values ({reason})", file=NAME, fix="Give one kind."
            ) from error
        self.names: list[str] = self._table.schema.names
        self.nested = nested_columns(self._table.schema)

    def columns(self, wanted: Sequence[str]) -> dict[str, list[Any]]:
        """The values of these columns, one list each; None where missing."""
        for name in wanted:
            check_scalar(self._table.schema.field(name), NAME)
        return {name: self._table.column(name).to_pylist() for name in wanted}


def read_frame(
    frame: pd.DataFrame, *, columns: ColumnNames = FIND_ALL, images_required: bool = True
) -> LabelTable:
    """`frame` as a LabelTable, by the rules for Parquet files. Raises DataError if it is not usable."""
    reader = FrameReader(frame)
    found = resolve_columns(reader.names, columns, file=NAME, images_required=images_required)
    required = required_roles(columns, images_required=images_required)
    table = read_rows(reader, found, Source(NAME, "parquet", str(found.label)), required)
    return dataclasses.replace(table, source=None)

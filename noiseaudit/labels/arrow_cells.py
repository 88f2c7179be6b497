"""The cells of a data set on disk: Arrow streams mapped into memory, or Parquet read by row group."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from noiseaudit.errors import DataError
from noiseaudit.labels.features import Names, class_names, data_files, parquet_class_names, read_object
from noiseaudit.labels.stored import Cells
from noiseaudit.parquet import open_parquet

GROUPS_HELD = 3  # row groups of images in memory: threads are at most so far apart
STATE = "state.json"
INFO = "dataset_info.json"


class TableCells(Cells, Protocol):
    """The columns of n rows, and the images in one of them, `image`, row by row."""

    schema: Any
    n_rows: int
    image: str

    def class_names(self, column: str) -> list[str] | None:
        """Of a ClassLabel column, by code; None of another. Raises DataError where files do not agree."""

    def paths(self) -> list[str | None]:
        """What the images were called, (n,); None where they have no names."""

    def column(self, name: str) -> Any:
        """A whole column, as Arrow has it."""


class ArrowCells:
    """A folder of `save_to_disk`, mapped into memory."""

    def __init__(self, folder: Path) -> None:
        files = data_files(folder / STATE)
        self._names = class_names(read_object(folder / INFO), folder / INFO)
        try:
            tables = [pa.ipc.open_stream(pa.memory_map(str(file))).read_all() for file in files]
            self._table = pa.concat_tables(tables)
            self._table.validate(full=True)  # Arrow follows an offset anywhere, and the process dies
        except (pa.ArrowException, OSError, ValueError) as error:  # ValueError: a NUL character in a name
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise DataError(
                f"not a readable data set ({reason})", file=folder, fix="Save it anew."
            ) from error
        self.schema, self.n_rows = self._table.schema, self._table.num_rows
        self.image = ""

    def class_names(self, column: str) -> list[str] | None:
        return self._names.get(column)

    def paths(self) -> list[str | None]:
        column = self._table.column(self.image)
        if not _has_path(column.type):
            return [None] * self.n_rows
        return [path for chunk in column.chunks for path in chunk.field("path").to_pylist()]

    def column(self, name: str) -> Any:
        return self._table.column(name)

    def cell(self, row: int) -> Any:
        return self._table.column(self.image)[row].as_py()


class ParquetCells:
    """Parquet files of one schema, read by row group; a few row groups of images are held."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._files, self._starts, self._groups = files, list[int](), list[tuple[Path, int]]()
        self.n_rows, self.image, self._lock = 0, "", threading.Lock()
        self._held: dict[int, Any] = {}
        self._names: list[Names] = []
        for file in files:
            with open_parquet(file) as opened:
                schema = opened.schema_arrow
                if file == files[0]:
                    self.schema = schema
                elif not schema.equals(self.schema):
                    raise DataError(
                        "its columns are not those of the first file", file=file, fix=str(files[0])
                    )
                # Schemas that are equal may differ in their metadata.
                self._names.append(parquet_class_names(schema.metadata, file))
                for group in range(opened.num_row_groups):
                    self._starts.append(self.n_rows)
                    self._groups.append((file, group))
                    self.n_rows += opened.metadata.row_group(group).num_rows

    def class_names(self, column: str) -> list[str] | None:
        """Of a ClassLabel column. Raises DataError where a file has other ones, or another order, than the first."""
        names = self._names[0].get(column)
        for file, others in zip(self._files, self._names, strict=True):
            if others.get(column) != names:
                raise DataError(
                    "its class names are not those of the first file",
                    file=file,
                    column=column,
                    fix=f"Write it with the classes of {self._files[0]}, in their order.",
                )
        return names

    def paths(self) -> list[str | None]:
        if not _has_path(self.schema.field(self.image).type):
            return [None] * self.n_rows
        chunks = self._read(f"{self.image}.path").column(self.image).chunks
        return [path for chunk in chunks for path in chunk.field("path").to_pylist()]

    def column(self, name: str) -> Any:
        return self._read(name).column(name)

    def cell(self, row: int) -> Any:
        place = bisect_right(self._starts, row) - 1
        with self._lock:
            if place not in self._held:
                while len(self._held) >= GROUPS_HELD:
                    self._held.pop(next(iter(self._held)))
                file, group = self._groups[place]
                with open_parquet(file) as opened:
                    read = opened.read_row_group(group, columns=[self.image])
                self._held[place] = read.column(self.image)
            column = self._held[place]
        return column[row - self._starts[place]].as_py()

    def _read(self, column: str) -> Any:
        tables = []
        for file in self._files:
            with open_parquet(file) as opened:
                tables.append(opened.read(columns=[column]))
        return pa.concat_tables(tables)


def _has_path(kind: Any) -> bool:
    return pa.types.is_struct(kind) and any(kind.field(i).name == "path" for i in range(kind.num_fields))

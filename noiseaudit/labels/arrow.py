"""Hugging Face data sets on disk: what `datasets.save_to_disk` writes, and Parquet files with a column of images.

Read with pyarrow alone. Integers of a ClassLabel become its names.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from noiseaudit.errors import DataError
from noiseaudit.labels.columns import USUAL_NAMES, find_usual
from noiseaudit.labels.features import Names, class_names, data_files, parquet_class_names, read_object
from noiseaudit.labels.parquet import check_names, check_scalar, nested_columns
from noiseaudit.labels.stored import Stored, TableCell
from noiseaudit.parquet import open_parquet, readable_parquet

GROUPS_HELD = 3  # row groups of images in memory: threads are at most so far apart
STATE, INFO, SPLITS = "state.json", "dataset_info.json", "dataset_dict.json"


class ImagesReader:
    """The columns of a data set; of images their paths, or `row 7`; and where the images lie."""

    def __init__(self, path: Path, image: str | None = None) -> None:
        """`image` is the column of images, if it is named. Raises DataError if the data set is not readable."""
        self._path = path
        self._cells: ArrowCells | ParquetCells
        self._cells = ArrowCells(path) if (path / STATE).is_file() else ParquetCells(parquet_files(path))
        schema = self._cells.schema
        found = image_column(schema, image)
        if found is None:
            raise DataError(
                "no column of images (bytes, or a struct with bytes)",
                file=path,
                column=image,
                fix="Name it with --image-column.",
            )
        self.image = self._cells.image = found
        self.names: list[str] = schema.names
        check_names(self.names, path)
        self.nested = nested_columns(schema) - {self.image}
        self.pictures: list[Stored] = [TableCell(self._cells, row) for row in range(self._cells.n_rows)]

    def columns(self, wanted: Sequence[str]) -> Mapping[str, Sequence[object]]:
        """The values of these columns."""
        with readable_parquet(self._path):  # text is decoded only here
            return {name: self._column(name) for name in wanted}

    def _column(self, name: str) -> list[Any]:
        if name == self.image:
            return [path or f"row {row}" for row, path in enumerate(self._cells.paths())]
        check_scalar(self._cells.schema.field(name), self._path)
        values: list[Any] = self._cells.column(name).to_pylist()
        names = self._cells.class_names(name)
        return (
            values
            if names is None
            else [self._named(code, names, name, row) for row, code in enumerate(values)]
        )

    def _named(self, code: Any, names: list[str], column: str, row: int) -> str | None:
        if code is None or code == -1:  # how data sets mark that a label is held back
            return None
        if isinstance(code, int) and 0 <= code < len(names):
            return names[code]
        problem = f"label {code!r} is none of the {len(names)} classes of the data set"
        raise DataError(problem, file=self._path, row=row, column=column, fix="Mend it, or its class names.")


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


def is_images(path: Path, image: str | None = None) -> bool:
    """Whether `path` is a data set on disk, or a Parquet file with images, in the column `image` if it is named.

    Raises DataError for several splits.
    """
    if (path / SPLITS).is_file():
        splits = read_object(path / SPLITS).get("splits")
        names = splits if isinstance(splits, list) else []
        shown = " or ".join(str(path / str(split)) for split in names) or "its folder"
        raise DataError("holds several splits", file=path, fix=f"Give one: {shown}.")
    if path.is_dir():
        return (path / STATE).is_file() and (path / INFO).is_file()
    if path.suffix.lower() != ".parquet" or not path.is_file():
        return False
    try:
        return image_column(pq.read_schema(path), image) is not None
    except (pa.ArrowException, OSError, UnicodeDecodeError):  # its own reader says what is wrong
        return False


def parquet_files(path: Path) -> list[Path]:
    """The file, or those of a folder by name. Raises DataError if there is none."""
    found = [
        file for file in path.glob("*.parquet") if file.name[0] != "."
    ]  # macOS puts `._x.parquet` beside a copy
    files = sorted(found) if path.is_dir() else [path]
    if not files:
        raise DataError(
            f"neither what `save_to_disk` writes ({STATE}) nor Parquet files",
            file=path,
            fix="Give the folder of one split.",
        )
    return files


def image_column(schema: Any, named: str | None = None) -> str | None:
    """The column of images: the one that is `named`, by its usual name, or the only struct with bytes; else None.

    A column of text of such a name goes before, and one of plain bytes must be called image or img, or be named.
    """
    structs = [field.name for field in schema if _is_struct_of_bytes(field.type)]
    plain = [field.name for field in schema if _is_plain_bytes(field.type)]
    name = named or find_usual((*USUAL_NAMES["image"], "img"), schema.names)
    if name is None:
        return structs[0] if len(structs) == 1 else None
    if name in structs or (name in plain and (named or name.lower() in ("image", "img"))):
        return name
    return None


def _is_struct_of_bytes(kind: Any) -> bool:
    return pa.types.is_struct(kind) and any(kind.field(i).name == "bytes" for i in range(kind.num_fields))


def _is_plain_bytes(kind: Any) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _has_path(kind: Any) -> bool:
    return pa.types.is_struct(kind) and any(kind.field(i).name == "path" for i in range(kind.num_fields))

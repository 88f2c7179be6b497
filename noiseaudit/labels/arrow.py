"""Hugging Face data sets on disk: what `datasets.save_to_disk` writes, and Parquet files with a column of images.

Read with pyarrow alone. Integers of a ClassLabel become its names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from noiseaudit.errors import DataError
from noiseaudit.labels.arrow_cells import INFO, STATE, ArrowCells, ParquetCells, TableCells
from noiseaudit.labels.columns import USUAL_NAMES, find_usual
from noiseaudit.labels.features import read_object
from noiseaudit.labels.parquet import check_names, check_scalar, nested_columns
from noiseaudit.labels.stored import Stored, TableCell
from noiseaudit.parquet import readable_parquet

SPLITS = "dataset_dict.json"


class ImagesReader:
    """The columns of a data set; of images their paths, or `row 7`; and where the images lie."""

    def __init__(self, path: Path, image: str | None = None) -> None:
        """`image` is the column of images, if it is named. Raises DataError if the data set is not readable."""
        self._path = path
        self._cells: TableCells = (
            ArrowCells(path) if (path / STATE).is_file() else ParquetCells(parquet_files(path))
        )
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

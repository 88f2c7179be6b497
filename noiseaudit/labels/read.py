"""read_labels: any label file, or an ImageFolder tree, to a LabelTable."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from noiseaudit.errors import ConfigError, DataError
from noiseaudit.labels.columns import FIND_ALL, ColumnNames, required_roles, resolve_columns
from noiseaudit.labels.containers import container_format, local, open_container
from noiseaudit.labels.delimited import DelimitedReader
from noiseaudit.labels.folder import read_folder
from noiseaudit.labels.jsonl import JsonlReader
from noiseaudit.labels.parquet import ParquetReader
from noiseaudit.labels.roles import Reader, Texts, check_text, label_table, read_rows, role_texts, without
from noiseaudit.labels.stored import Stored
from noiseaudit.labels.table import CONTAINERS, FORMATS, LabelTable, Source

_ANOTHER_FILE = "Give the file that was scanned."


def read_labels(
    path: Path | str,
    *,
    columns: ColumnNames = FIND_ALL,
    missing_label: str | None = None,
    encoding: str = "utf-8",
    images_required: bool = True,
    classes: Sequence[str] | None = None,
) -> LabelTable:
    """Read a CSV, TSV, JSONL or Parquet file, a folder with one sub-folder per class, or a data set with images in it.

    The last are tar shards, what `datasets.save_to_disk` writes, and Parquet files with a column of images.

    CSV and TSV are text: only an empty cell or `missing_label` is unlabelled, `NA` and `01` are class names.
    In JSONL and Parquet null and NaN are unlabelled too. With `images_required=False` (embeddings take the
    images' place) there may be no image column; without an id column too, row numbers are the sample ids.

    A column that nobody named and nobody needs, but that was found by its usual name, is left out with a
    warning if it is not usable: lists, mappings, repeated ids.

    `classes` are those of a finished model, in its order, which the table then has: labels must be among them, and
    may be few or none.

    Raises DataError, naming the place, if the file is absent, empty, malformed, not in this encoding, lacks a
    column, repeats an id in a named column, or does not hold one label a row of at least two classes;
    ConfigError if an option makes no sense.
    """
    path = Path(path)
    container = _container(path, columns.image) if images_required else None
    if container:
        return _read_container(*container, columns, missing_label)
    if path.is_dir():
        return _read_tree(path, columns, missing_label, classes)
    kind = file_format(path)
    reader = _open(path, kind, encoding, columns)
    found = resolve_columns(reader.names, columns, file=path, images_required=images_required)
    source = Source(path, kind, str(found.label), encoding, missing_label)
    required = required_roles(columns, images_required=images_required)
    return read_rows(reader, found, source, required, classes)


def read_again(source: Source) -> dict[str, Texts]:
    """The label, image and id columns of `source` by role, as `read_labels` reads them.

    Roles whose column `source` does not know are left out. For checks before a file is edited.
    """
    if source.format == "folder":
        images, labels, _ = _tree(source.path)
        return {"image": images, "label": without(labels, source.missing_label)}
    reader = open_source(source)
    names = source.columns.named()
    for name in names.values():
        if name not in reader.names:
            raise DataError("no such column", file=source.path, column=name, fix=_ANOTHER_FILE)
    cells = reader.columns(list(names.values()))
    return {role: role_texts(role, cells[name], name, source) for role, name in names.items()}


def open_source(source: Source) -> Reader:
    """The names and columns of the label file that `source` is; it must not be a folder."""
    return _open(source.path, source.format, source.encoding, source.columns)


def file_format(path: Path) -> str:
    """The format that a file's suffix says. Raises DataError if it is none of ours."""
    kind = FORMATS.get(path.suffix.lower())
    if kind is None:
        raise DataError(
            f"unknown kind of label file {path.suffix!r}",
            file=path,
            fix=f"Give a folder or a file that ends in {', '.join(FORMATS)}.",
        )
    return kind


def stored_images(source: Source) -> Sequence[Stored] | None:
    """The images of a source that holds them, (n,); None for another. Raises DataError if it is not readable."""
    if source.format not in CONTAINERS:
        return None
    return open_container(source.path, source.format, source.columns).pictures


def _container(path: Path, image: str | None) -> tuple[Path, str] | None:
    """Where it is and what, if `path` is a data set that holds its images."""
    place = local(path)
    kind = container_format(place, image, is_hub=place != path)
    return (place, kind) if kind else None


def _read_container(path: Path, kind: str, columns: ColumnNames, missing_label: str | None) -> LabelTable:
    reader = open_container(path, kind, columns)
    if kind == "images" and columns.image is None:
        columns = dataclasses.replace(columns, image=reader.image)
    found = resolve_columns(reader.names, columns, file=path)
    source = Source(path, kind, str(found.label), missing_label=missing_label)
    table = read_rows(reader, found, source, required_roles(columns, images_required=True))
    return dataclasses.replace(table, pictures=reader.pictures)


def _open(path: Path, kind: str, encoding: str, columns: ColumnNames) -> Reader:
    if kind in CONTAINERS:
        return open_container(path, kind, columns)
    if not path.is_file():
        raise DataError("no such label file", file=path, fix="Check the path.")
    if kind == "parquet":
        return ParquetReader(path)
    if kind == "jsonl":
        return JsonlReader(path, encoding)
    return DelimitedReader(path, encoding, kind, columns.named().values())


def _read_tree(
    root: Path, columns: ColumnNames, missing_label: str | None, classes: Sequence[str] | None
) -> LabelTable:
    if columns.named():
        raise ConfigError(
            "an image folder has no columns", file=root, fix="Leave out the --...-column options."
        )
    images, labels, warnings = _tree(root)
    source = Source(root, "folder", "label", missing_label=missing_label, image_column="image")
    texts = {"image": images, "label": without(labels, missing_label)}
    for role, cells in texts.items():
        check_text(cells, role, root)
    return label_table(source, "string", texts, warnings, classes)


def _tree(root: Path) -> tuple[Texts, Texts, list[str]]:
    images, labels, warnings = read_folder(root)
    return [*images], labels, warnings

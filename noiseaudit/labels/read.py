"""read_labels: any label file, or an ImageFolder tree, to a LabelTable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from noiseaudit.errors import ConfigError, DataError
from noiseaudit.labels.checks import check_labels
from noiseaudit.labels.columns import FIND_ALL, ColumnNames, resolve_columns
from noiseaudit.labels.delimited import DELIMITERS, DelimitedReader
from noiseaudit.labels.folder import read_folder
from noiseaudit.labels.ids import sample_ids
from noiseaudit.labels.jsonl import JsonlReader
from noiseaudit.labels.parquet import ParquetReader
from noiseaudit.labels.table import LabelTable, Source, Strings
from noiseaudit.labels.values import label_texts, plain_texts

FORMATS = {".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
Texts = list[str | None]


class Reader(Protocol):
    names: list[str]

    def columns(self, wanted: Sequence[str]) -> Mapping[str, Sequence[object]]: ...


def read_labels(
    path: Path,
    *,
    columns: ColumnNames = FIND_ALL,
    missing_label: str | None = None,
    encoding: str = "utf-8",
    images_required: bool = True,
) -> LabelTable:
    """Read a CSV, TSV, JSONL or Parquet file, or a folder with one sub-folder per class.

    CSV and TSV are text: only an empty cell or `missing_label` is unlabelled, `NA` and `01` are class names.
    In JSONL and Parquet null and NaN are unlabelled too. With `images_required=False` (embeddings take the
    images' place) there may be no image column; without an id column too, row numbers are the sample ids.

    Raises DataError, naming the place, if the file is absent, empty, malformed, not in this encoding, lacks a
    column, repeats an id, or does not hold one label a row of at least two classes; ConfigError if an option
    makes no sense.
    """
    if path.is_dir():
        return _read_tree(path, columns, missing_label)
    kind = file_format(path)
    reader = _open(path, kind, encoding)
    found = resolve_columns(reader.names, columns, file=path, images_required=images_required)
    source = Source(path, kind, str(found.label), encoding, missing_label)
    return read_rows(reader, found, source)


def read_rows(reader: Reader, found: ColumnNames, source: Source) -> LabelTable:
    """The rows of `reader` by the columns `found`. Raises DataError as `read_labels` does."""
    path, missing_label = source.path, source.missing_label
    cells = reader.columns(list(found.named().values()))
    labels, class_type = _labels(cells[source.label_column], source)
    texts = {
        role: plain_texts(cells[name], file=path, column=name)
        for role, name in found.named().items()
        if role not in ("label", "true_label")
    }
    if found.true_label is not None:
        truth, _ = label_texts(cells[found.true_label], file=path, column=found.true_label)
        texts["true_label"] = _without(truth, missing_label)
    return _table(source, labels, class_type, texts, id_column=found.id, warnings=[])


def read_given_labels(source: Source) -> Texts:
    """The label column alone, as `read_labels` reads it; for checks before a file is edited."""
    if source.format == "folder":
        return _without(_tree(source.path)[1], source.missing_label)
    reader = _open(source.path, source.format, source.encoding)
    named = ColumnNames(label=source.label_column)
    resolve_columns(reader.names, named, file=source.path, images_required=False)
    return _labels(reader.columns([source.label_column])[source.label_column], source)[0]


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


def _open(path: Path, kind: str, encoding: str) -> Reader:
    if not path.is_file():
        raise DataError("no such label file", file=path, fix="Check the path.")
    if kind == "parquet":
        return ParquetReader(path)
    if kind == "jsonl":
        return JsonlReader(path, encoding)
    return DelimitedReader(path, encoding, DELIMITERS[kind])


def _labels(cells: Sequence[object], source: Source) -> tuple[Texts, str]:
    texts, class_type = label_texts(cells, file=source.path, column=source.label_column)
    return _without(texts, source.missing_label), class_type


def _without(texts: Texts, missing_label: str | None) -> Texts:
    return [None if text == missing_label else text for text in texts]


def _read_tree(root: Path, columns: ColumnNames, missing_label: str | None) -> LabelTable:
    if columns.named():
        raise ConfigError(
            "an image folder has no columns", file=root, fix="Leave out the --...-column options."
        )
    images, labels, warnings = _tree(root)
    source = Source(root, "folder", "label", missing_label=missing_label)
    labels = _without(labels, missing_label)
    return _table(source, labels, "string", {"image": images}, id_column=None, warnings=warnings)


def _tree(root: Path) -> tuple[Texts, Texts, list[str]]:
    images, labels, warnings = read_folder(root)
    if not images:
        raise DataError(
            "no images in this folder",
            file=root,
            fix="Give a label file, or a folder with one folder per class.",
        )
    return [*images], labels, warnings


def _table(
    source: Source,
    labels: Texts,
    class_type: str,
    texts: Mapping[str, Texts],
    *,
    id_column: str | None,
    warnings: Sequence[str],
) -> LabelTable:
    warnings = [*warnings, *check_labels(labels, file=source.path, column=source.label_column)]
    for role, cells in {"label": labels, **texts}.items():
        _check_text(cells, role, source.path)
    ids = sample_ids(
        texts.get("id"), texts.get("image"), len(labels), file=source.path, id_column=id_column or ""
    )
    others = {role: _strings(cells) for role, cells in texts.items() if role not in ("id", "image")}
    return LabelTable(
        source=source,
        sample_id=_strings(ids),
        image=_strings(texts["image"]) if "image" in texts else None,
        given_label=_strings(labels),
        class_type=class_type,
        warnings=tuple(warnings),
        **others,
    )


def _check_text(cells: Texts, role: str, file: Path) -> None:
    """Half of a surrogate pair (a broken file name or escape) cannot be stored anywhere."""
    try:
        "".join(cell for cell in cells if cell).encode("utf-8")
    except UnicodeEncodeError as error:
        bad = error.object[max(0, error.start - 20) : error.start + 1]
        raise DataError(f"{role} near {bad!r} is not valid text", file=file, fix="Rename it.") from error


def _strings(cells: Sequence[Any]) -> Strings:
    array = np.empty(len(cells), dtype=np.object_)
    array[:] = cells
    return array

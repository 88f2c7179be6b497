"""From a reader's columns, by their roles, to a LabelTable: texts are checked, and what is not usable is left out."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from noiseaudit.errors import DataError
from noiseaudit.labels.checks import check_labels, check_true_labels
from noiseaudit.labels.columns import ColumnNames
from noiseaudit.labels.ids import check_ids, sample_ids
from noiseaudit.labels.table import LabelTable, Source, Strings
from noiseaudit.labels.values import label_texts, plain_texts

Texts = list[str | None]


class Reader(Protocol):
    """The columns of a label file, by name."""

    names: list[str]
    nested: frozenset[str]  # columns whose type says that their cells are no single values

    def columns(self, wanted: Sequence[str]) -> Mapping[str, Sequence[object]]: ...


def read_rows(
    reader: Reader,
    found: ColumnNames,
    source: Source,
    required: AbstractSet[str],
    classes: Sequence[str] | None = None,
) -> LabelTable:
    """The rows of `reader` by the columns `found`; those of `required` roles must be usable.

    Raises DataError as `read_labels` does.
    """
    names = found.named()
    skipped = [role for role, name in names.items() if name in reader.nested and role not in required]
    warnings = [f"column {names.pop(role)!r} holds lists, mappings or bytes: left out" for role in skipped]
    cells = reader.columns(list(names.values()))
    labels, class_type = label_texts(cells[source.label_column], file=source.path, column=source.label_column)
    texts = {"label": without(labels, source.missing_label)}
    check_text(labels, "label", source.path, source.label_column)
    for role, name in names.items():
        if role == "label":
            continue
        # Warnings travel with the report, so they name no folder of this machine.
        shown = source if role in required else dataclasses.replace(source, path=Path(source.path.name))
        try:
            read = role_texts(role, cells[name], name, shown)
            if role == "true_label":
                known = classes or [*filter(None, dict.fromkeys(texts["label"]))]
                check_true_labels(read, known, file=shown.path, column=name)
            texts[role] = read
        except DataError as error:
            if role in required:
                raise
            warnings.append(f"column {name!r} is left out: {error}")
    used = {role: names[role] for role in texts}
    source = dataclasses.replace(source, image_column=used.get("image"), id_column=used.get("id"))
    return label_table(source, class_type, texts, warnings, classes)


def role_texts(role: str, cells: Sequence[object], name: str, source: Source) -> Texts:
    """The cells (n,) of column `name` as texts, None where empty. Raises DataError for what cannot have this role."""
    if role in ("label", "true_label"):
        texts = without(label_texts(cells, file=source.path, column=name)[0], source.missing_label)
    else:
        texts = plain_texts(cells, file=source.path, column=name)
    check_text(texts, role, source.path, name)
    if role == "id":
        check_ids(texts, file=source.path, column=name)
    return texts


def without(texts: Texts, missing_label: str | None) -> Texts:
    """Texts with None where `missing_label` stands."""
    return [None if text == missing_label else text for text in texts]


def label_table(
    source: Source,
    class_type: str,
    texts: Mapping[str, Texts],
    warnings: Sequence[str],
    classes: Sequence[str] | None,
) -> LabelTable:
    """The table of n rows from `texts` by role, (n,) each; `classes` as for `read_labels`.

    Raises DataError unless labels and ids are usable.
    """
    labels = texts["label"]
    found = check_labels(labels, file=source.path, column=source.label_column, classes=classes)
    warnings = [*warnings, *found]
    ids = texts["id"] if "id" in texts else sample_ids(texts.get("image"), len(labels))
    others = {role: _strings(cells) for role, cells in texts.items() if role not in ("id", "image", "label")}
    return LabelTable(
        source=source,
        sample_id=_strings(ids),
        image=_strings(texts["image"]) if "image" in texts else None,
        given_label=_strings(labels),
        class_type=class_type,
        warnings=tuple(warnings),
        trusted=None,  # noiseaudit.trusted marks them
        known_classes=None if classes is None else tuple(classes),
        pictures=None,
        **others,
    )


def check_text(cells: Texts, role: str, file: Path, column: str | None = None) -> None:
    """Raise DataError for half of a surrogate pair (a broken file name or escape): nothing can store it."""
    try:
        "".join(cell for cell in cells if cell).encode("utf-8")
    except UnicodeEncodeError as error:
        bad = error.object[max(0, error.start - 20) : error.start + 1]
        raise DataError(
            f"{role} near {bad!r} is not valid text", file=file, column=column, fix="Rename it."
        ) from error


def _strings(cells: Sequence[Any]) -> Strings:
    array = np.empty(len(cells), dtype=np.object_)
    array[:] = cells
    return array

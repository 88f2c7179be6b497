"""LabelTable: the rows of a label file, as the engine sees them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from noiseaudit.classes import canonical_order
from noiseaudit.labels.columns import ColumnNames
from noiseaudit.labels.stored import Stored

FORMATS = {".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
CONTAINERS = ("tar", "images")  # images in archives, or in columns of Arrow and Parquet: never edited
WITHOUT_FILE = ("folder", *CONTAINERS)  # formats that are written back as CSV
Strings = npt.NDArray[np.object_]  # str, or None where the cell is empty


@dataclass(frozen=True)
class Source:
    """Where the rows came from, and what is needed to write them back in the same form."""

    path: Path  # the label file, or the root of an ImageFolder tree
    format: str  # "csv", "tsv", "jsonl", "parquet", "folder", or one of CONTAINERS
    label_column: str
    encoding: str = "utf-8"
    missing_label: str | None = None
    image_column: str | None = None  # None: not read, or there is none
    id_column: str | None = None  # None: not read, or the sample ids come from the image paths

    @property
    def columns(self) -> ColumnNames:
        """The columns that were read, as far as they are kept here."""
        return ColumnNames(image=self.image_column, label=self.label_column, id=self.id_column)


@dataclass(frozen=True)
class LabelTable:
    """n rows in file order. All arrays are (n,)."""

    source: Source | None  # None: made in memory
    sample_id: Strings  # unique: the id column, else the image path with #2, #3 on repeats
    image: Strings | None  # None: embeddings take the images' place
    given_label: Strings  # None = unlabelled
    class_type: str = "string"  # "string", "integer" or "boolean": the labels' type in the file
    true_label: Strings | None = None
    split: Strings | None = None
    annotator: Strings | None = None
    batch: Strings | None = None
    trusted: npt.NDArray[np.bool_] | None = (
        None  # labels known to be right; None: nobody said (noiseaudit.trusted)
    )
    warnings: tuple[str, ...] = ()
    known_classes: tuple[str, ...] | None = None  # of a finished model; None: those of the labels
    pictures: Sequence[Stored] | None = (
        None  # (n,) the images themselves, where they are no files of their own
    )

    def __len__(self) -> int:
        return len(self.sample_id)

    def column(self, name: str) -> Strings:
        """One of the columns of text, None where there is no value: (n,)."""
        found: Strings | None = getattr(self, name)
        return np.full(len(self), None, dtype=np.object_) if found is None else found

    @cached_property
    def is_labelled(self) -> npt.NDArray[np.bool_]:
        """Which rows have a given label, (n,)."""
        return np.array([label is not None for label in self.given_label], dtype=np.bool_)

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """Names of the C classes, in canonical order or in the order of a finished model."""
        if self.known_classes is not None:
            return self.known_classes
        return tuple(canonical_order(label for label in self.given_label if label is not None))

    @cached_property
    def codes(self) -> npt.NDArray[np.int64]:
        """Index of each given label in `classes`, -1 where unlabelled."""
        index: dict[Any, int] = {name: i for i, name in enumerate(self.classes)} | {None: -1}
        return np.array([index[label] for label in self.given_label], dtype=np.int64)

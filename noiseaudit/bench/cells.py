"""A cell: one run of a grid, and the key under which its result is kept."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

DIGEST_LENGTH = 12


@dataclass(frozen=True)
class Cell:
    """One run: a method on a data set at a rate of corrupted labels, from one seed."""

    table: str
    dataset: str
    method: str  # a key of METHODS
    variant: str  # of the method, or of the setting where the paper leaves it open; see grids.py
    labels: int | None  # labelled rows at full scale; None: every row, or every row that has a label
    noise: str  # one of noise.KINDS
    rate: float  # of corrupted labels
    seed: int
    scale: str  # a key of SCALES
    epochs: int
    changes: str = ""  # of the method's own settings, as in "alpha=20 jitter=1"


RECORDED = ("settings", "backbone", "source", "data", "batch", "rows", "labelled", "test_rows", "classes")


def identity(line: Mapping[str, Any], *, with_score: bool) -> str:
    """What a line's result depends on beside its cell, as a hash; the score counts where suspects are looked at.

    Lines that differ in it are different systems, not seeds of one.
    """
    what = {name: line[name] for name in RECORDED} | {"precision": line["hardware"]["precision"]}
    return digest(what | ({"score": line.get("score")} if with_score else {}))


def cell_of(line: Mapping[str, Any]) -> Cell:
    """The cell whose result `line` is."""
    return Cell(**{field.name: line[field.name] for field in dataclasses.fields(Cell)})


def key_of(cell: Cell, setting: Mapping[str, Any]) -> str:
    """The same for the same cell and setting (whatever else the result depends on), on every machine."""
    return digest({"cell": dataclasses.asdict(cell), "setting": setting})


def digest(value: object) -> str:
    """A short hash of a value that JSON can hold."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:DIGEST_LENGTH]

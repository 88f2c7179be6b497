"""Rows of an audit by a score, highest first: the score is read of all rows, other columns are held of a few."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from noiseaudit.arrays import class_codes, numbers
from noiseaudit.errors import ConfigError
from noiseaudit.parquet import to_numpy
from noiseaudit.result import Audited, Rows, no_rows

PIECE = 65_536  # rows of a table that is handed on
Floats = npt.NDArray[Any]  # float32 or float64, as the score is stored


def highest(
    audit: Audited, by: str, top: int | None, only: Mapping[str, Sequence[str]]
) -> tuple[Rows, Floats, int]:
    """The first `top` (None: all) of the rows that have the score `by`, highest first, ties by row; their scores; and
    how many rows of the audit have it. With `only` (column -> texts), rows with one of these texts alone are listed.
    """
    scores: list[Floats] = []
    rows: list[Rows] = []
    n_scored = 0
    for first, table in audit.tables([by, *only]):
        score = to_numpy(table.column(by))
        use = ~np.isnan(score)
        n_scored += int(use.sum())
        for name, texts in only.items():
            use &= class_codes(table.column(name), texts) >= 0
        own = np.flatnonzero(use)
        own = own[first_ones(score[own], top)]
        scores.append(score[own])
        rows.append(own + first)
    if not rows:
        return np.empty(0, np.int64), np.empty(0), 0
    every, score = np.concatenate(rows), np.concatenate(scores)
    places = first_ones(score, top)
    return np.asarray(every[places]), np.asarray(score[places]), n_scored


def first_ones(score: Floats, top: int | None) -> Rows:
    """The places of the `top` highest scores, highest first, ties in the order given."""
    if top is None or top >= len(score):
        return np.argsort(-score, kind="stable")
    bound = np.partition(score, -top)[-top] if top else np.inf
    candidates = np.flatnonzero(score >= bound)
    return np.asarray(candidates[np.argsort(-score[candidates], kind="stable")[:top]])


def gathered(audit: Audited, columns: Sequence[str], rows: Rows) -> pa.Table:
    """The columns of these rows, rising numbers."""
    tables = [table for _, table in audit.tables(columns, rows)] if columns else []
    if not tables:
        return no_rows(columns)
    return pa.concat_tables(tables).unify_dictionaries()


def pieces_of(
    found: pa.Table, order: Rows, known: Mapping[str, npt.NDArray[Any]], columns: Sequence[str]
) -> Iterator[pa.Table]:
    """`columns` of the rows in `order`, in tables of up to PIECE rows.

    From `known`, in that order, or else from `found`, which has the same rows by number.
    """
    rows = np.sort(order)
    for start in range(0, len(order), PIECE):
        piece = slice(start, start + PIECE)
        table = found.take(numbers(np.searchsorted(rows, order[piece])))
        cells = [numbers(known[name][piece]) if name in known else table.column(name) for name in columns]
        yield pa.Table.from_arrays(cells, names=list(columns))


def check_classes(names: Sequence[str], classes: Sequence[str], option: str) -> None:
    """Raise ConfigError for the first of the names, given by this option, that no class has."""
    name = next((name for name in names if name not in classes), None)
    if name is None:
        return
    near = difflib.get_close_matches(name, classes, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"Its classes are {', '.join(map(repr, classes[:10]))}."
    raise ConfigError(f"the audit has no class {name!r} ({option})", fix=hint)

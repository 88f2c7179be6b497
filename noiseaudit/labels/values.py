"""Typed cells (JSON, Parquet) to text and back."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from noiseaudit.errors import DataError

Scalar = str | int | float | bool

# Flags as people write them, in small letters.
BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_CLASS_TYPES: dict[frozenset[type], str] = {
    frozenset(): "string",
    frozenset({str}): "string",
    frozenset({bool}): "boolean",
    frozenset({int}): "integer",
    frozenset({float}): "integer",
    frozenset({int, float}): "integer",
}
_PARSERS: dict[type, Callable[[str], Scalar]] = {
    str: str,
    int: int,
    float: float,
    bool: {"true": True, "false": False}.__getitem__,
}
_SHOWN_CHARACTERS = 60
_ONE_LABEL = "Give one class a row: text, an integer or true/false."


def label_texts(values: Sequence[object], *, file: Path, column: str) -> tuple[list[str | None], str]:
    """Label cells as text (None where null, empty or NaN), and their type: "string", "integer" or "boolean".

    Raises DataError on lists, mappings, mixed types, and numbers that are not whole.
    """
    for kind in _kinds(values) - {str, bool, int, float, type(None)}:
        row = next(row for row, value in enumerate(values) if type(value) is kind)
        raise _odd_label(values[row], row, file, column)
    texts = []
    for row, value in enumerate(values):
        if isinstance(value, float) and not math.isnan(value) and not value.is_integer():
            raise DataError(
                f"label {value!r} is not a whole number", file=file, row=row, column=column, fix=_ONE_LABEL
            )
        texts.append(cell_to_text(value))
    kinds = _kinds(value for value, text in zip(values, texts, strict=True) if text is not None)
    if frozenset(kinds) not in _CLASS_TYPES:
        raise DataError(
            f"labels of several types ({', '.join(sorted(kind.__name__ for kind in kinds))})",
            file=file,
            column=column,
            fix="Write all labels as text, or all as integers.",
        )
    return texts, _CLASS_TYPES[frozenset(kinds)]


def plain_texts(values: Sequence[object], *, file: Path, column: str) -> list[str | None]:
    """Cells of any other column as text, None where null or empty. Raises DataError on lists and mappings."""
    for kind in _kinds(values) & {list, dict, bytes}:
        row = next(row for row, value in enumerate(values) if type(value) is kind)
        raise DataError(
            f"holds {_described(values[row])}, where text is needed",
            file=file,
            row=row,
            column=column,
            fix="Images must be files: write them out and give their paths in this column.",
        )
    return [cell_to_text(value) for value in values]


def cell_to_text(value: object) -> str | None:
    """One scalar as text: `true` / `false`, whole numbers without a point, None where null, NaN or empty."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value)


def typed_label(label: str, kind: type) -> Scalar:
    """A label's text as the value of `kind` (str, bool, int or float) that reads back as this text.

    Raises DataError if there is no such value.
    """
    try:
        value = _PARSERS[kind](label)
    except (ValueError, KeyError) as error:
        raise DataError(f"label {label!r} does not fit a column of type {kind.__name__}") from error
    if cell_to_text(value) != label:
        raise DataError(f"label {label!r} does not fit a column of type {kind.__name__}")
    return value


def _kinds(values: Iterable[object]) -> set[type]:
    return set(map(type, values))


def _odd_label(value: object, row: int, file: Path, column: str) -> DataError:
    problem = f"label is {_described(value)}; multi-label and soft labels are not supported"
    if not isinstance(value, list | dict):
        problem = f"label is {_described(value)}"
    return DataError(problem, file=file, row=row, column=column, fix=_ONE_LABEL)


def _described(value: object) -> str:
    names: dict[type, str] = {list: "a list", dict: "a mapping", bytes: "raw bytes"}
    shown = "" if isinstance(value, bytes) else f" ({str(value)[:_SHOWN_CHARACTERS]})"
    return names.get(type(value), f"of type {type(value).__name__}") + shown

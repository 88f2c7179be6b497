"""What the labels of a file must be: one class a row, at least two classes."""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections.abc import Sequence
from pathlib import Path

from noiseaudit.errors import DataError

_MISSING_LOOKALIKES = frozenset({"na", "none", "nan", "null"})
_SEPARATORS = ("|", ";", ",")
_SHOWN_PAIRS = 5
_LEVELS = ("/", ">")
_NUMBERS = re.compile(r"\[[\s\d.,eE+-]+\]")  # how NumPy prints an array
_ONE_LABEL = "Only one label a row is supported: keep one, or make the combination a class name of its own."


def check_labels(labels: Sequence[str | None], *, file: Path, column: str) -> list[str]:
    """Warnings about class names that look like missing values, or that look alike.

    Raises DataError if there is no row, no label or only one class, or if labels are lists, combinations or
    levels of other labels.
    """
    if not labels:
        raise DataError("there are no rows", file=file, fix="Give one row per image.")
    names = dict.fromkeys(label for label in labels if label is not None)
    if not names:
        raise DataError("every row is unlabelled", file=file, column=column, fix="Label some rows first.")
    for odd, why in _not_one_label(list(names)):
        raise DataError(
            f"label {odd!r} {why}", file=file, row=labels.index(odd), column=column, fix=_ONE_LABEL
        )
    if len(names) == 1:
        raise DataError(
            f"all labels are {next(iter(names))!r}; at least two classes are needed", file=file, column=column
        )
    missing = [
        f"{name!r} is taken as a class name; if it means unlabelled, give --missing-label {name}"
        for name in names
        if name.lower() in _MISSING_LOOKALIKES
    ]
    return [*missing, *_look_alike(list(names))]


def _look_alike(names: Sequence[str]) -> list[str]:
    """A warning if names differ only by case or white space."""
    first: dict[str, str] = {}
    pairs = []
    for name in names:
        plain = "".join(name.split()).casefold()
        if (other := first.setdefault(plain, name)) != name:
            pairs.append(f"{other!r} and {name!r}")
    if not pairs:
        return []
    shown = ", ".join(pairs[:_SHOWN_PAIRS])
    more = f" and {len(pairs) - _SHOWN_PAIRS} more" if len(pairs) > _SHOWN_PAIRS else ""
    return [f"class names that differ only by case or white space count as different classes: {shown}{more}"]


def _not_one_label(names: Sequence[str]) -> list[tuple[str, str]]:
    lists = [(name, "is a list or mapping (multi-label or soft labels)") for name in names if _is_list(name)]
    return lists or _combinations(names) or _levels(names)


def _is_list(name: str) -> bool:
    if name[0] not in "[{":
        return False
    if _NUMBERS.fullmatch(name):
        return True
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the parser's remarks on text that is not code
        for parse in (json.loads, ast.literal_eval):
            try:
                return isinstance(parse(name), list | dict | set)
            except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
                continue
    return False


def _combinations(names: Sequence[str]) -> list[tuple[str, str]]:
    """Names such as `a|b` whose every part is itself a label of some row; other names with `|` are plain."""
    known = set(names)
    return [
        (name, f"joins labels that other rows have alone, by {separator!r} (multi-label)")
        for name in names
        for separator in _SEPARATORS
        if separator in name and all(part.strip() in known for part in name.split(separator))
    ]


def _levels(names: Sequence[str]) -> list[tuple[str, str]]:
    """Names such as `a/b` beside `a`, if at least half of all names have such a separator.

    A file of leaves only (`a/b`, `a/c`) is fine: its classes exclude one another.
    """
    known = set(names)
    for separator in _LEVELS:
        nested = [name for name in names if separator in name]
        if 2 * len(nested) >= len(names):
            for name in nested:
                parts = name.split(separator)
                parents = [separator.join(parts[:depth]).strip() for depth in range(1, len(parts))]
                for parent in known.intersection(parents):
                    return [(name, f"lies below {parent!r}, which is a label too (hierarchical labels)")]
    return []

"""What the labels of a file must be: one class a row, at least two classes."""

from __future__ import annotations

import ast
import difflib
import json
import re
import shlex
import warnings
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from noiseaudit.errors import DataError

_MISSING_LOOKALIKES = frozenset(
    {"na", "n/a", "none", "nan", "null", "nil", "unknown", "unlabelled", "unlabeled", "-", "?"}
)
_SEPARATORS = ("|", ";", ",")
_SHOWN_PAIRS = 5
_SHOWN_CLASSES = 10
_LEVELS = ("/", ">")
_NUMBERS = re.compile(r"\[(?=\D*\d)[\s\d.,eE+-]+\]")  # how NumPy prints an array
_ONE_LABEL = "Only one label a row is supported: keep one, or make the combination a class name of its own."


def check_labels(
    labels: Sequence[str | None], *, file: Path, column: str, classes: Sequence[str] | None = None
) -> list[str]:
    """Warnings about class names that look like missing values, or that look alike.

    `classes` are those of a finished model: labels must be among them, and may be few or none.

    Raises DataError if there is no row, no label or only one class, or if labels are lists, combinations or
    levels of other labels.
    """
    if not labels:
        raise DataError("there are no rows", file=file, fix="Give one row per image.")
    names = dict.fromkeys(label for label in labels if label is not None)
    if classes is not None:
        _check_known(labels, classes, file, column)
        return []
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
        f"{name!r} is taken as a class name, of {labels.count(name):,} rows; if it means unlabelled, give "
        f"--missing-label {shlex.quote(name)}"
        for name in names
        if name.strip().lower() in _MISSING_LOOKALIKES
    ]
    return [*missing, *_look_alike(list(names)), *_perhaps_several(list(names))]


def _check_known(labels: Sequence[str | None], classes: Sequence[str], file: Path, column: str) -> None:
    known = {*classes, None}
    row = next((row for row, label in enumerate(labels) if label not in known), None)
    if row is not None:
        label = str(labels[row])
        near = difflib.get_close_matches(label, classes, n=1)
        hint = f"Did you mean {near[0]!r}? " if near else ""
        raise DataError(
            f"label {label!r} is none of the model's {len(classes)} classes",
            file=file,
            row=row,
            column=column,
            fix=f"{hint}Scan with this class in the data, or let these rows count as unlabelled: --missing-label "
            f"{shlex.quote(label)}",
        )


def check_true_labels(
    true_labels: Sequence[str | None],
    classes: Collection[str],
    *,
    file: Path | None = None,
    line: int | None = None,
    row: int | None = None,
    column: str,
) -> None:
    """Raise DataError if there are true labels and `classes`, and none of the first is one of the second.

    `line` or `row` is where the first true label stands.
    """
    names = [name for name in true_labels if name is not None]
    if not names or not classes or not set(names).isdisjoint(classes):
        return
    near = _spelt_as(names[0], classes)
    listed = ", ".join(map(repr, list(classes)[:_SHOWN_CLASSES]))
    more = f" and {len(classes) - _SHOWN_CLASSES} more" if len(classes) > _SHOWN_CLASSES else ""
    raise DataError(
        f"no true label is a class of the labels (the first is {names[0]!r})",
        file=file,
        line=line,
        row=row,
        column=column,
        fix=f"Write {near!r} in its place." if near else f"The classes are {listed}{more}.",
    )


def _spelt_as(name: str, classes: Iterable[str]) -> str | None:
    """The class that differs from `name` only by case, white space or `.0`, as pandas writes integers with gaps."""

    def plain(text: str) -> str:
        return "".join(text.split()).casefold().removesuffix(".0")

    return next((own for own in classes if plain(own) == plain(name)), None)


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


def _perhaps_several(names: Sequence[str]) -> list[str]:
    """A warning if at least half of the names are joined from parts most of which other names have, too."""
    for separator in _SEPARATORS:
        joined = [
            (name, parts)
            for name in names
            if len(parts := {part.strip() for part in name.split(separator)} - {""}) > 1
        ]
        among = Counter(part for _, parts in joined for part in parts)
        if 2 * len(joined) < len(names) or 2 * sum(n > 1 for n in among.values()) < max(1, len(among)):
            continue
        return [
            f"{len(joined):,} of {len(names):,} class names join parts that others have too, by {separator!r}, such as "
            f"{joined[0][0]!r}: each combination is a class of its own. If they are several labels of one image, keep "
            "one label a row"
        ]
    return []


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

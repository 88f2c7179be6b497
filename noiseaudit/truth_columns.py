"""Which columns of a truth file name the rows, and which say the truth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from noiseaudit.errors import DataError
from noiseaudit.labels.columns import USUAL_NAMES, ColumnNames, find_usual, listed, nearest

KEYS = ("sample_id", "image")  # columns of the audit, in the order of trial
_CLAIM = "is_corrupted"
_KEY_NAMES = {"sample_id": USUAL_NAMES["id"], "image": USUAL_NAMES["image"]}
_SUSPECTS = frozenset({"sample_id", "given_label", "suggested_label", "p_mislabeled"})
_DECISIONS = frozenset({"sample_id", "decision"})
# What an audit doubts or guesses, and so not the truth.
_DOUBTED = frozenset({"given_label", "suggested_label", "p_suggested", "p_given"})
_TRUTH_NAMES = {"true_label": USUAL_NAMES["true_label"], _CLAIM: (_CLAIM,)}


def resolve_truth_columns(names: Sequence[str], scanned: ColumnNames, *, file: Path) -> dict[str, str]:
    """The columns by role (`sample_id`, `image`, `true_label`, `is_corrupted`), those that are there.

    The names of the scanned label file go before the usual names, which are found in any letter case. No
    column gets two roles.

    Raises DataError if nothing names the rows or says the truth, naming all that is missing, or if a column to
    be used stands twice.
    """
    own = {"sample_id": scanned.id, "image": scanned.image}
    wanted = {role: _wanted(own[role], usual) for role, usual in _KEY_NAMES.items()} | _TRUTH_NAMES
    found = {role: column for role, column in own.items() if column in names and column is not None}
    for role in [role for role in wanted if role not in found]:
        free = [name for name in names if name not in found.values()]
        if (column := find_usual(wanted[role], free)) is not None:
            found[role] = column
    says_truth = bool(found.keys() & _TRUTH_NAMES.keys())
    if set(names) >= _DECISIONS and not says_truth:
        raise DataError(
            "this is a file of decisions, which holds no truth",
            file=file,
            fix="`noiseaudit estimate` makes precision and recall of a drawn sample, `noiseaudit clean --decisions` "
            "applies the decisions.",
        )
    if set(names) >= _SUSPECTS and not says_truth:
        raise DataError(
            "this is the suspects.csv of a scan, which holds no truth",
            file=file,
            fix="Give a file that says which labels are right, with a column true_label or is_corrupted.",
        )
    missing = [
        (what, [name for role in roles for name in wanted[role]], target)
        for what, roles, target in (
            ("names the rows", KEYS, "image"),
            ("says the truth", tuple(_TRUTH_NAMES), "true_label"),
        )
        if not found.keys() & set(roles)
    ]
    if missing:
        raise _absent(missing, names, file)
    for column in found.values():
        if names.count(column) > 1:
            raise DataError("two columns have this name", file=file, column=column, fix="Rename one of them.")
    return found


def _wanted(own: str | None, usual: tuple[str, ...]) -> tuple[str, ...]:
    return usual if own is None else (own, *usual)


def _absent(missing: Sequence[tuple[str, list[str], str]], names: Sequence[str], file: Path) -> DataError:
    problems = [
        f"no column {what} (looked for {', '.join(dict.fromkeys(looked))})" for what, looked, _ in missing
    ]
    free = [name for name in names if name.strip().lower() not in _DOUBTED]
    hints = [f"{near!r} to {target}" for _, looked, target in missing if (near := nearest(looked, free))]
    fix = f"Perhaps rename {' and '.join(hints)}. " if hints else ""
    return DataError(" and ".join(problems), file=file, fix=fix + listed(names))

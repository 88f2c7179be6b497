"""Which column plays which role: named by option, else found by its usual names."""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from noiseaudit.errors import ConfigError, DataError

USUAL_NAMES: dict[str, tuple[str, ...]] = {
    "image": ("file_name", "filename", "path", "image", "image_path", "filepath"),
    "label": ("label", "class", "target", "category", "given_label"),
    "id": ("sample_id", "id"),
    "true_label": ("true_label", "clean_label", "gold_label"),
    "split": ("split", "subset"),
    "annotator": ("annotator", "worker", "labeler"),
    "batch": ("batch",),
}
_SHOWN_COLUMNS = 20
_ODD_SEPARATOR = re.compile(r"[;\t,|:]")


@dataclass(frozen=True)
class ColumnNames:
    """The column of each role, if the user named it (`--label-column NAME`); None = look for it."""

    image: str | None = None
    label: str | None = None
    id: str | None = None
    true_label: str | None = None
    split: str | None = None
    annotator: str | None = None
    batch: str | None = None

    def named(self) -> dict[str, str]:
        """Role -> column, for the roles that have one."""
        return {role: name for role, name in dataclasses.asdict(self).items() if name is not None}


FIND_ALL = ColumnNames()


def option(role: str) -> str:
    """The command-line option that names the column of this role."""
    return f"--{role.replace('_', '-')}-column"


def resolve_columns(
    names: Sequence[str], asked: ColumnNames, *, file: Path, images_required: bool = True
) -> ColumnNames:
    """The columns of `file` by role; `label` is always set, and so is `image` if `images_required`.

    A column named by option is taken as it is; other roles look for their usual names in any letter case. No
    column gets two roles.

    Raises DataError if a named or required column is absent, ConfigError if two options name one column.
    """
    found = asked.named()
    absent = {role: name for role, name in found.items() if name not in names}
    if absent:
        raise _absent_named(absent, names, file)
    _check_one_role(found)
    for role in USUAL_NAMES:
        if role not in found:
            free = [name for name in names if name not in found.values()]
            if (match := find_usual(USUAL_NAMES[role], free)) is not None:
                found[role] = match
    for role in ("label", "image") if images_required else ("label",):
        if role not in found:
            raise _absent_required(role, names, file)
    return ColumnNames(**found)


def required_roles(asked: ColumnNames, *, images_required: bool) -> frozenset[str]:
    """The roles whose columns must be usable: the needed ones, and those that the user named."""
    needed = {"label", "image"} if images_required else {"label"}
    return frozenset(needed | asked.named().keys())


def find_usual(usual_names: Sequence[str], names: Sequence[str]) -> str | None:
    """The first of `usual_names` that is among `names` in any letter case, as it is spelt there."""
    for usual in usual_names:
        matches = [name for name in names if name.strip().lower() == usual.strip().lower()]
        if matches:
            return usual if usual in matches else matches[0]
    return None


def _check_one_role(found: dict[str, str]) -> None:
    first: dict[str, str] = {}
    for role, name in found.items():
        if name in first:
            raise ConfigError(
                f"{option(first[name])} and {option(role)} both name the column {name!r}",
                fix="Give each role its own column.",
            )
        first[name] = role


def _absent_named(absent: dict[str, str], names: Sequence[str], file: Path) -> DataError:
    """Of one role and column or more, all of them in one line."""
    near = [found for name in absent.values() if (found := nearest([name], names)) is not None]
    hint = f"Did you mean {' and '.join(map(repr, near))}? " if near else ""
    fix = hint + listed(names)
    if len(absent) > 1:
        named = ", ".join(f"{name!r} ({option(role)})" for role, name in absent.items())
        return DataError(f"no columns of these names: {named}", file=file, fix=fix)
    ((role, name),) = absent.items()
    return DataError(f"no column of this name ({option(role)})", file=file, column=name, fix=fix)


def _absent_required(role: str, names: Sequence[str], file: Path) -> DataError:
    near = nearest(USUAL_NAMES[role], names)
    hint = f", perhaps {near!r}" if near else ""
    return DataError(
        f"no {role} column (looked for {', '.join(USUAL_NAMES[role])})",
        file=file,
        fix=f"Name it with {option(role)}{hint}. {listed(names)}",
    )


def nearest(wanted: Sequence[str], names: Sequence[str]) -> str | None:
    """The one of `names` that is most like one of `wanted`; None if none is like enough."""
    lowered = {name.strip().lower(): name for name in names}
    scored = [
        (difflib.SequenceMatcher(None, word.lower(), low).ratio(), low) for word in wanted for low in lowered
    ]
    score, low = max(scored, default=(0.0, ""))
    return lowered[low] if score >= 0.6 else None


def listed(names: Sequence[str]) -> str:
    """The columns of a file, as an error message ends with them."""
    shown = ", ".join(repr(name) for name in names[:_SHOWN_COLUMNS])
    more = f" and {len(names) - _SHOWN_COLUMNS} more" if len(names) > _SHOWN_COLUMNS else ""
    separator = _odd_separator(names)
    joined = (
        f"; is it separated by {separator!r}? Save it with commas (.csv) or tabs (.tsv)" if separator else ""
    )
    return f"The columns are {shown}{more}{joined}"


def _odd_separator(names: Sequence[str]) -> str | None:
    """What the file is perhaps separated by: it joins the only name, or a usual name to something else."""
    usual = {name for names in USUAL_NAMES.values() for name in names}
    for name in names:
        odd = _ODD_SEPARATOR.search(name)
        if odd and (len(names) == 1 or usual & {part.strip(' "').lower() for part in name.split(odd[0])}):
            return odd[0]
    return None

"""Which row of a truth file is about which row of an audit."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path, PureWindowsPath
from typing import Any, NamedTuple, Protocol

from noiseaudit.errors import DataError
from noiseaudit.labels.table import Strings
from noiseaudit.labels.values import BOOLEANS
from noiseaudit.truth_columns import KEYS
from noiseaudit.truth_file import Record


class Labels(Protocol):
    """Rows that truth is about: an AuditResult, or a LabelTable."""

    @property
    def classes(self) -> tuple[str, ...]: ...

    def column(self, name: str) -> Any:
        """sample_id, image, given_label or true_label, (n,), None where there is no value."""


class Joined(NamedTuple):
    """The truth of each row of the audit, None where the file has none; and what to tell people about it."""

    records: list[Record | None]
    notes: tuple[str, ...]


def join_records(records: Sequence[Record], audit: Labels, path: Path) -> Joined:
    """Join on `sample_id` if the file has and shares one, else on `image`.

    Ids that are shared by chance are found out where the file names images too: if the image of a joined row is
    another one, the images decide. Rows that say the same of one sample count once.

    Raises DataError if nothing is shared, a name is empty, rows of one name contradict one another, or images
    contradict the ids and are no better.
    """
    key = _key(records, audit)
    joined = _by_key(records, key, audit, path)
    if not any(joined):
        expected = key if audit.column(key)[0] is not None else "sample_id"
        raise DataError(
            f"shares no {key} with the audit",
            file=path,
            column=records[0].columns[key],
            fix=f"Use the {expected} of audit.parquet, such as {audit.column(expected)[0]!r}.",
        )
    odd = _contradicted(joined, audit.column("image")) if key == "sample_id" else []
    if not odd:
        return Joined(joined, ())
    by_image = _by_key(records, "image", audit, path)
    if sum(map(bool, by_image)) <= sum(map(bool, joined)) - len(odd):
        raise _contradiction(odd[0], joined, audit, path)
    columns = records[0].columns
    return Joined(
        by_image,
        (
            f"truth is joined on the column {columns['image']!r}: "
            f"under {columns['sample_id']!r}, {len(odd)} rows would have the image of another row.",
        ),
    )


def claim_of(record: Record, path: Path) -> bool | None:
    """What the row says in `is_corrupted`; None if nothing. Raises DataError if it is neither yes nor no."""
    text = record.cells.get("is_corrupted")
    if text is None:
        return None
    claim = BOOLEANS.get(text.strip().lower())
    if claim is None:
        raise record.error(
            f"cannot read {text!r}",
            path=path,
            role="is_corrupted",
            fix="Write true or false, yes or no, 1 or 0.",
        )
    return claim


def _key(records: Sequence[Record], audit: Labels) -> str:
    """The column of the audit to join on: the first that the file has and shares a cell with, else that it has."""
    keys = [key for key in KEYS if key in records[0].columns]
    for key in keys:
        if {record.cells.get(key) for record in records} & set(audit.column(key)) - {None}:
            return key
    return keys[0]


def _by_key(records: Sequence[Record], key: str, audit: Labels, path: Path) -> list[Record | None]:
    by_name: dict[str, Record] = {}
    for record in records:
        name = record.cells.get(key)
        if name is None:
            raise record.error("empty", path=path, role=key, fix="Name the row or remove it.")
        by_name[name] = _merged(by_name[name], record, key, path) if name in by_name else record
    return [by_name.get(name) for name in audit.column(key)]


def _merged(first: Record, second: Record, key: str, path: Path) -> Record:
    """Two rows of one name as one. Raises DataError if they contradict each other."""
    one, other = ((r.cells.get("true_label"), claim_of(r, path)) for r in (first, second))
    if any(a != b for a, b in zip(one, other, strict=True) if a is not None and b is not None):
        raise second.error(
            f"{second.cells[key]!r} stands twice, and not with the same truth",
            path=path,
            role=key,
            fix="Remove one.",
        )
    told = {role: cell for role, cell in second.cells.items() if cell is not None}
    return dataclasses.replace(
        first, cells={**told, **{r: c for r, c in first.cells.items() if c is not None}}
    )


def _contradicted(joined: Sequence[Record | None], images: Strings) -> list[int]:
    """The rows joined on an id whose image is another one: one of another row, or of another file name."""
    known = set(images)
    rows = []
    for row, record in enumerate(joined):
        named, own = record.cells.get("image") if record else None, images[row]
        if named is None or own is None or named == own:
            continue
        if named in known or PureWindowsPath(named).name != PureWindowsPath(own).name:
            rows.append(row)
    return rows


def _contradiction(row: int, joined: Sequence[Record | None], audit: Labels, path: Path) -> DataError:
    record = joined[row]
    assert record
    return record.error(
        f"{record.cells['sample_id']!r} has the image {record.cells['image']!r} here, but "
        f"{audit.column('image')[row]!r} in the audit",
        path=path,
        role="sample_id",
        fix="Mend the rows, or leave out the column that is wrong.",
    )

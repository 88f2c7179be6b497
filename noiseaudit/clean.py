"""Act on an audit's suspects: write the label file with labels changed, blanked, flagged or rows dropped."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from noiseaudit.arrays import from_arrow, numbers, optional_texts
from noiseaudit.cells import cell_texts
from noiseaudit.decided import Decided
from noiseaudit.errors import ConfigError, DataError, OutputError
from noiseaudit.labels.edit import edit_label_file, rewrite_label_file
from noiseaudit.labels.read import read_again
from noiseaudit.labels.revision import Cell, Changes, NotPlain, nothing
from noiseaudit.labels.table import Source
from noiseaudit.mend import POLICIES, Counts, Mending
from noiseaudit.result import Audited
from noiseaudit.rows import RowReader

NOTHING = Decided()
# Read from the label file -> what must equal it; in this order a moved row is named by what it is.
AUDIT_COLUMNS = {"id": "sample_id", "image": "image", "label": "given_label"}


@dataclass(frozen=True)
class CleanSummary:
    """What `clean_labels` wrote, in rows."""

    out: Path
    policy: str
    n_rows: int  # in the input
    n_issues: int  # flagged by the audit, and judged by nobody
    n_changed: int  # rows whose label was changed or blanked
    n_dropped: int
    n_protected: (
        int  # of these, and of those that people found unclear, left alone because their split is held out
    )
    n_decided: int = 0  # rows that people judged
    n_unread_kept: int = 0  # without a readable image, left as they are
    n_unlabelled_kept: int = 0  # others without a label, left as they are
    n_acted: int = 0  # issues that the policy was applied to

    @property
    def n_written(self) -> int:
        """Rows in the output."""
        return self.n_rows - self.n_dropped


def clean_labels(
    audit: Audited,
    source: Source,
    out: Path | str,
    *,
    policy: str = "relabel",
    decided: Decided = NOTHING,
    provenance: bool = False,
    include_test: bool = False,
    force: bool = False,
) -> CleanSummary:
    """Write `source` to `out` with the audit's label issues mended; all else stays as it is.

    policy: "relabel" (the audit's suggested label), "blank" (unlabelled), "drop" (the row goes), "flag"
    (labels stay; columns `is_label_issue`, `suggested_label`, `p_mislabeled` are appended) or "none". Rows whose
    split is held out (test, val, ...) stay as they are unless `include_test`. `provenance` appends
    `noiseaudit_given_label`, `noiseaudit_action` (kept, relabelled, blanked, dropped, flagged, protected, or by a
    person: decided, confirmed, unclear) and `noiseaudit_p_mislabeled`.

    What people `decided` goes before the policy: they relabel rows of any split, what they confirmed is no issue, and
    what they found unclear is blanked or dropped by these policies, issue or not, and else stays.

    Raises ConfigError on an unknown policy, DataError if the audit is not of this file or an appended column
    exists already, OutputError as edit_label_file does, or if `out` exists and is not to be replaced (`force`).
    """
    out = Path(out)
    if out.exists() and not force and os.path.realpath(out) != os.path.realpath(source.path):
        raise OutputError("exists", file=out, fix="Give force=True to replace it, or choose another name.")
    if policy not in POLICIES:
        raise ConfigError(f"--policy {policy!r} is unknown", fix=f"Choose one of {', '.join(POLICIES)}.")
    mending = Mending(policy, decided, provenance, include_test)
    try:
        counts = _in_bulk(audit, source, out, mending)
    except NotPlain:
        counts = _row_by_row(audit, source, out, mending)
    return CleanSummary(
        out,
        policy,
        n_rows=len(audit),
        n_issues=counts.issues,
        n_changed=counts.changed,
        n_dropped=counts.dropped,
        n_protected=counts.protected,
        n_decided=len(decided.rows),
        n_unread_kept=counts.unread,
        n_unlabelled_kept=counts.unlabelled,
        n_acted=counts.acted,
    )


@dataclass
class _Match:
    """Whether the rows of the label file are those of the audit: gathers what is not, and complains at the end."""

    source: Source
    n_audited: int
    n_rows: int = 0
    odd: dict[str, tuple[int, Any, Any]] = field(default_factory=dict)  # role -> row, cell, cell of the audit

    def compare(self, cells: Mapping[str, pa.Array], audited: pa.Table, n_rows: int) -> None:
        """The next rows of the file, and of the audit, which may have fewer left."""
        for role in cells.keys() - self.odd.keys():
            both = min(n_rows, len(audited))
            found = cells[role].slice(0, both)
            expected = cell_texts(audited.column(AUDIT_COLUMNS[role])).slice(0, both)
            one_null = pc.xor(pc.is_null(found), pc.is_null(expected))
            differs = pc.coalesce(pc.not_equal(found, expected), one_null)
            for place in np.flatnonzero(from_arrow(differs.cast(pa.uint8())))[:1]:
                self.odd[role] = (self.n_rows + int(place), found[place].as_py(), expected[place].as_py())
        self.n_rows += n_rows

    def check(self) -> None:
        """Raise DataError if the file has other rows than the audit."""
        if self.n_rows != self.n_audited:
            raise DataError(
                f"has {self.n_rows} rows, but the audit is of {self.n_audited}",
                file=self.source.path,
                fix="Give the file that was scanned, or scan again.",
            )
        for role in AUDIT_COLUMNS:
            if role in self.odd:
                row, found, expected = self.odd[role]
                raise DataError(
                    f"the {role} is {found!r}, but {expected!r} in the audit",
                    file=self.source.path,
                    row=row,
                    column=getattr(self.source, f"{role}_column"),
                    fix="Give the file that was scanned, rows in the same order, or scan again.",
                )


def _in_bulk(audit: Audited, source: Source, out: Path, mending: Mending) -> Counts:
    """Piece by piece, checked and written in one go. Raises NotPlain where the file takes more care."""
    reader = _reader(audit, mending, source.columns.named())
    match, counts = _Match(source, len(audit)), Counts()

    def revise(cells: Mapping[str, pa.Array], n_rows: int) -> Changes:
        nonlocal counts
        first, table = reader.next(n_rows)
        match.compare(cells, table, n_rows)
        if len(table) < n_rows:  # match.check will refuse the file
            return nothing(n_rows, mending.added)
        changes, found = mending.changes(table, first)
        counts += found
        return changes

    rewrite_label_file(source, out, revise, mending.added, match.check)
    return counts


def _row_by_row(audit: Audited, source: Source, out: Path, mending: Mending) -> Counts:
    """As Python's own readers find the rows; the whole file and its changes are held."""
    read = read_again(source)
    first, table = _reader(audit, mending, read).next(len(audit))
    match = _Match(source, len(audit))
    match.compare({role: optional_texts(cells) for role, cells in read.items()}, table, len(read["label"]))
    match.check()
    changes, counts = mending.changes(table, first)
    rows = np.flatnonzero(changes.relabelled)
    labels = changes.labels.take(numbers(rows)).to_pylist()
    extra: dict[str, Sequence[Cell]] = {name: cells.to_pylist() for name, cells in changes.extra.items()}
    drop = frozenset(np.flatnonzero(changes.dropped).tolist())
    edit_label_file(source, out, labels=dict(zip(rows.tolist(), labels, strict=True)), drop=drop, extra=extra)
    return counts


def _reader(audit: Audited, mending: Mending, roles: Iterable[str]) -> RowReader:
    """The columns of the audit that decide, and those that must equal the roles of the label file."""
    return RowReader(audit, [*dict.fromkeys([*mending.columns, *(AUDIT_COLUMNS[role] for role in roles)])])

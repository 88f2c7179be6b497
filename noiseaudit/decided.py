"""What people decided, by row of the audit that they were asked about."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from noiseaudit.arrays import from_arrow, numbers, texts
from noiseaudit.decisions import Decision, error_about, read_decisions, run_id
from noiseaudit.errors import DataError
from noiseaudit.meaning import as_shown, in_words, meant
from noiseaudit.result import Audited


@dataclass(frozen=True)
class Decided:
    """Rows that a person judged; those that were skipped, or not answered, are not among them."""

    labels: Mapping[int, str] = field(default_factory=dict)  # the given label is wrong: row -> right label
    confirmed: frozenset[int] = frozenset()  # the given label is right
    unclear: frozenset[int] = frozenset()  # nobody can tell
    from_elsewhere: int = 0  # decisions that another audit asked for
    skipped: int = 0  # samples that somebody skipped and nobody judged

    @property
    def rows(self) -> frozenset[int]:
        """All of them."""
        return self.confirmed | self.unclear | self.labels.keys()


class _Said(NamedTuple):
    """What a decision means for its row, and the file that it stands in."""

    made: Decision
    path: Path

    def agrees(self, other: _Said) -> bool:
        return (self.made.decision, self.made.new_label) == (other.made.decision, other.made.new_label)

    def __str__(self) -> str:
        return in_words(self.made)


def read_decided(
    audit: Audited,
    paths: Iterable[Path],
    *,
    new_classes: Collection[str] = (),
    settle: Mapping[Path, str] = MappingProxyType({}),
) -> Decided:
    """The decisions of one or more files; `settle` says by file how to end the contradictions within it.

    Raises DataError as read_decisions and `decided` do, and for a label that is neither a class of the audit nor
    one of `new_classes`: most are typing errors.
    """
    decisions = [(path, decision) for path in paths for decision in read_decisions(path)]
    found = decided(audit, decisions, settle)
    classes = audit.meta.classes
    if strange := {*found.labels.values()} - {*classes, *new_classes}:
        raise _strange_label(decisions, strange, classes)
    return found


def _strange_label(
    decisions: Sequence[tuple[Path, Decision]], strange: Set[str], classes: Sequence[str]
) -> DataError:
    """About the first row that has one of them, which the line names with the class that may be meant."""
    known = frozenset(classes)
    path, first, label = next(
        (path, made, shown)
        for path, made in decisions
        if (shown := as_shown(made, known).new_label) in strange and shown is not None
    )
    n = len(strange) - 1
    more = f", nor {'is' if n == 1 else 'are'} {n:,} further new label{'' if n == 1 else 's'}" if n else ""
    return error_about(
        first,
        path,
        f"{label!r} is no class of the audit{_meant(label, classes)}{more}",
        role="new_label",
        fix=f"Correct it, or allow a new class: --new-class {shlex.quote(label)}",
    )


def decided(
    audit: Audited,
    decisions: Sequence[tuple[Path, Decision]],
    settle: Mapping[Path, str] = MappingProxyType({}),
) -> Decided:
    """Decisions with the files that they stand in, by row of the audit; `settle` as for `read_decided`.

    To relabel a row to the label that it has is to keep it. Raises DataError for a sample that the audit has not, one
    without a label that is kept, and those about which two files, or two people, say different things.
    """
    own, from_elsewhere = run_id(audit), 0
    classes = frozenset(audit.meta.classes)
    given_up = {decision.sample_id for _, decision in decisions if decision.decision == "skip"}
    decisions = [(path, decision) for path, decision in decisions if decision.decision not in (None, "skip")]
    rows, given = _asked(audit, [decision.sample_id for _, decision in decisions])
    found, disputes = dict[int, _Said](), dict[int, tuple[str, _Said, _Said]]()
    for path, decision in decisions:
        name = decision.sample_id  # in suspects.csv behind an apostrophe where a spreadsheet would run it
        row = rows.get(name, rows.get(name.removeprefix("'")))
        if row is None:
            raise DataError(
                f"{decision.sample_id!r} is no sample of the audit",
                file=path,
                fix="Are these of another data set?",
            )
        from_elsewhere += decision.run_id not in (None, own)
        said = _Said(meant(decision, given[row], classes), path)
        if said.made.decision == "keep" and given[row] is None:
            raise DataError(
                f"{decision.sample_id!r} has no label to keep", file=path, fix="Relabel it, or skip it."
            )
        other = found.setdefault(row, said)
        if not said.agrees(other):
            disputes.setdefault(row, (name, other, said))
    if disputes:
        raise _contradicted([*disputes.values()], settle)
    made_of = {row: said.made for row, said in found.items()}
    kinds = {
        kind: frozenset(row for row, made in made_of.items() if made.decision == kind)
        for kind in ("keep", "ambiguous")
    }
    labels = {row: made.new_label for row, made in made_of.items() if made.new_label is not None}
    skipped = len(given_up - {decision.sample_id for _, decision in decisions})
    return Decided(labels, kinds["keep"], kinds["ambiguous"], from_elsewhere, skipped)


def _asked(audit: Audited, names: Sequence[str]) -> tuple[dict[str, int], dict[int, str | None]]:
    """The row of each sample that is asked about, as far as there is one, and the given labels of these rows."""
    spellings = {*names, *(name.removeprefix("'") for name in names)}
    wanted = texts([*spellings])
    rows, given = dict[str, int](), dict[int, str | None]()
    for first, table in audit.tables(["sample_id", "given_label"]) if names else ():
        places = np.flatnonzero(
            from_arrow(
                pc.is_in(table.column("sample_id").combine_chunks(), value_set=wanted).cast(pa.uint8())
            )
        )
        for place, row in zip(places.tolist(), table.take(numbers(places)).to_pylist(), strict=True):
            rows[row["sample_id"]] = first + place
            given[first + place] = row["given_label"]
    return rows, given


def _meant(label: str, classes: Sequence[str]) -> str:
    low = {name.lower(): name for name in classes}
    near = difflib.get_close_matches(label.lower(), low, n=1)
    return f" (did you mean {low[near[0]]!r}?)" if near else ""


def _contradicted(disputes: Sequence[tuple[str, _Said, _Said]], settle: Mapping[Path, str]) -> DataError:
    name, first, second = disputes[0]
    is_within = all(first.path == second.path == disputes[0][1].path for _, first, second in disputes)
    if is_within and first.path in settle:
        rows = "1 row is" if len(disputes) == 1 else f"{len(disputes):,} rows are"
        return DataError(
            f"{rows} contradicted, first {name!r} ({first}, {second})",
            file=first.path,
            fix=settle[first.path],
        )
    rows = f"{len(disputes):,} rows are contradicted: " if len(disputes) > 1 else ""
    return DataError(
        f"{rows}{name!r} is {second} here, and {first} in {first.path}",
        file=second.path,
        fix="Agree on one, and remove the other.",
    )

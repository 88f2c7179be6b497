"""Truth: which labels of an audit are known to be corrupted, from a file or from the audit itself."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from noiseaudit.audit_file import AuditFile
from noiseaudit.errors import DataError
from noiseaudit.labels.checks import check_true_labels
from noiseaudit.labels.columns import FIND_ALL, ColumnNames
from noiseaudit.labels.revision import NotPlain
from noiseaudit.labels.table import Strings
from noiseaudit.truth_bulk import Told, told_in_bulk
from noiseaudit.truth_columns import resolve_truth_columns
from noiseaudit.truth_file import Record, read_records
from noiseaudit.truth_join import Labels, claim_of, join_records


@dataclass(frozen=True)
class Truth:
    """What is known about the rows of an audit; all arrays are (n,), in the audit's order."""

    is_known: npt.NDArray[np.bool_]  # True where it is known whether the given label is corrupted
    is_corrupted: npt.NDArray[np.bool_]  # False where not known
    true_label: Strings | None  # None in a cell: not known; no array: only is_corrupted was given
    notes: tuple[str, ...] = ()  # for people: how the file was read, where that is not plain


def as_truth(truth: Truth | Path | npt.ArrayLike, audit: Labels) -> Truth:
    """Truth as it is, of a file (`read_truth`), or of the true labels of the audit's n rows, None where not known.

    Raises DataError as `read_truth` does, or for another number of rows.
    """
    if isinstance(truth, Truth):
        return truth
    if isinstance(truth, str | Path):
        return read_truth(Path(truth), audit)
    given, labels = audit.column("given_label"), np.array(truth, dtype=object)
    if labels.shape != given.shape:
        raise DataError(
            f"there are {labels.shape[0]:,} true labels for {len(given):,} rows of the audit",
            fix="Give one for each row, in its order, None where it is not known.",
        )
    labels[[label != label for label in labels]] = None  # NaN, as pandas has it
    check_true_labels([next(iter(distinct(labels)), None), *distinct(labels)], audit.classes, column="truth")
    return _truth(given, labels, {})


def truth_from_audit(audit: Labels) -> Truth:
    """Truth from the audit's own `true_label` column.

    Raises DataError if that column is empty, or holds no class of the audit.
    """
    true_label = audit.column("true_label")
    if not is_there(true_label).any():
        raise DataError(
            "the audit holds no true labels", column="true_label", fix="Give a file with --truth."
        )
    first = true_label[is_there(true_label).argmax()]
    check_true_labels([first, *distinct(true_label)], audit.classes, column="true_label")
    return _truth(audit.column("given_label"), true_label, {})


def read_truth(
    path: Path, audit: Labels, *, scanned: ColumnNames = FIND_ALL, missing_label: str | None = None
) -> Truth:
    """Read truth from CSV, TSV, JSONL or Parquet and join it to the audit on `sample_id`, else on `image`.

    The file has `true_label`, or `is_corrupted` (true/false, yes/no, 1/0), or both, under these or the usual
    names of label files; `scanned` names the id and image columns of the label file, which may stand here too.
    Rows with an empty true label (or `missing_label`), and rows of the audit that the file does not name, have
    no truth. A true label may be a class that no row was given, unless all of them are.

    Raises DataError if the file is not readable, lacks a column, contradicts itself, shares no row with the
    audit, or no true label in it is a class of the audit.
    """

    def choose(names: Sequence[str]) -> dict[str, str]:
        return resolve_truth_columns(names, scanned, file=path)

    if isinstance(audit, AuditFile):
        with contextlib.suppress(NotPlain):
            return _of_told(told_in_bulk(path, audit, choose, missing_label), audit)
    records = read_records(path, choose)
    if not records:
        raise DataError("holds no rows", file=path, fix="Give one row per label whose truth is known.")
    joined = join_records([_without(record, missing_label) for record in records], audit, path)
    _check_classes(joined.records, audit.classes, path)
    truth = _joined_truth(audit.column("given_label"), joined.records, path)
    return dataclasses.replace(truth, notes=joined.notes)


def _of_told(told: Told, audit: Labels) -> Truth:
    """Raises NotPlain if the truth contradicts itself or knows no class of the audit."""
    given, claimed = audit.column("given_label"), told.claims >= 0
    labelled, differs = is_there(given), given != told.true_label
    named = is_there(told.true_label)
    if named.any() and distinct(told.true_label).isdisjoint(audit.classes):
        raise NotPlain
    if (claimed & labelled & named & (differs != (told.claims == 1))).any():
        raise NotPlain
    claimed &= labelled
    is_known = (labelled & named) | claimed
    is_corrupted = np.where(claimed, told.claims == 1, is_known & differs)
    return Truth(is_known, is_corrupted.astype(np.bool_), told.true_label if named.any() else None)


def is_there(cells: Strings) -> npt.NDArray[np.bool_]:
    """Where cells are not None, (n,)."""
    return np.asarray(cells != np.array(None, np.object_), np.bool_)


def distinct(cells: Strings) -> set[str]:
    """The texts among cells, (n,), that may be None."""
    return set(cells.tolist()) - {None}


def _without(record: Record, missing_label: str | None) -> Record:
    """`record` without a true label if its cell says that there is none."""
    if missing_label is None or record.cells.get("true_label") != missing_label:
        return record
    return dataclasses.replace(record, cells={**record.cells, "true_label": None})


def _check_classes(joined: Sequence[Record | None], classes: Sequence[str], path: Path) -> None:
    told = [record for record in joined if record and record.cells.get("true_label") is not None]
    if told:
        first = min(told, key=lambda record: (record.line or 0, record.row or 0))
        check_true_labels(
            [first.cells["true_label"], *(record.cells["true_label"] for record in told)],
            classes,
            file=path,
            line=first.line,
            row=first.row,
            column=first.columns["true_label"],
        )


def _joined_truth(given: Strings, joined: Sequence[Record | None], path: Path) -> Truth:
    cells = [record.cells if record else {} for record in joined]
    true_label = np.array([cell.get("true_label") for cell in cells], dtype=object)
    claims = {}
    for i, record in enumerate(joined):
        claim = claim_of(record, path) if record else None
        if claim is None or record is None or given[i] is None:
            continue
        if true_label[i] is not None and claim != (true_label[i] != given[i]):
            raise record.error(
                f"is_corrupted is {str(claim).lower()}, but the true label is {true_label[i]!r} and the "
                f"audit's given label is {given[i]!r}",
                path=path,
                fix="Mend one of them, or leave the column is_corrupted out.",
            )
        claims[i] = claim
    return _truth(given, true_label, claims)


def _truth(given: Strings, true_label: Strings, claims: Mapping[int, bool]) -> Truth:
    is_known = is_there(given) & is_there(true_label)
    is_corrupted = is_known & (given != true_label)
    for i, claim in claims.items():
        is_known[i], is_corrupted[i] = True, claim
    return Truth(is_known, is_corrupted.astype(np.bool_), true_label if is_there(true_label).any() else None)

"""What becomes of each row of an audit under a policy and people's decisions, for any number of rows at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from noiseaudit.arrays import codes, flags, null, numbers, texts
from noiseaudit.cells import cell_texts
from noiseaudit.decided import Decided
from noiseaudit.labels.revision import Changes
from noiseaudit.parquet import is_true, is_valid

POLICIES = ("drop", "relabel", "blank", "flag", "none")
# Cleaning the data that measures a model with that model's kin makes it look better than it is.
HELD_OUT_SPLITS = frozenset({"test", "val", "valid", "validation", "dev", "holdout", "eval"})
_COLUMNS = ("status", "is_label_issue", "suggested_label", "given_label", "split")
_READ = ("ok", "unlabelled")  # statuses
FLAG_COLUMNS = {"is_label_issue": pa.bool_(), "suggested_label": pa.string(), "p_mislabeled": pa.float64()}
PROVENANCE_COLUMNS = {
    "noiseaudit_given_label": pa.string(),
    "noiseaudit_action": pa.string(),
    "noiseaudit_p_mislabeled": pa.float64(),
}
_ACTIONS = {"drop": "dropped", "relabel": "relabelled", "blank": "blanked", "flag": "flagged", "none": ""}
_SPARED = ("protected", "kept", "decided", "confirmed", "unclear")
Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Counts:
    """Rows, of a piece or of all."""

    issues: int = 0  # that nobody judged
    acted: int = 0  # of these, what the policy is for
    changed: int = 0
    dropped: int = 0
    protected: int = 0  # issues and unclear rows that their split spares
    unread: int = 0  # rows without a readable image that stay as they are
    unlabelled: int = 0  # others without a label that do

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.issues + other.issues,
            self.acted + other.acted,
            self.changed + other.changed,
            self.dropped + other.dropped,
            self.protected + other.protected,
            self.unread + other.unread,
            self.unlabelled + other.unlabelled,
        )


@dataclass(frozen=True)
class Mending:
    """What is to be done with suspects, and what people said."""

    policy: str
    decided: Decided
    provenance: bool = False
    include_test: bool = False

    @property
    def added(self) -> dict[str, pa.DataType]:
        """The columns that are appended to the label file, and their types."""
        flagged = FLAG_COLUMNS if self.policy == "flag" else {}
        return flagged | (PROVENANCE_COLUMNS if self.provenance else {})

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of an audit that `changes` needs."""
        return (*_COLUMNS, "p_mislabeled") if self.added else _COLUMNS

    def changes(self, table: pa.Table, first: int) -> tuple[Changes, Counts]:
        """Of the rows of `table`, `columns` of an audit from row `first` on."""
        rows = slice(first, first + len(table))
        suspects = is_true(table.column("is_label_issue")) & ~self._judged.mask(rows)
        issues = suspects.copy()
        has_label = is_valid(table.column("given_label"))
        if self.policy in ("blank", "drop"):  # a row without a label has none to blank
            issues |= self._unclear.mask(rows) & (has_label | (self.policy == "drop"))
        protected = self._protected(table, issues)
        meant, relabelled = issues & ~protected, self._relabelled.mask(rows)
        dropped = meant & (self.policy == "drop")
        if self.policy in ("relabel", "blank"):
            relabelled = relabelled | meant
        changes = Changes(
            relabelled, self._labels(table, rows), dropped, self._extra(table, issues, protected, rows)
        )
        stays, unread = ~(relabelled | dropped), _is_unread(table)
        unlabelled = ~has_label & ~unread
        counted = (
            suspects,
            suspects & ~protected,
            relabelled,
            dropped,
            protected,
            unread & stays,
            unlabelled & stays,
        )
        return changes, Counts(*(int(which.sum()) for which in counted))

    def _protected(self, table: pa.Table, issues: Mask) -> Mask:
        """Issues that keep their label because of their split; a policy that changes no label spares none."""
        if self.include_test or self.policy in ("flag", "none"):
            return np.zeros_like(issues)
        places, names = codes(table.column("split"))
        held_out = [name.strip().lower() in HELD_OUT_SPLITS for name in names.to_pylist()]
        return np.asarray(issues & np.array([*held_out, False])[places])

    def _labels(self, table: pa.Table, rows: slice) -> pa.Array:
        """The label that each row gets if it gets one."""
        if self.policy == "relabel":
            labels = cell_texts(table.column("suggested_label"))
        else:
            labels = pa.nulls(len(table), pa.string())
        own = self._relabelled.places(rows)
        mask = np.zeros(len(table), np.bool_)
        mask[self._relabelled.rows[own] - rows.start] = True
        return pc.replace_with_mask(labels, flags(mask), self._new_labels[own]) if mask.any() else labels

    def _extra(self, table: pa.Table, issues: Mask, protected: Mask, rows: slice) -> Mapping[str, pa.Array]:
        extra = {}
        if self.policy == "flag":  # a row that a person judged is flagged no more
            known = flags(is_valid(table.column("is_label_issue")))
            extra["is_label_issue"] = pc.if_else(known, flags(issues), null(pa.bool_()))
            extra["suggested_label"] = cell_texts(table.column("suggested_label"))
            extra["p_mislabeled"] = table.column("p_mislabeled").combine_chunks()
        if self.provenance:
            extra["noiseaudit_given_label"] = cell_texts(table.column("given_label"))
            extra["noiseaudit_action"] = self._actions(issues, protected, rows)
            extra["noiseaudit_p_mislabeled"] = table.column("p_mislabeled").combine_chunks()
        return extra

    def _actions(self, issues: Mask, protected: Mask, rows: slice) -> pa.Array:
        acted = issues & (self.policy != "none")
        action = np.where(acted, len(_SPARED), _SPARED.index("kept"))
        action[protected] = _SPARED.index("protected")
        judged = (("decided", self._relabelled), ("confirmed", self._confirmed), ("unclear", self._unclear))
        for name, some in judged:
            action[some.mask(rows) & (action == _SPARED.index("kept"))] = _SPARED.index(name)
        return texts([*_SPARED, _ACTIONS[self.policy]]).take(numbers(action))

    @cached_property
    def _judged(self) -> _Some:
        return _Some.of(self.decided.rows)

    @cached_property
    def _unclear(self) -> _Some:
        return _Some.of(self.decided.unclear)

    @cached_property
    def _confirmed(self) -> _Some:
        return _Some.of(self.decided.confirmed)

    @cached_property
    def _relabelled(self) -> _Some:
        return _Some.of(self.decided.labels)

    @cached_property
    def _new_labels(self) -> Any:
        return texts([self.decided.labels[row] for row in self._relabelled.rows.tolist()])


def _is_unread(table: pa.Table) -> Mask:
    places, names = codes(table.column("status"))
    return np.asarray(np.array([*(name not in _READ for name in names.to_pylist()), False])[places])


@dataclass(frozen=True)
class _Some:
    """A few rows of an audit."""

    rows: Rows  # rising

    @classmethod
    def of(cls, rows: Iterable[int]) -> _Some:
        return cls(np.array(sorted(rows), np.int64))

    def places(self, rows: slice) -> slice:
        """Which of them lie in a range of rows."""
        return slice(*np.searchsorted(self.rows, [rows.start, rows.stop]).tolist())

    def mask(self, rows: slice) -> Mask:
        """Where they are in a range of rows."""
        mask = np.zeros(rows.stop - rows.start, np.bool_)
        mask[self.rows[self.places(rows)] - rows.start] = True
        return mask

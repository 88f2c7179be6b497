"""Act on an audit's suspects: write the label file with labels changed, blanked, flagged or rows dropped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from noiseaudit.decided import Decided
from noiseaudit.errors import ConfigError, DataError
from noiseaudit.labels.edit import edit_label_file
from noiseaudit.labels.read import read_again
from noiseaudit.labels.revision import Cell
from noiseaudit.labels.table import Source
from noiseaudit.result import AuditResult

POLICIES = ("drop", "relabel", "blank", "flag", "none")
# Cleaning the data that measures a model with that model's kin makes it look better than it is.
HELD_OUT_SPLITS = frozenset({"test", "val", "valid", "validation", "dev", "holdout", "eval"})
NOTHING = Decided()
_ACTIONS = {
    "drop": "dropped", "relabel": "relabelled", "blank": "blanked", "flag": "flagged", "none": "kept",
}  # fmt: skip
# Read from the label file -> what must equal it; in this order a moved row is named by what it is.
_AUDIT_COLUMNS = {"id": "sample_id", "image": "image", "label": "given_label"}
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class CleanSummary:
    out: Path
    policy: str
    n_rows: int  # in the input
    n_issues: int  # flagged by the audit
    n_changed: int  # rows whose label was changed or blanked
    n_dropped: int
    n_protected: int  # issues left alone because their split is held out
    n_decided: int = 0  # rows that people judged

    @property
    def n_written(self) -> int:
        """Rows in the output."""
        return self.n_rows - self.n_dropped


def clean_labels(
    audit: AuditResult,
    source: Source,
    out: Path,
    *,
    policy: str = "relabel",
    decided: Decided = NOTHING,
    provenance: bool = False,
    include_test: bool = False,
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
    exists already, OutputError as edit_label_file does.
    """
    if policy not in POLICIES:
        raise ConfigError(f"--policy {policy!r} is unknown", fix=f"Choose one of {', '.join(POLICIES)}.")
    _check_match(audit, source)
    issues = audit.suspects() & ~_mask(audit, decided.rows)
    if policy in ("blank", "drop"):
        issues |= _mask(audit, decided.unclear)
    protected = _protected(audit, issues, policy, include_test)
    rows = np.flatnonzero(issues & ~protected).tolist()
    labels = {**_new_labels(audit, rows, policy), **decided.labels}
    drop = frozenset(rows) if policy == "drop" else frozenset[int]()
    extra = _flag_columns(audit, issues) if policy == "flag" else {}
    if provenance:
        extra |= _provenance_columns(audit, _actions(policy, issues, protected, decided))
    edit_label_file(source, out, labels=labels, drop=drop, extra=extra)
    return CleanSummary(
        out,
        policy,
        n_rows=len(audit),
        n_issues=int(issues.sum()),
        n_changed=len(labels),
        n_dropped=len(drop),
        n_protected=int(protected.sum()),
        n_decided=len(decided.rows),
    )


def _mask(audit: AuditResult, rows: Iterable[int]) -> Mask:
    mask = np.zeros(len(audit), np.bool_)
    mask[list(rows)] = True
    return mask


def _check_match(audit: AuditResult, source: Source) -> None:
    read = read_again(source)
    n_rows = len(read["label"])
    if n_rows != len(audit):
        raise DataError(
            f"has {n_rows} rows, but the audit is of {len(audit)}",
            file=source.path,
            fix="Give the file that was scanned, or scan again.",
        )
    for role, column in _AUDIT_COLUMNS.items():
        audited = audit.column(column).tolist()
        if role in read and read[role] != audited:
            pairs = enumerate(zip(read[role], audited, strict=True))
            row, (found, expected) = next((row, pair) for row, pair in pairs if pair[0] != pair[1])
            raise DataError(
                f"the {role} is {found!r}, but {expected!r} in the audit",
                file=source.path,
                row=row,
                column=getattr(source, f"{role}_column"),
                fix="Give the file that was scanned, rows in the same order, or scan again.",
            )


def _protected(audit: AuditResult, issues: Mask, policy: str, include_test: bool) -> Mask:
    """Issues that keep their label because of their split; a policy that changes no label spares none."""
    if include_test or policy in ("flag", "none"):
        return np.zeros_like(issues)
    splits = audit.column("split").tolist()
    held_out = [split is not None and split.strip().lower() in HELD_OUT_SPLITS for split in splits]
    return issues & np.array(held_out, dtype=np.bool_)


def _new_labels(audit: AuditResult, rows: Sequence[int], policy: str) -> dict[int, str | None]:
    if policy == "blank":
        return dict.fromkeys(rows)
    if policy == "relabel":
        suggested = audit.column("suggested_label")
        return {row: suggested[row] for row in rows}
    return {}


def _actions(policy: str, issues: Mask, protected: Mask, decided: Decided) -> list[str]:
    actions = np.where(issues, _ACTIONS[policy], "kept").astype(np.object_)
    actions[protected] = "protected"
    for rows, action in (
        (decided.labels, "decided"),
        (decided.confirmed, "confirmed"),
        (decided.unclear, "unclear"),
    ):
        for row in rows:
            actions[row] = action if actions[row] == "kept" else actions[row]
    return [str(action) for action in actions]


def _flag_columns(audit: AuditResult, issues: Mask) -> dict[str, Sequence[Cell]]:
    """Of rows that were judged by the model and not, since, by a person."""
    columns = {name: _cells(audit, name) for name in ("is_label_issue", "suggested_label", "p_mislabeled")}
    flags = zip(columns["is_label_issue"], issues.tolist(), strict=True)
    return columns | {"is_label_issue": [None if flag is None else issue for flag, issue in flags]}


def _provenance_columns(audit: AuditResult, actions: list[str]) -> dict[str, Sequence[Cell]]:
    return {
        "noiseaudit_given_label": _cells(audit, "given_label"),
        "noiseaudit_action": actions,
        "noiseaudit_p_mislabeled": _cells(audit, "p_mislabeled"),
    }


def _cells(audit: AuditResult, name: str) -> list[Cell]:
    cells: list[Cell] = audit.table.column(name).to_pylist()
    return cells

"""How far people judged the suspects of an audit: what its review left in the run folder."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from noiseaudit.decided import decided
from noiseaudit.decisions import Decision, read_decisions, run_id
from noiseaudit.result import AuditResult


@dataclass(frozen=True)
class Reviewed:
    """Rows that people judged, by what they said. Not drawn at random: no measure of the others."""

    n_judged: int
    n_relabelled: int
    n_filled: int  # rows without a label that were given one
    n_kept: int
    n_ambiguous: int
    n_disputed: int  # reviewers said different things
    n_skipped: int  # by all who saw them; not judged
    n_suspects_left: int  # not judged
    right_left: float  # of these, right labels by the audit's p_mislabeled


def read_reviewed(audit: AuditResult, path: Path) -> Reviewed | None:
    """What the decisions file `path` says of this very audit; None without the file, or where nobody judged a row.

    Raises DataError as `read_decisions` and `decided` do.
    """
    if not path.is_file():
        return None
    own, by_reviewer = run_id(audit), defaultdict[str | None, list[tuple[Path, Decision]]](list)
    for decision in read_decisions(path):
        if decision.run_id == own and decision.decision is not None:
            by_reviewer[decision.reviewer].append((path, decision))
    said = defaultdict[int, set[str | None]](set)  # row -> labels that are right; None: nobody can tell
    given = audit.column("given_label")
    for made in by_reviewer.values():
        found = decided(audit, made)
        for row in found.rows:
            said[row].add(found.labels.get(row, given[row] if row in found.confirmed else None))
    if not said:
        return None
    kinds = Counter(_kind(labels, given[row]) for row, labels in said.items())
    left = audit.suspects().copy()
    left[[*said]] = False
    return Reviewed(
        n_judged=len(said),
        n_relabelled=kinds["relabelled"],
        n_filled=kinds["filled"],
        n_kept=kinds["kept"],
        n_ambiguous=kinds["ambiguous"],
        n_disputed=kinds["disputed"],
        n_skipped=_skipped([decision for made in by_reviewer.values() for _, decision in made]),
        n_suspects_left=int(left.sum()),
        right_left=_right(audit, left),
    )


def _kind(labels: set[str | None], given: str | None) -> str:
    if len(labels) > 1:
        return "disputed"
    (label,) = labels
    if label is None:
        return "ambiguous"
    if given is None:
        return "filled"
    return "kept" if label == given else "relabelled"


def _skipped(decisions: list[Decision]) -> int:
    skipped = {decision.sample_id for decision in decisions if decision.decision == "skip"}
    return len(skipped - {decision.sample_id for decision in decisions if decision.decision != "skip"})


def _right(audit: AuditResult, left: npt.NDArray[np.bool_]) -> float:
    return float((1 - audit.column("p_mislabeled")[left]).sum())

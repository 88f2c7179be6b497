"""From training and scores to the audit's rows: the one place where the columns of audit.parquet are filled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from noiseaudit.course import Fitted
from noiseaudit.evidence import Grounds, gather, issue_kind
from noiseaudit.labels.table import LabelTable, Strings
from noiseaudit.lookalikes import Lookalikes
from noiseaudit.result import EVIDENCE, SCHEMA
from noiseaudit.score import Noise, best_first

Codes = npt.NDArray[np.int64]

TOP_CLASSES = 10  # of each row in top_labels and top_probs


@dataclass(frozen=True)
class Verdicts:
    """What was decided about the k labelled rows that were read, aligned with `Fitted.labelled`."""

    p_mislabeled: npt.NDArray[np.float64]
    flagged: npt.NDArray[np.bool_]
    has_epsilon: bool
    by_neighbours: npt.NDArray[np.bool_] | None = (
        None  # (k,) rows that unlabelled rows like them had a say in
    )
    neighbours_weight: float = 0.0  # of what these said
    noise: Noise | None = None  # behind p_mislabeled; None where it had no part in it
    conflict: Codes | None = None  # (k,) a row with the same content and another label, or -1
    lookalikes: Lookalikes | None = None  # of the k rows


def judge(
    table: LabelTable, status: Strings, reason: Strings, fitted: Fitted, verdicts: Verdicts
) -> pa.Table:
    """The audit's table: n rows in input order. `status` and `reason` are (n,), "ok" where the image was read."""
    n = len(table)
    usable = np.flatnonzero(status == "ok")
    scored = usable[fitted.labelled]
    final_status = np.where((status == "ok") & ~table.is_labelled, "unlabelled", status)
    columns: dict[str, Any] = {
        "row": pa.array(np.arange(n)),
        "sample_id": table.sample_id,
        "image": table.image,
        "given_label": table.given_label,
        "is_labelled": pa.array(table.is_labelled),
        "status": final_status,
        "reason": reason,
        "p_mislabeled": spread(verdicts.p_mislabeled, scored, n),
        "is_label_issue": spread(verdicts.flagged, scored, n),
        "rank": spread(_ranks(verdicts.p_mislabeled), scored, n),
        "epsilon": spread(fitted.last.epsilon if verdicts.has_epsilon else None, scored, n),
        **_predictions(table, fitted, verdicts, usable),
        **{name: getattr(table, name) for name in ("true_label", "split", "annotator", "batch")},
    }
    return pa.table([_column(columns.get(field.name), field.type, n) for field in SCHEMA], schema=SCHEMA)


def suggestions(probs: npt.NDArray[np.float32], given: Codes, flagged: npt.NDArray[np.bool_]) -> Codes:
    """The class to suggest for each of m rows: the Guider's best, or on a flagged row its best but the given one."""
    best: Codes = probs.argmax(axis=1)
    rows = np.flatnonzero(flagged & (best == given))
    others = probs[rows]
    others[np.arange(len(rows)), given[rows]] = -1.0
    best[rows] = others.argmax(axis=1)
    return best


def spread(values: npt.NDArray[Any] | pa.Array | None, rows: Codes, n: int) -> pa.Array | None:
    """`values`, one for each of `rows`, in a column of n that is null elsewhere."""
    if values is None:
        return None
    positions = np.full(n, -1)
    positions[rows] = np.arange(len(rows))
    return pa.array(values).take(pa.array(positions, mask=positions < 0))


def _predictions(table: LabelTable, fitted: Fitted, verdicts: Verdicts, usable: Codes) -> dict[str, pa.Array]:
    n, names = len(table), pa.array(table.classes, pa.string())
    probs, given = fitted.guider_mean, table.codes[usable]
    flagged = np.zeros(len(usable), np.bool_)
    flagged[fitted.labelled] = verdicts.flagged
    best = suggestions(probs, given, flagged)
    p_given = probs[fitted.labelled, given[fitted.labelled]]
    top = best_first(probs, min(TOP_CLASSES, probs.shape[1]))
    top_probs = np.take_along_axis(probs, top, axis=1)
    labelled = fitted.labelled
    evidence, kinds = _facts(table, fitted, verdicts, usable[labelled], best[labelled])
    return {
        "evidence": spread(evidence, usable[labelled], n),
        "issue_kind": spread(kinds, usable[labelled], n),
        "suggested_label": spread(names.take(pa.array(best)), usable, n),
        "p_suggested": spread(probs[np.arange(len(probs)), best], usable, n),
        "p_given": spread(p_given, usable[fitted.labelled], n),
        "top_labels": spread(_lists(names.take(pa.array(top.ravel())), top.shape[1]), usable, n),
        "top_probs": spread(_lists(pa.array(top_probs.ravel()), top.shape[1]), usable, n),
    }


def _facts(
    table: LabelTable, fitted: Fitted, verdicts: Verdicts, rows: Codes, suggested: Codes
) -> tuple[pa.Array, pa.Array]:
    """Evidence and kind of issue of the k labelled rows, which are `rows` of the table; null where not flagged."""
    given = table.codes[rows]
    conflict = np.full(len(rows), -1) if verdicts.conflict is None else verdicts.conflict
    grounds = Grounds(
        fitted=fitted,
        given=given,
        suggested=suggested,
        classes=table.classes,
        sample_id=table.sample_id[rows],
        conflict=conflict,
        noise=verdicts.noise,
        lookalikes=verdicts.lookalikes,
        asked=verdicts.by_neighbours,
        neighbours_weight=verdicts.neighbours_weight,
    )
    facts = gather(grounds, verdicts.flagged)
    probs, places = fitted.guider_mean[fitted.labelled], np.arange(len(rows))
    pairs = zip(probs[places, given].tolist(), probs[places, suggested].tolist(), facts, strict=True)
    kinds = [found and issue_kind(p_given, p_suggested, found) for p_given, p_suggested, found in pairs]
    return pa.array(facts, EVIDENCE), pa.array(kinds, pa.string())


def _ranks(p_mislabeled: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """1 = most suspicious; ties go by row."""
    ranks = np.empty(len(p_mislabeled), np.int64)
    ranks[np.argsort(-p_mislabeled, kind="stable")] = np.arange(1, len(p_mislabeled) + 1)
    return ranks


def _column(values: Any, kind: pa.DataType, n: int) -> pa.Array:
    """`values` as a column of this type; all null if there are none."""
    return pa.nulls(n, kind) if values is None else pa.array(values).cast(kind)


def _lists(values: pa.Array, length: int) -> pa.Array:
    return pa.ListArray.from_arrays(pa.array(np.arange(0, len(values) + 1, length), pa.int32()), values)

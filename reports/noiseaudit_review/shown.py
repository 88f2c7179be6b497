"""What the page is told, as JSON. All text of the data is made visible here; the page shows it as text, never as HTML.

The page names classes and rows by their numbers, so no text of the data ever comes back.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from noiseaudit.arrays import numbers
from noiseaudit.manifest import decided_command, saved_run
from noiseaudit.review.board import Said
from noiseaudit.review.queue import Choice, Queue
from noiseaudit.why import records
from noiseaudit_reports.text import sentence, visible, whole
from noiseaudit_review.asked import login_name
from noiseaudit_review.review import Review

_COLUMNS = (
    "row", "sample_id", "image", "given_label", "suggested_label", "p_mislabeled", "p_suggested", "rank",
    "issue_kind", "split", "annotator", "top_labels", "top_probs", "why",
)  # fmt: skip
MOST_TOP = 9  # of the classes that the model thinks of: as many as there are number keys
OPINION = frozenset(("suggested", "p", "p_suggested", "rank", "kind", "top", "why"))  # the audit's, of a row
SWAYS = frozenset(  # counts that tell something of it, or of others' answers
    ("precision", "n_top", "n_judged", "n_wrong", "errors_left", "n_disputed")
)


def about(review: Review) -> dict[str, Any]:
    """What the page needs to know of the audit once."""
    queue, places = review.queue, review.places
    n_of = np.bincount(queue.given[queue.given >= 0], minlength=len(queue.classes))
    return {
        "run": review.log.run_id,
        "name": visible(places.audit.resolve().name),
        "n_rows": len(review.audit),
        "n_unlabelled": int(queue.unlabelled.sum()),
        "has_images": review.images.are_known,
        "compares": review.similar.by_embeddings,
        "blind": review.is_blind,
        "classes": [visible(name) for name in queue.classes],
        "class_counts": n_of.tolist(),
        "pairs": [] if review.is_blind else [asdict(pair) for pair in queue.pairs],
        "choices": {} if review.is_blind else _choices(queue),
        "reviewer": review.reviewer,
        "login": login_name(),
        "export": whole(str(places.export)),
        "next": whole(next_command(review)),
    }


def next_command(review: Review) -> str:
    """The command that reads the answers."""
    return estimate_command(review) if review.is_blind else clean_command(review)


def estimate_command(review: Review) -> str:
    """The command that says how good the audit is, from answers about rows that were drawn."""
    return shlex.join(["noiseaudit", "estimate", str(review.places.audit), str(review.places.export)])


def clean_command(review: Review) -> str:
    """The command that applies the decisions to the label file."""
    places = review.places
    moved = places.source.path if places.source else None
    return decided_command(saved_run(places.audit), places.audit, places.export, moved)


def rows(
    review: Review, wanted: Sequence[int], reviewer: str, *, settles: bool = False
) -> list[dict[str, Any]]:
    """These rows of the audit, with what people said about them; all of it for a reviewer who `settles` them."""
    review.board.refresh()
    table = review.audit.table.take(numbers(np.asarray(wanted, np.int64)))
    return [_row(review, record, reviewer, settles) for record in records(table, _COLUMNS)]


def _row(review: Review, record: dict[str, Any], reviewer: str, settles: bool) -> dict[str, Any]:
    row = record["row"]
    given, suggested = int(review.queue.given[row]), int(review.queue.suggested[row])
    top = zip(record["top_labels"] or (), record["top_probs"] or (), strict=True)
    places = review.class_places
    told = {
        "row": row,
        "sample": visible(record["sample_id"]),
        "image": visible(record["image"] or ""),
        "given": given,
        "suggested": suggested,
        "p": record["p_mislabeled"],
        "p_suggested": record["p_suggested"],
        "rank": record["rank"],
        "kind": _text(record["issue_kind"]),
        "split": _text(record["split"]),
        "annotator": _text(record["annotator"]),
        "top": [[places[name], p] for name, p in list(top)[:MOST_TOP]],
        "why": sentence(record["why"] or ""),
        **said(review, row, reviewer, settles=settles),
    }
    return {name: value for name, value in told.items() if not (review.is_blind and name in OPINION)}


def said(review: Review, row: int, reviewer: str, *, settles: bool = False) -> dict[str, Any]:
    """What people decided about a row. Others' answers would sway this reviewer's, who is told them once they have
    judged it, or where they `settle` what others contradict each other about; never where the row was drawn.
    """
    answers = dict(review.board.answers(row))
    mine = answers.pop(reviewer, None)
    told = {"row": row, "mine": mine and _said(review, mine)}
    is_judged = mine is not None and mine.decision != "skip"
    if review.is_blind or not (is_judged or settles):
        return told
    return told | {
        "others": [{"who": visible(who), **_said(review, answer)} for who, answer in sorted(answers.items())]
    }


def progress(review: Review, reviewer: str) -> dict[str, Any]:
    """The counts now."""
    now = asdict(review.board.progress(reviewer))
    told = {name: value for name, value in now.items() if not (review.is_blind and name in SWAYS)}
    return told | {"reviewers": [visible(name) for name in review.board.reviewers()]}


def similar(review: Review, row: int, count: int) -> dict[str, list[int]]:
    """Rows like this one: of the given class and, unless that is not told, of the suggested one.

    Where there is no given one, of the next most probable.
    """
    labels = {"given": int(review.queue.given[row])}
    if not review.is_blind:
        labels["suggested"] = int(review.queue.suggested[row])
        if labels["given"] < 0:
            labels["next"] = _next(review, row)
    return {
        which: review.similar.rows(row, label, count) if label >= 0 else [] for which, label in labels.items()
    }


def _next(review: Review, row: int) -> int:
    """The class that is most probable but for the suggested one, -1 where there is none."""
    top = review.audit.table.column("top_labels")[row].as_py() or ()
    places = (review.class_places[name] for name in top)
    return next((place for place in places if place != review.queue.suggested[row]), -1)


def _said(review: Review, answer: Said) -> dict[str, Any]:
    label = answer.new_label
    return {
        "decision": answer.decision,
        "label": None if label is None else review.class_places.get(label),
        "text": None if label is None else visible(label),
    }


def _choices(queue: Queue) -> dict[str, list[dict[str, Any]]]:
    return {name: [_choice(choice) for choice in found] for name, found in queue.choices.items()}


def _choice(choice: Choice) -> dict[str, Any]:
    return {"code": choice.code, "name": visible(choice.name), "count": choice.count}


def _text(value: str | None) -> str | None:
    return None if value is None else visible(value)

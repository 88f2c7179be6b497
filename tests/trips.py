"""An audit of invented content that does its best to break the tools it is taken to, and answers to it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from noiseaudit.decisions import Decision, read_decisions, run_id, write_decisions
from noiseaudit.errors import DataError
from noiseaudit.exports.label_studio import CHOICE
from noiseaudit.imports import import_answers
from noiseaudit.result import AuditResult
from tests.conftest import build_audit

LABELS = (
    "<script>alert(1)</script>", 'cat, "the quoted"', "dog\nof two lines", "\u202ereversed \u05d0\u05d1", "NA",
    "back\\slash & 'co' " + "very long " * 40 + "end", "$image costs $5", " blanks ", "007", "1e5",
    "\u200f\u05e9\u05dc\u05d5\u05dd\u200e \u0639\u0631\u0628\u064a", "Caf\u00e9", "Cafe\u0301",
    "\U0001f469\u200d\U0001f52c", "soft\u00adhyphen\u200b", '{"choices": ["NA"]}',
)  # fmt: skip
WIDTH, HEIGHT = 40, 30
ANN, BOB = "ann@example.com", "bob@example.com"


def trip_audit(n: int = 20) -> AuditResult:
    """Rows with such labels, two of them unlabelled, and one whose image is missing."""
    images = [f"set {i % 3}/im #{i} 100%41 & 'q' é.png" if i % 2 else f"{i:04d}.png" for i in range(n)]
    return build_audit(n, LABELS, n_unlabelled=2, n_unread=1, images=images, cutoff=0.4, noise_rate=0.5)


def draw_images(audit: AuditResult, folder: Path) -> None:
    """Its images, each another noise: Label Studio's page takes a file of less than 100 bytes for a broken one."""
    rows = zip(audit.column("image").tolist(), audit.column("status").tolist(), strict=True)
    for i, (name, status) in enumerate(rows):
        if status != "missing":
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            pixels = np.random.default_rng(i).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
            Image.fromarray(pixels).save(folder / name)


def answers(audit: AuditResult, rows: Sequence[int]) -> list[Decision]:
    """What Ann and Bob say about `rows`, in the order in which they say it; the last of them is left unanswered."""
    given, suggested, names = (
        audit.column(name).tolist() for name in ("given_label", "suggested_label", "sample_id")
    )
    run = run_id(audit)

    def said(row: int, kind: str, label: str | None = None, who: str = ANN) -> Decision:
        return Decision(names[row], kind, label, who, run_id=run)

    found = []
    for place, row in enumerate(rows[:-1]):
        other = next(label for label in audit.classes if label not in (given[row], suggested[row]))
        if given[row] is None or place % 6 == 0:
            found.append(said(row, "relabel", other if suggested[row] == given[row] else suggested[row]))
        elif place % 6 == 1:
            found.append(said(row, "keep"))
        elif place % 6 == 2:
            found.append(said(row, "ambiguous"))
        elif place % 6 == 3:
            found.append(said(row, "skip"))
        elif place % 6 == 4:  # two who do not agree
            found += [said(row, "keep"), said(row, "relabel", other, BOB)]
        else:  # one who thinks again
            found += [said(row, "keep", who=BOB), said(row, "relabel", other, BOB)]
    return found


def by_person(decisions: Sequence[Decision]) -> dict[tuple[str, str | None], Decision]:
    """By sample and reviewer, without the times."""
    return {(d.sample_id, d.reviewer): dataclasses.replace(d, decided_at=None) for d in decisions}


def expected(
    said: Sequence[Decision], number: Mapping[str, str], *, with_skips: bool
) -> dict[tuple[str, str | None], Decision]:
    """What should come back of what was said: the last word of each, by the numbers that the tool gave them."""
    numbered = [dataclasses.replace(each, reviewer=number[str(each.reviewer)]) for each in said]
    return by_person([each for each in numbered if with_skips or each.decision != "skip"])


def refused_or_written(path: Path, tool: str, audit: AuditResult) -> bool:
    """Whether a file of answers is refused in one line, or gives decisions that a file holds."""
    try:
        decisions = import_answers(path, tool, audit).decisions
    except DataError as error:
        return len(str(error).splitlines()) == 1
    out = path.with_name("decisions.csv")
    write_decisions(out, decisions)
    return len(read_decisions(out)) == len(decisions)


def min_json(audit: AuditResult, **changes: Any) -> list[dict[str, Any]]:
    """A flat file of Label Studio with one answer, that the first row is a cat."""
    name = audit.column("sample_id")[0]
    cells = {"sample_id": name, "run_id": run_id(audit), CHOICE: "cat", "annotator": 1, "updated_at": "2026"}
    return [cells | changes]

"""estimate where people cannot tell: figures by hand where whole groups are ambiguous, else what would help."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from noiseaudit.decisions import Decision, read_decisions, run_id, write_decisions
from noiseaudit.errors import DataError
from noiseaudit.estimate import estimate
from noiseaudit.result import AuditResult
from noiseaudit.sample import draw_sample, stratify
from noiseaudit_cli.main import app
from tests.conftest import build_audit, written

NOTE = "Of some groups every row is ambiguous (1 in all): the figures take half of them for wrong, the intervals allow"
NO_PRECISION = "for none to all. No suspect could be judged: precision is not known."


def with_suspects(k: int, n: int = 501) -> AuditResult:
    """n scored rows, k of them suspects."""
    plain = build_audit(n, noise_rate=0, n_unlabelled=0, n_unread=0)
    scores = np.sort(plain.column("p_mislabeled"))
    return build_audit(n, noise_rate=0, n_unlabelled=0, n_unread=0, cutoff=float(scores[-k]))


ONE = with_suspects(1)
FIFTY = with_suspects(50)


def parts_of(audit: AuditResult, rows: list[Decision]) -> list[int]:
    parts = stratify(audit)
    place = {name: i for i, name in enumerate(audit.column("sample_id")[parts.rows])}
    return [int(parts.part[place[row.sample_id]]) for row in rows]


def answered(
    audit: AuditResult, rows: list[Decision], unclear: set[int], n_wrong: int = 20
) -> list[Decision]:
    """Rows of the parts `unclear` are ambiguous, the first `n_wrong` others wrong, the rest right."""
    kinds = iter(["relabel"] * n_wrong + ["keep"] * len(rows))
    found = []
    for row, part in zip(rows, parts_of(audit, rows), strict=True):
        kind = "ambiguous" if part in unclear else next(kinds)
        found.append(dataclasses.replace(row, decision=kind, new_label="new" if kind == "relabel" else None))
    return found


def opened(rows: list[Decision], kind: str | None = None) -> list[Decision]:
    return [dataclasses.replace(row, decision=kind, new_label=None) for row in rows]


def test_one_suspect_that_nobody_can_judge() -> None:
    """Of 501 labels 500 are judged, 20 are wrong, and the one suspect is either: 20 or 21, of which it is 0 or 1."""
    assert stratify(ONE).sizes[0] == 1
    found = estimate(ONE, answered(ONE, draw_sample(ONE, 501, 0), {0}))
    assert dataclasses.astuple(found.mislabeled) == (20.5, 20, 21)
    assert dataclasses.astuple(found.noise_rate) == pytest.approx((20.5 / 501, 20 / 501, 21 / 501))
    assert dataclasses.astuple(found.precision) == (None, 0, 1)
    assert dataclasses.astuple(found.recall) == pytest.approx((0.5 / 20.5, 0, 1 / 21))
    assert dataclasses.astuple(found.f1) == pytest.approx((1 / 21.5, 0, 2 / 22))
    assert (found.n_answers, found.n_ambiguous, found.n_unjudged, found.is_enough) == (500, 1, 1, True)


def test_half_of_the_suspects_that_nobody_can_judge() -> None:
    """Those of the other part are judged: precision lies between what all and none of the unclear ones make of it."""
    sizes = stratify(FIFTY).sizes
    rows = draw_sample(FIFTY, 501, 0)
    first = [row for row, part in zip(rows, parts_of(FIFTY, rows), strict=True) if part == 1]
    rest = [row for row in rows if row not in first]
    told = [*opened(first[:5], "keep"), *answered(FIFTY, [*first[5:], *rest], {0}, n_wrong=len(first) - 5)]
    found = estimate(FIFTY, told)  # of part 1, 5 are right and all others wrong; parts 2 and 3 are right
    wrong = int(sizes[1]) - 5
    assert dataclasses.astuple(found.precision) == pytest.approx(
        ((wrong + sizes[0] / 2) / 50, wrong / 50, (wrong + sizes[0]) / 50)
    )
    assert dataclasses.astuple(found.mislabeled) == (wrong + sizes[0] / 2, wrong, wrong + sizes[0])
    assert found.recall.value == 1
    assert (found.n_unjudged, found.n_ambiguous) == (sizes[0], sizes[0])


def test_no_more_is_asked_of_suspects_that_nobody_can_judge() -> None:
    rows = draw_sample(ONE, 200, 0)
    found = estimate(ONE, answered(ONE, rows, {0}), width=0.5)
    assert (found.precision.width, found.recall.width < 0.5, found.is_enough) == (1, True, True)


@pytest.mark.parametrize("kind", [None, "skip"])
def test_rows_that_are_open_are_to_be_answered(kind: str | None) -> None:
    rows = draw_sample(FIFTY, 100, 0)
    parts = parts_of(FIFTY, rows)
    told = answered(FIFTY, rows, {0})
    unclear = [row for row, part in zip(told, parts, strict=True) if part == 0]
    others = [row for row, part in zip(told, parts, strict=True) if part != 0]
    for left in (unclear[:1], unclear):
        told = [*others, *unclear[len(left) :], *opened(left, kind)]
        n = f"{len(left)} open {'row' if len(left) == 1 else 'rows'}"
        with pytest.raises(DataError, match="1 of them has no keep or relabel yet") as caught:
            estimate(FIFTY, told)
        assert str(caught.value).endswith(f"Answer the {n}, with ambiguous where nobody can tell.")


def test_rows_that_were_not_drawn_yet_are_to_be_drawn() -> None:
    rows = draw_sample(FIFTY, 100, 0)
    told = answered(FIFTY, rows, {0})
    cut = [row for row, part in zip(told, parts_of(FIFTY, told), strict=True) if part != 0]
    for decisions in (told, cut):
        with pytest.raises(DataError, match="1 of them has no keep or relabel yet") as caught:
            estimate(FIFTY, decisions, files=[Path("my checks.csv")] * len(decisions))
        assert str(caught.value).endswith(
            "Draw more rows and answer them: noiseaudit sample AUDIT --n 20 --without 'my checks.csv' --out more.csv"
        )


def test_where_nobody_can_judge_any_row_there_are_no_figures() -> None:
    with pytest.raises(DataError, match="all 501 rows are ambiguous"):
        estimate(ONE, opened(draw_sample(ONE, 501, 0), "ambiguous"))


def test_a_further_draw_reaches_a_part_that_nobody_could_judge_so_far() -> None:
    """20 rows more: at least two of it, until there are none left; ambiguous rows stand for none."""
    audit = with_suspects(9)
    size = int(stratify(audit).sizes[0])
    drawn = draw_sample(audit, 40, 0)
    seen = [parts_of(audit, drawn).count(0)]
    while seen[-1] < size:
        unclear = [
            row.sample_id for row, part in zip(drawn, parts_of(audit, drawn), strict=True) if part == 0
        ]
        more = draw_sample(audit, 20, 0, [row.sample_id for row in drawn], unclear)
        assert len(more) == 20
        drawn += more
        assert parts_of(audit, drawn).count(0) >= min(seen[-1] + 2, size)
        seen.append(parts_of(audit, drawn).count(0))
    assert len(seen) > 1
    assert len({row.sample_id for row in drawn}) == len(drawn)
    assert estimate(audit, answered(audit, drawn, {0})).n_unjudged == size
    rest = draw_sample(audit, 501 - len(drawn), 0, [row.sample_id for row in drawn], [drawn[0].sample_id])
    assert len(rest) + len(drawn) == 501


def invoke(*words: object) -> Any:
    return CliRunner().invoke(app, [str(word) for word in words])


def test_from_refusal_to_figures(tmp_path: Path) -> None:
    """What the message says to do leads to figures, in estimate, report and gate, with a line about the group."""
    run, checks, more = written(ONE, tmp_path / "run"), tmp_path / "checks.csv", tmp_path / "more.csv"
    asked = [row for row in draw_sample(ONE, 100, 0) if parts_of(ONE, [row]) != [0]]
    write_decisions(checks, answered(ONE, asked, set(), n_wrong=5))
    refused = invoke("estimate", run, checks)
    assert refused.exit_code == 2
    words = (
        refused.stderr.strip()
        .split("noiseaudit ")[-1]
        .replace("AUDIT", str(run))
        .replace("more.csv", str(more))
    )
    assert invoke(*words.split()).exit_code == 0
    write_decisions(more, answered(ONE, read_decisions(more), {0}, n_wrong=1))
    for words in (("estimate", run), ("gate", run, "--fail-if", "checked_recall_low > 50%")):
        files = (checks, more) if words[0] == "estimate" else ("--checked", checks, "--checked", more)
        done = invoke(*words, *files)
        assert done.exit_code == 0, done.stderr
        assert f"{NOTE} {NO_PRECISION}\n" in done.stderr
    assert "precision\t-\t0.000\t1.000" in invoke("estimate", run, checks, more).stdout
    assert invoke("report", run, "--checked", checks, "--checked", more).exit_code == 0
    assert f"{NOTE} {NO_PRECISION}" in (run / "report.html").read_text("utf-8")
    found = json.loads((run / "report.json").read_text("utf-8"))["checked"]
    assert (found["n_unjudged"], found["precision"]["value"]) == (1, None)
    assert run_id(ONE) in more.read_text()

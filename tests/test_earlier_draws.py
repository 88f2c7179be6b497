"""sample --without: earlier draws are not drawn again, and rows that people chose do not bend the sample."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from noiseaudit.decisions import Decision, read_decisions, run_id, write_decisions
from noiseaudit.earlier_draws import read_earlier
from noiseaudit.sample import allocate, draw_sample, stratify
from noiseaudit_cli.main import app
from tests.conftest import build_audit, written

AUDIT = build_audit(n=1_007, seed=2)  # 1,000 of them scored
IDS = AUDIT.column("sample_id")
WRONG = dict(zip(IDS, AUDIT.column("given_label") != AUDIT.column("true_label"), strict=True))


def invoke(*words: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, [str(word) for word in words])
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return written(AUDIT, tmp_path / "run")


def judged(rows: list[Decision]) -> list[Decision]:
    """As a person would who knows the truth."""
    return [
        dataclasses.replace(row, decision="relabel", new_label="bird")
        if WRONG[row.sample_id]
        else dataclasses.replace(row, decision="keep")
        for row in rows
    ]


def reviewed_suspects(n: int) -> list[Decision]:
    """The most suspicious rows, as a review leaves them: with the run, without a weight."""
    first = IDS[np.argsort(AUDIT.column("rank"))][:n]  # NaN is last
    return judged([Decision(str(name), run_id=run_id(AUDIT)) for name in first])


def parts_of(rows: list[Decision]) -> np.ndarray:
    parts = stratify(AUDIT)
    place = {name: i for i, name in enumerate(IDS[parts.rows])}
    return parts.part[[place[row.sample_id] for row in rows]]


def test_reviewed_suspects_do_not_bend_the_sample(run: Path, tmp_path: Path) -> None:
    """200 rows are shared out as ever, those that were reviewed among them, and their answers give right figures."""
    reviewed, checks = tmp_path / "decisions.csv", tmp_path / "checks.csv"
    write_decisions(reviewed, suspects := reviewed_suspects(100))
    code, _, said = invoke("sample", run, "--n", 200, "--without", reviewed, "--out", checks)
    drawn = read_decisions(checks)
    sizes, part = stratify(AUDIT).sizes, parts_of(drawn)
    counts = np.bincount(part)
    assert (code, counts.tolist()) == (0, allocate(stratify(AUDIT), 200).tolist())
    assert drawn == draw_sample(AUDIT, 200, seed=0)
    assert [row.sampling_weight for row in drawn] == pytest.approx((sizes / counts)[part].tolist())
    again = {row.sample_id for row in suspects} & {row.sample_id for row in drawn}
    assert 0 < len(again) < 100
    assert "100 rows of --without were not drawn by `noiseaudit sample`" in said
    assert f"{len(again)} of them are asked about again" in said

    write_decisions(checks, answered := judged(drawn))
    code, out, _ = invoke("estimate", run, checks, reviewed, "--json")
    found, is_wrong = json.loads(out), np.array([row.decision == "relabel" for row in answered])
    wrong = [sizes[h] * is_wrong[part == h].mean() for h in range(4)]  # 0 and 1 are of suspects
    assert (code, found["n_answers"], found["n_not_drawn"]) == (0, 200, 100)
    assert found["mislabeled"]["value"] == pytest.approx(sum(wrong))
    assert found["precision"]["value"] == pytest.approx(sum(wrong[:2]) / sizes[:2].sum())
    assert found["recall"]["value"] == pytest.approx(sum(wrong[:2]) / sum(wrong))


def test_draws_count_beside_reviewed_rows(run: Path, tmp_path: Path) -> None:
    """Where one file has the weight of a row, it was drawn, whatever another says."""
    reviewed, checks, more = (tmp_path / name for name in ("decisions.csv", "checks.csv", "more.csv"))
    assert invoke("sample", run, "--n", 80, "--out", checks)[0] == 0
    first = read_decisions(checks)
    suspects = reviewed_suspects(100)
    twice = dataclasses.replace(first[0], decision="keep", sampling_weight=None)
    write_decisions(reviewed, [*(row for row in suspects if row.sample_id != twice.sample_id), twice])
    earlier = read_earlier(AUDIT, [reviewed, checks])
    assert earlier.drawn == {row.sample_id for row in first}
    assert earlier.chosen == {row.sample_id for row in suspects} - earlier.drawn
    code, _, _ = invoke("sample", run, "--n", 40, "--without", reviewed, "--without", checks, "--out", more)
    second = read_decisions(more)
    assert (code, second) == (0, draw_sample(AUDIT, 40, 0, earlier.drawn))
    both = np.bincount(parts_of([*first, *second]))
    assert np.abs(both - allocate(stratify(AUDIT), 120)).max() <= 1
    _, _, said = invoke("sample", run, "--n", 40, "--without", checks, "--out", tmp_path / "other.csv")
    assert "were not drawn" not in said


@pytest.mark.parametrize("weight", [None, 5.0])
def test_rows_of_another_audit_are_refused(weight: float | None, run: Path, tmp_path: Path) -> None:
    other, checks = tmp_path / "other.csv", tmp_path / "checks.csv"
    write_decisions(other, [Decision(str(IDS[0]), "keep", run_id="r0123", sampling_weight=weight)])
    done = invoke("sample", run, "--n", 40, "--without", other, "--out", checks)
    assert done == (
        2,
        "",
        f"error: {other}: {str(IDS[0])!r} is of another audit (r0123, this is {run_id(AUDIT)}). Give --without only "
        "rows drawn from this audit.\n",
    )
    assert not checks.exists()


def test_drawn_rows_that_the_audit_has_not_scored_are_refused(run: Path, tmp_path: Path) -> None:
    for name in ("nobody", str(IDS[-1])):  # the last is a missing image
        write_decisions(tmp_path / "other.csv", [Decision(name, "keep", sampling_weight=5.0)])
        done = invoke(
            "sample", run, "--n", 40, "--without", tmp_path / "other.csv", "--out", tmp_path / "a.csv"
        )
        assert done[0] == 2
        assert f"{name!r} has no score in the audit" in done[2]

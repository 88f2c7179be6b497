"""What `export` says besides the number of rows: the README, with the user's paths, and rows judged before."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from noiseaudit.decisions import read_decisions
from noiseaudit.result import AuditResult
from noiseaudit.review.export import export_decisions, write_log
from noiseaudit.review.log import Answer, Log
from tests.reviews import command, review_run
from tests.test_review_path import decided


@pytest.fixture
def audit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AuditResult:
    monkeypatch.chdir(tmp_path)
    return review_run(tmp_path, 40, n_images=1)


@pytest.mark.parametrize("tool", ["label-studio", "cvat"])
def test_the_readme_is_named_and_names_the_run(audit: AuditResult, tmp_path: Path, tool: str) -> None:
    done = command("export", "run", "--format", tool, "--out", "out")
    assert (done.exit_code, done.stderr.splitlines()[-1]) == (0, "How to go on: out/README.md"), done.stderr
    assert (
        f" --from {tool} --audit {tmp_path / 'run'} --out decisions.csv\n"
        in Path("out/README.md").read_text()
    )


def test_suspects_that_people_judged_are_told_of_and_can_be_left_out(audit: AuditResult) -> None:
    first, second, third, *_ = (f"s{row}" for row in np.flatnonzero(audit.suspects()))
    decided(audit, Path("run"), [Answer(first, "keep"), Answer(second, "ambiguous"), Answer(third, "skip")])
    export_decisions(Path("run"), Path("run/decisions.sqlite"), Path("run/decisions.csv"))
    done = command("export", "run", "--format", "label-studio", "--out", "all")
    said = "2 of them are judged in run/decisions.csv already: --decisions run/decisions.csv leaves such rows out.\n"
    assert (done.exit_code, said in done.stderr) == (0, True), done.stderr
    words = ("export", "run", "--format", "label-studio", "--decisions", "run/decisions.csv", "--out", "rest")
    done = command(*words)
    assert (done.exit_code, "Left out because people judged them: 2.\n" in done.stderr) == (0, True), (
        done.stderr
    )
    everything, rest = (
        {task["data"]["sample_id"] for task in json.loads(Path(name, "tasks-0001.json").read_text())}
        for name in ("all", "rest")
    )
    assert everything - rest == {first, second}
    assert third in rest


def test_answers_to_drawn_rows_show_image_and_label_as_the_rows_do(audit: AuditResult) -> None:
    assert command("sample", "run", "--n", 20, "--out", "checks.csv").exit_code == 0
    drawn = read_decisions(Path("checks.csv"))
    log = Log(Path("checks.answers.sqlite"), drawn[0].run_id or "")
    log.decide("e1", "Ann", [Answer(drawn[3].sample_id, "keep")])
    write_log(log, Path("checks.answers.csv"), drawn, audit)
    log.close()
    before, after = (Path(name).read_text().splitlines() for name in ("checks.csv", "checks.answers.csv"))
    assert (after[0], len(after)) == (before[0], 21)
    assert [line.split(",")[-2:] for line in after] == [line.split(",")[-2:] for line in before]
    assert after[4].split(",")[1] == "keep"
    rows = ("review", "run", "--rows", "checks.csv", "--export", "again.csv")
    assert command(*rows).exit_code == 0
    assert Path("again.csv").read_text().splitlines() == after

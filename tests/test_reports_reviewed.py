"""What people decided on the review page, in the reports: how far they are, and nothing about the other rows."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from noiseaudit.decisions import Decision, run_id, write_decisions
from noiseaudit.reviewed import Reviewed, read_reviewed
from noiseaudit.runjson import write_run_json
from noiseaudit_cli.main import app
from noiseaudit_reports import build_view
from noiseaudit_reports.html import render_html
from noiseaudit_reports.json_file import render_json
from noiseaudit_reports.markdown import render_markdown
from tests.conftest import build_audit
from tests.report_page import NO_CHARTS, Page

AUDIT = build_audit(n=407, has_truth=False)
ROWS = AUDIT.to_pandas()
SUSPECTS = ROWS[ROWS.is_label_issue.eq(True)].sort_values("rank")
N = len(SUSPECTS)
UNLABELLED = ROWS[~ROWS.is_labelled].sample_id.tolist()
FOUND = Reviewed(7, 3, 1, 1, 1, 1, 2, N - 6, 9.6)


def says(row: int, kind: str, label: str | None = None, by: str = "Ann") -> Decision:
    """About the suspect of this rank, from 0."""
    return Decision(SUSPECTS.sample_id.iloc[row], kind, label, by, run_id=run_id(AUDIT))


def relabel(row: int, by: str = "Ann") -> Decision:
    return says(row, "relabel", SUSPECTS.suggested_label.iloc[row], by)


def answers() -> list[Decision]:
    """Seven rows judged, two skipped; row 5 by two who differ, row 2 by two who agree."""
    return [
        *map(relabel, range(3)),
        relabel(2, "Bob"),
        says(3, "relabel", SUSPECTS.given_label.iloc[3]),
        says(4, "ambiguous"),
        relabel(5),
        says(5, "keep", by="Bob"),
        Decision(UNLABELLED[0], "relabel", "cat", "Ann", run_id=run_id(AUDIT)),
        says(6, "skip"),
        says(7, "skip"),
        says(0, "skip", by="Bob"),
    ]


def plain(html: str) -> str:
    return " ".join(Page(html).text.replace("\N{NO-BREAK SPACE}", " ").split())


def steps(html: str) -> str:
    return plain(html.partition('<ol class="steps">')[2].partition("</ol>")[0])


def test_rows_are_counted_by_what_people_said(tmp_path: Path) -> None:
    file = tmp_path / "decisions.csv"
    assert read_reviewed(AUDIT, file) is None
    write_decisions(file, answers())
    found = read_reviewed(AUDIT, file)
    assert found is not None
    assert found.right_left == pytest.approx(float((1 - SUSPECTS.p_mislabeled.iloc[6:]).sum()))
    assert found == dataclasses.replace(FOUND, right_left=found.right_left)


def test_other_runs_decisions_and_open_rows_do_not_count(tmp_path: Path) -> None:
    other = [dataclasses.replace(each, run_id=run) for each in answers() for run in ("r0123456789a",)]
    write_decisions(tmp_path / "decisions.csv", other)
    assert read_reviewed(AUDIT, tmp_path / "decisions.csv") is None
    write_decisions(
        tmp_path / "decisions.csv",
        [says(0, "skip"), dataclasses.replace(relabel(1), decision=None, new_label=None)],
    )
    assert read_reviewed(AUDIT, tmp_path / "decisions.csv") is None
    write_decisions(tmp_path / "decisions.csv", [*other[1:], relabel(0)])
    found = read_reviewed(AUDIT, tmp_path / "decisions.csv")
    assert found is not None
    assert (found.n_judged, found.n_relabelled, found.n_suspects_left) == (1, 1, N - 1)


def test_the_summary_and_the_next_steps() -> None:
    view = build_view(AUDIT, reviewed=FOUND, run_folder="my run")
    said = (
        "7 rows were judged by people so far: 3 relabelled, 1 given a first label, 1 kept, 1 ambiguous, 1 judged "
        f"differently by different people; {N - 6} suspects are not judged yet. 2 rows were skipped. The judged rows "
        "were not drawn at random, so they do not tell how many of the others are wrong."
    )
    html, markdown, found = render_html(view, NO_CHARTS), render_markdown(view), json.loads(render_json(view))
    assert said in plain(html)
    assert said in markdown
    assert found["reviewed"] == dataclasses.asdict(FOUND) | {"said": said}
    review = "noiseaudit review 'my run'"
    decided = "noiseaudit clean 'my run' --decisions 'my run/decisions.csv' --out labels.checked.csv"
    rest = "noiseaudit clean 'my run' --policy relabel --out labels.cleaned.csv --decisions 'my run/decisions.csv'"
    assert [found["next"][name] for name in ("review", "decided", "command")] == [review, decided, rest]
    first = f"Go on with the review; {N - 6} suspects left:"
    spoiled = (
        f"Of {N - 6} suspects it is expected to spoil about 10 right labels, by the model's own estimate."
    )
    for text in (steps(html), markdown.partition("## What next")[2]):
        places = [text.index(part) for part in (first, review, decided, spoiled, rest)]
        assert places == sorted(places)
        assert "Look at the suspects, most suspicious first" not in text
    assert steps(html).startswith(f"{first} {review} The suspects are also below.")  # what began it is known


def test_they_change_no_estimate() -> None:
    with_, without = build_view(AUDIT, reviewed=FOUND), build_view(AUDIT)
    for name in ("finding", "estimate", "sureness", "expectation", "expected_wrong", "checked"):
        assert getattr(with_, name) == getattr(without, name)
    assert (without.reviewed, without.reviewed_text) == (None, "")
    assert "judged by people so far" not in render_html(without, NO_CHARTS) + render_markdown(without)
    assert json.loads(render_json(without))["reviewed"] is None


def test_after_the_last_suspect_nothing_is_left_to_relabel() -> None:
    view = build_view(AUDIT, reviewed=Reviewed(N, N, 0, 0, 0, 0, 0, 0, 0.0))
    html, markdown = render_html(view, NO_CHARTS), render_markdown(view)
    for text in (plain(html), markdown):
        assert f"{N} rows were judged by people so far: {N} relabelled; no suspect is left." in text
        assert "All suspects are judged. To look at them again:" in text
        assert "Last choice" not in text


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    AUDIT.write(folder / "audit.parquet")
    write_run_json(folder, {"status": "complete", "paths": {"data": "labels.csv"}})
    return folder


def report(run: Path) -> Any:
    return CliRunner().invoke(app, ["report", str(run)])


def test_report_reads_what_the_review_left_in_the_run_folder(run: Path) -> None:
    write_decisions(run / "decisions.csv", [relabel(0)])
    done = report(run)
    assert (done.exit_code, "warning" in done.stderr) == (0, False)
    for name in ("report.html", "report.md", "report.json"):
        said = f"1 row was judged by people so far: 1 relabelled; {N - 1:,} suspects are not judged yet."
        assert said in (run / name).read_text("utf-8")


@pytest.mark.parametrize(
    ("content", "warning"),
    [
        ("sample_id\n1\n", "has no column decision"),
        (f"sample_id,decision,run_id\nnowhere.png,keep,{run_id(AUDIT)}\n", "is no sample of the audit"),
    ],
)
def test_a_damaged_file_costs_a_warning_not_the_report(run: Path, content: str, warning: str) -> None:
    (run / "decisions.csv").write_text(content)
    done = report(run)
    assert done.exit_code == 0
    (line,) = (line for line in done.stderr.splitlines() if line.startswith("warning: the reports leave out"))
    assert str(run / "decisions.csv") in line
    assert warning in line
    assert "judged by people" not in (run / "report.md").read_text("utf-8")


def test_its_keys_are_documented() -> None:
    docs = Path(__file__).resolve().parent.parent / "docs" / "audit-format.md"
    row = next(row for row in docs.read_text("utf-8").split("\n") if row.startswith("| `reviewed`"))
    assert [name for name in dataclasses.asdict(FOUND) if f"`{name}`" not in row] == []

"""Rows that `sample` drew, answered on the page without being told what the audit thinks, and read by `estimate`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

pytest.importorskip("fastapi", reason="comes with the extra `review`")
pytest.importorskip("httpx", reason="comes with the extra `dev`")

from noiseaudit.decisions import Decision, read_decisions, run_id, write_decisions
from noiseaudit.result import SCHEMA, AuditResult
from noiseaudit.review.drawn import with_answers
from noiseaudit_review.review import Places, Review, open_review
from tests.review_tab import Tab, client_of, decide
from tests.reviews import command, review_run

N_DRAWN = 24
OPINIONS = (
    "suggested_label",
    "p_mislabeled",
    "p_suggested",
    "is_label_issue",
    "issue_kind",
    "top_labels",
    "top_probs",
    "evidence",
)


def drawn_review(folder: Path) -> Review:
    """80 rows, 73 of them scored, and 24 drawn."""
    review_run(folder, 80, n_images=4)
    done = command("sample", folder / "run", "--n", N_DRAWN, "--out", folder / "checks.csv")
    assert done.exit_code == 0, done.stderr
    return of_folder(folder)


def of_folder(folder: Path) -> Review:
    db = folder / "checks.answers.sqlite"
    return open_review(Places(folder / "run", db, db.with_suffix(".csv"), rows=folder / "checks.csv"), "Ann")


@pytest.fixture
def review(tmp_path: Path) -> Iterator[Review]:
    made = drawn_review(tmp_path)
    yield made
    made.log.close()


@pytest.fixture
def client(review: Review) -> Tab:
    return client_of(review)


def asked(client: Tab, **wanted: Any) -> list[dict[str, Any]]:
    made = client.post("/api/lists", json=wanted).json()
    rows: list[dict[str, Any]] = client.get(f"/api/lists/{made['list']}", params={"count": 200}).json()[
        "rows"
    ]
    assert len(rows) == made["total"]
    return rows


def test_exactly_these_rows_in_their_order(client: Tab, tmp_path: Path) -> None:
    names = [drawn.sample_id for drawn in read_decisions(tmp_path / "checks.csv")]
    assert [row["sample"] for row in asked(client)] == names
    assert len(names) == N_DRAWN
    first, second = asked(client)[:2]
    decide(client, "event-01", {"row": second["row"], "decision": "ambiguous"})
    assert [row["sample"] for row in asked(client, state="open")] == [names[0], *names[2:]]
    now = client.get("/api/progress", params={"reviewer": "Ann"}).json()
    assert (now["n_asked"], now["n_checked"], now["n_mine"]) == (N_DRAWN, 1, 1)
    other = next(row for row in range(80) if f"s{row}" not in names)
    refused = decide(client, "event-02", {"row": other, "decision": "keep"})
    assert (refused.status_code, refused.json()) == (422, {"error": "this row was not drawn"})
    assert first["mine"] is None


@pytest.mark.parametrize(
    "wanted", [{"suggested": 1}, {"rows": "all"}, {"rows": "unlabelled"}, {"given": 0}, {"issue_kind": 0}]
)
def test_no_filter_tells(client: Tab, wanted: dict[str, Any]) -> None:
    assert client.post("/api/lists", json=wanted).status_code == 422


def turned(audit: AuditResult, rows: list[int]) -> AuditResult:
    """The audit with other opinions about `rows`: each has those of the next."""
    source = np.arange(len(audit))
    source[rows] = np.roll(rows, 1)
    table = audit.table
    for name in OPINIONS:
        if name in table.column_names:
            place = table.column_names.index(name)
            table = table.set_column(place, SCHEMA.field(name), table.column(name).take(pa.array(source)))
    p = table.column("p_mislabeled").to_numpy()
    scored = np.flatnonzero(~np.isnan(p))
    order = scored[np.lexsort((scored, -p[scored]))].tolist()
    ranks = [order.index(row) + 1 if row in order else None for row in range(len(p))]
    place = table.column_names.index("rank")
    return AuditResult(table.set_column(place, SCHEMA.field("rank"), pa.array(ranks, pa.int64())), audit.meta)


def everything(client: Tab) -> list[Any]:
    """All that the server answers in a session."""
    about = client.get("/api/audit").json()
    told: list[Any] = [{name: about[name] for name in about if name not in ("export", "next")}]
    rows = asked(client)
    told.append(rows)
    for number, row in enumerate(rows):
        told.append(client.get(f"/api/similar/{row['row']}", params={"count": 24}).json())
        kind: dict[str, Any] = [
            {"decision": "keep"},
            {"decision": "relabel", "label": (row["given"] + 1) % 4},
        ][number % 2]
        told.append(decide(client, f"event-{number:03}", {"row": row["row"]} | kind).json())
        told.append(client.get("/api/progress", params={"reviewer": "Ann"}).json())
    told.append(client.post("/api/undo", json={"event_id": "event-undo", "reviewer": "Ann"}).json())
    return [*told, client.get("/api/agreement").json(), asked(client, state="not_mine")]


def test_no_answer_depends_on_what_the_audit_thinks_of_them(tmp_path: Path) -> None:
    told = []
    for name in ("as it is", "turned"):
        folder = tmp_path / name
        review = drawn_review(folder)
        review.log.close()
        before = review.audit.suspects()
        rows: list[int] = review.drawn.rows.tolist() if review.drawn else []
        assert 0 < before[rows].sum() < N_DRAWN
        if name == "turned":
            other = turned(review.audit, rows)
            assert (other.suspects() != before).any()
            other.write(folder / "run" / "audit.parquet")
        again = of_folder(folder)
        told.append(everything(client_of(again)))
        again.log.close()
    assert told[0] == told[1]
    names = set(json.dumps(told[0]).split('"'))
    assert not names & {
        "suggested",
        "p",
        "p_suggested",
        "rank",
        "kind",
        "top",
        "why",
        "precision",
        "errors_left",
    }


def test_the_answers_of_others_are_not_told(client: Tab) -> None:
    row = asked(client)[0]["row"]
    decide(client, "event-01", {"row": row, "decision": "keep"}, reviewer="Bob")
    assert "Bob" not in json.dumps(asked(client))
    told = decide(client, "event-02", {"row": row, "decision": "ambiguous"}).json()  # now they disagree
    assert ("others" in told["rows"][0], "n_disputed" in told["progress"]) == (False, False)
    assert client.post("/api/lists", json={"state": "disputed"}).status_code == 422


def test_estimate_takes_the_file(review: Review, client: Tab, tmp_path: Path) -> None:
    """Weights of a part's rows add up to its size: the wrong labels are the weights of those that are relabelled."""
    drawn = read_decisions(tmp_path / "checks.csv")
    rows = asked(client)
    wrong = 0.0
    for number, row in enumerate(rows):
        is_wrong = number % 3 == 0
        label = {"decision": "relabel", "label": (row["given"] + 1) % 4} if is_wrong else {"decision": "keep"}
        assert decide(client, f"event-{number:03}", {"row": row["row"]} | label).status_code == 200
        wrong += (drawn[number].sampling_weight or 0) * is_wrong
    assert client.post("/api/export", json={}).json()["n"] == N_DRAWN
    found = read_decisions(review.places.export)
    assert [(d.sample_id, d.sampling_weight) for d in found] == [
        (d.sample_id, d.sampling_weight) for d in drawn
    ]
    assert {(d.reviewer, d.run_id) for d in found} == {("Ann", run_id(review.audit))}
    done = command("estimate", tmp_path / "run", review.places.export, "--json")
    assert done.exit_code == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["n_answers"], told["n_not_drawn"], told["n_scored"]) == (N_DRAWN, 0, 73)
    assert told["mislabeled"]["value"] == pytest.approx(wrong)
    assert told["noise_rate"]["value"] == pytest.approx(wrong / 73)
    out = tmp_path / "out.csv"
    done = command("review", tmp_path / "run", "--rows", tmp_path / "checks.csv", "--export", out)
    assert (done.exit_code, "24 decisions in" in done.stderr) == (0, True), done.stderr
    assert out.read_text() == review.places.export.read_text()


def test_rows_that_nobody_answered_stay_as_they_are() -> None:
    drawn = [
        Decision("a", sampling_weight=2.0),
        Decision("b", "keep", sampling_weight=3.0),
        Decision("c", "skip", sampling_weight=4.0),
    ]
    said = [
        Decision("c", "relabel", "x", "Ann"),
        Decision("z", "keep", None, "Ann"),
        Decision("c", "keep", None, "Bob"),
    ]
    assert with_answers(drawn, said) == [
        *drawn[:2],
        Decision("c", "relabel", "x", "Ann", sampling_weight=4.0),
        Decision("c", "keep", None, "Bob", sampling_weight=4.0),
    ]


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([], "has no rows"),
        ([Decision("s1", run_id="0123456789ab")], "'s1' was drawn from another audit"),
        ([Decision("nobody")], "'nobody' is no sample of the audit"),
        ([Decision("s1"), Decision("s2")], "none of its rows was drawn by `noiseaudit sample`"),
    ],
)
def test_rows_that_are_not_of_the_audit(tmp_path: Path, rows: list[Decision], why: str) -> None:
    review_run(tmp_path, 40, n_images=1)
    write_decisions(tmp_path / "checks.csv", rows)
    done = command("review", tmp_path / "run", "--rows", tmp_path / "checks.csv", "--no-browser")
    assert (done.exit_code, why in done.stderr, "checks.csv" in done.stderr) == (2, True, True), done.stderr
    assert not (tmp_path / "checks.answers.sqlite").exists()


def test_the_drawn_rows_are_never_written_over(tmp_path: Path) -> None:
    review_run(tmp_path, 40, n_images=1)
    checks = tmp_path / "checks.csv"
    write_decisions(checks, [Decision("s1", sampling_weight=2.0)])
    before = checks.read_bytes()
    for words in (["--db", checks.with_suffix(".sqlite")], ["--export", checks, "--force"]):
        done = command("review", tmp_path / "run", "--rows", checks, "--no-browser", *words)
        assert (done.exit_code, checks.read_bytes()) == (2, before), done.stderr

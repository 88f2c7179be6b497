"""Rows without a label on the review page: shown, answered, applied, and kept out of what is said of given labels."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="comes with the extra `review`")
pytest.importorskip("httpx", reason="comes with the extra `dev`")

from noiseaudit_review.review import Review
from tests.review_tab import Tab, client, decide, review, suspects
from tests.reviews import command

__all__ = ["client", "review"]  # fixtures: of 80 rows, 73 to 76 have no label, and 77 to 79 no picture
UNLABELLED = [73, 74, 75, 76]


def listed(client: Tab, **wanted: Any) -> list[dict[str, Any]]:
    made = client.post("/api/lists", json={"rows": "unlabelled"} | wanted).json()
    rows: list[dict[str, Any]] = client.get(f"/api/lists/{made['list']}", params={"reviewer": "Ann"}).json()[
        "rows"
    ]
    assert len(rows) == made["total"]
    return rows


def cells(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as lines:
        return [*csv.DictReader(lines)]


def progress(client: Tab) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/api/progress", params={"reviewer": "Ann"}).json()
    return found


def test_they_are_listed_surest_first(review: Review, client: Tab) -> None:
    rows, sureness = listed(client), review.audit.column("p_suggested")
    classes = client.get("/api/audit").json()["classes"]
    assert client.get("/api/audit").json()["n_unlabelled"] == 4
    assert [row["row"] for row in rows] == sorted(UNLABELLED, key=lambda row: -float(sureness[row]))
    for row in rows:
        assert (row["given"], row["p"], row["rank"], row["why"]) == (-1, None, None, "")
        assert classes[row["suggested"]] == review.audit.column("suggested_label")[row["row"]]
        assert row["p_suggested"] == sureness[row["row"]]
        top = [classes[code] for code, _ in row["top"]]
        assert top == review.audit.table.column("top_labels")[row["row"]].as_py()


def test_beside_one_are_rows_of_its_two_most_probable_classes(review: Review, client: Tab) -> None:
    row = listed(client)[0]
    alike = client.get(f"/api/similar/{row['row']}", params={"count": 4}).json()
    other = next(code for code, _ in row["top"] if code != row["suggested"])
    assert alike["given"] == []
    assert alike["suggested"] == review.similar.rows(row["row"], row["suggested"], 4)
    assert alike["next"] == review.similar.rows(row["row"], other, 4)
    assert len(alike["next"]) == 4
    labelled = client.get(f"/api/similar/{suspects(client)[0]['row']}").json()
    assert set(labelled) == {"given", "suggested"}


def test_there_is_nothing_to_keep(review: Review, client: Tab) -> None:
    keep, fill = {"row": 73, "decision": "keep"}, {"row": 74, "decision": "relabel", "label": 0}
    refused = decide(client, "event-01", fill, keep)
    assert (refused.status_code, refused.json()) == (422, {"error": "this row has no label to keep"})
    assert review.log.since(0) == []


def test_answers_are_counted_apart_and_fill_the_label_file(
    review: Review, client: Tab, tmp_path: Path
) -> None:
    first = suspects(client)[0]
    decide(client, "event-01", {"row": first["row"], "decision": "keep"})
    before = progress(client)
    accepted, chosen, unclear, left = listed(client)
    answers = [
        {"row": accepted["row"], "decision": "relabel", "label": accepted["suggested"]},
        {"row": chosen["row"], "decision": "relabel", "label": (chosen["suggested"] + 1) % 4},
        {"row": unclear["row"], "decision": "ambiguous"},
    ]
    now = decide(client, "event-02", *answers).json()["progress"]
    counts = {"n_unlabelled_checked": 3, "n_unlabelled_mine": 3}
    assert now == before | counts
    assert progress(client) == now
    decide(client, "event-03", {"row": left["row"], "decision": "relabel", "label": 0})
    client.post("/api/undo", json={"event_id": "event-04", "reviewer": "Ann"})
    assert progress(client) == now
    assert [row["row"] for row in listed(client, state="open")] == [left["row"]]
    assert client.post("/api/export", json={}).json()["n"] == 4
    out = tmp_path / "out.csv"
    done = command("clean", tmp_path / "run", "--decisions", review.places.export, "--out", out)
    assert done.exit_code == 0, done.stderr
    was, after = ([row["label"] for row in cells(file)] for file in (tmp_path / "labels.csv", out))
    classes = review.queue.classes
    filled = {
        accepted["row"]: classes[accepted["suggested"]],
        chosen["row"]: classes[(chosen["suggested"] + 1) % 4],
    }
    assert all(was[row] == "" for row in filled)
    assert after == [filled.get(row, label) for row, label in enumerate(was)]


def test_agreement_about_them_is_apart(review: Review, client: Tab, tmp_path: Path) -> None:
    row = suspects(client)[0]
    for who, kind in (("Ann", "keep"), ("Bob", "ambiguous")):
        decide(client, f"event-of-{who}-1", {"row": row["row"], "decision": kind}, reviewer=who)
        fills = [{"row": other, "decision": "relabel", "label": other % 2} for other in UNLABELLED]
        decide(client, f"event-of-{who}-2", *fills, reviewer=who)
    agreed = client.get("/api/agreement").json()
    assert (agreed["n_rows"], agreed["share"]) == (1, 0.0)
    assert (agreed["unlabelled"]["n_rows"], agreed["unlabelled"]["value"]) == (4, 1.0)
    done = command("review", tmp_path / "run", "--export", tmp_path / "out.csv")
    assert "0 % of answers equal on 1 row that" in done.stderr
    assert "; without a label: 100 % of answers equal on 4 rows that" in done.stderr


def test_estimate_counts_none_of_them(review: Review, client: Tab, tmp_path: Path) -> None:
    """Beside answers about drawn rows, they change no figure."""
    checks, run = tmp_path / "checks.csv", tmp_path / "run"
    assert command("sample", run, "--n", 24, "--out", checks).exit_code == 0
    lines = cells(checks)
    with checks.open("w", newline="") as file:
        writer = csv.DictWriter(file, [*lines[0]])
        writer.writeheader()
        writer.writerows(line | {"decision": "keep"} for line in lines)
    alone = json.loads(command("estimate", run, checks, "--json").stdout)
    decide(client, "event-01", *({"row": row, "decision": "relabel", "label": 0} for row in UNLABELLED))
    client.post("/api/export", json={})
    both = json.loads(command("estimate", run, checks, review.places.export, "--json").stdout)
    assert alone["n_answers"] == 24
    assert both == alone | {"n_not_drawn": 4}

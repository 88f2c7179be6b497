"""What the server takes, and what it refuses: decisions, undo, lists, and pages of another run."""

from __future__ import annotations

import json
import shlex
import threading
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="comes with the extra `review`")
pytest.importorskip("httpx", reason="comes with the extra `dev`")

from starlette.testclient import TestClient

from noiseaudit.decisions import read_decisions
from noiseaudit.review.log import Answer
from noiseaudit_review.review import Places, Review, open_review
from noiseaudit_review.security import HEADER
from noiseaudit_review.shown import clean_command
from tests.review_tab import TOKEN, Tab, client, client_of, decide, review, suspects
from tests.reviews import command, review_run

__all__ = ["client", "review"]  # fixtures


def test_a_list_stays_as_it_was_and_is_forgotten_in_the_end(client: Tab) -> None:
    first = client.post("/api/lists", json={"state": "open"}).json()
    rows = client.get(f"/api/lists/{first['list']}").json()["rows"]
    assert decide(client, "event-01", {"row": rows[0]["row"], "decision": "keep"}).status_code == 200
    assert client.get(f"/api/lists/{first['list']}").json()["rows"][0]["row"] == rows[0]["row"]
    assert client.post("/api/lists", json={"state": "open"}).json()["total"] == first["total"] - 1
    begins = [client.post("/api/lists", json={"reviewer": who}).json()["first"] for who in ("Ann", "Bob")]
    assert begins == [1, 0]
    assert client.post("/api/lists", json={"given": 99}).json()["total"] == 0
    for _ in range(30):
        client.post("/api/lists", json={})
    assert client.get(f"/api/lists/{first['list']}").status_code == 404


def test_decide_retry_undo(client: Tab) -> None:
    first, second = suspects(client)[:2]
    answers = (
        {"row": first["row"], "decision": "relabel", "label": first["suggested"]},
        {"row": second["row"], "decision": "relabel", "label": second["given"]},
    )
    for _ in range(2):
        done = decide(client, "event-01", *answers, seconds=3).json()
        assert [row["mine"]["decision"] for row in done["rows"]] == ["relabel", "keep"]
        assert done["progress"]["precision"]["value"] == 0.5
        assert done["progress"]["median_seconds"] == 1.5
    for _ in range(2):
        done = client.post("/api/undo", json={"event_id": "event-02", "reviewer": "Ann"}).json()
        assert [(row["row"], row["mine"]) for row in done["rows"]] == [
            (first["row"], None),
            (second["row"], None),
        ]
    assert (done["progress"]["n_checked"], done["progress"]["median_seconds"]) == (0, None)
    empty = client.post("/api/undo", json={"event_id": "event-03", "reviewer": "Ann"}).json()
    assert empty["rows"] == []


def test_a_page_of_another_run_is_told_so(review: Review, client: Tab) -> None:
    stale = Tab(client.app, "0123456789ab")
    number = client.post("/api/lists", json={}).json()["list"]
    action = {"event_id": "event-01", "reviewer": "Ann"}
    decision = action | {"answers": [{"row": 1, "decision": "keep"}]}
    posts: dict[str, dict[str, Any]] = {
        "/api/decisions": decision, "/api/undo": action, "/api/lists": {}, "/api/export": {},
    }  # fmt: skip
    gets = [
        f"/api/lists/{number}",
        "/api/lists/999",
        "/api/progress",
        "/api/agreement",
        "/api/similar/1",
        "/image/1",
    ]
    for answer in (*(stale.post(path, json=body) for path, body in posts.items()), *map(stale.get, gets)):
        assert (answer.status_code, answer.json()) == (
            409,
            {"error": "this page is of another run: reload it"},
        )
    silent = TestClient(client.app, base_url=str(client.base_url), headers={HEADER: TOKEN})
    for path, body in posts.items():
        assert silent.post(path, json=body).status_code == 422
    assert [silent.get(path).status_code for path in gets] == [422] * len(gets)
    assert review.log.since(0) == []
    assert not review.places.export.exists()
    assert client.post("/api/decisions", json=decision).status_code == 200


def test_two_reviewers_see_each_other(client: Tab) -> None:
    row = suspects(client)[0]
    decide(client, "event-01", {"row": row["row"], "decision": "keep"})
    decide(client, "event-02", {"row": row["row"], "decision": "ambiguous"}, reviewer="  Bob ")
    shown = suspects(client, "Bob")[0]
    assert shown["mine"]["decision"] == "ambiguous"
    assert [(other["who"], other["decision"]) for other in shown["others"]] == [("Ann", "keep")]
    assert client.get("/api/progress").json()["n_disputed"] == 1
    assert client.get("/api/progress").json()["reviewers"] == ["Ann", "Bob"]
    agreed = client.get("/api/agreement").json()
    assert (agreed["n_rows"], agreed["share"], agreed["value"]) == (1, 0.0, 0.0)
    assert (
        decide(client, "event-01", {"row": row["row"], "decision": "keep"}, reviewer="Bob").status_code == 422
    )


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"answers": [{"row": 80, "decision": "keep"}]}, 404),
        ({"answers": [{"row": -1, "decision": "keep"}]}, 422),
        ({"answers": [{"row": "3", "decision": "keep"}]}, 422),
        ({"answers": [{"row": 74, "decision": "keep"}]}, 422),  # it has no label
        ({"answers": [{"row": 1, "decision": "delete"}]}, 422),
        ({"answers": [{"row": 1, "decision": "relabel"}]}, 422),
        ({"answers": [{"row": 1, "decision": "keep", "label": 1}]}, 422),
        ({"answers": [{"row": 1, "decision": "relabel", "label": 4}]}, 422),
        ({"answers": [{"row": 1, "decision": "keep"}, {"row": 1, "decision": "skip"}]}, 422),
        ({"answers": [{"row": 1, "decision": "keep", "image": "/etc/passwd"}]}, 422),
        ({"answers": []}, 422),
        ({"reviewer": " "}, 422),
        ({"reviewer": "a\nb"}, 422),
        ({"reviewer": "\u202eAnn"}, 422),
        ({"reviewer": "=cmd()"}, 422),
        ({"reviewer": "n" * 81}, 422),
        ({"event_id": "short"}, 422),
        ({"event_id": "'; DROP TABLE events"}, 422),
        ({"seconds": -1}, 422),
        ({"seconds": 1e9}, 422),
        ({"more": 1}, 422),
    ],
)
def test_what_cannot_be_recorded(review: Review, client: Tab, change: dict[str, Any], status: int) -> None:
    body = {"event_id": "event-01", "reviewer": "Ann", "answers": [{"row": 1, "decision": "keep"}]} | change
    answer = client.post("/api/decisions", json=body)
    assert (answer.status_code, list(answer.json())) == (status, ["error"])
    assert review.log.since(0) == []


def test_bodies_that_are_no_json(client: Tab) -> None:
    assert (
        client.post("/api/lists", content=b"{", headers={"Content-Type": "application/json"}).status_code
        == 422
    )
    body = json.dumps({"event_id": "event-01", "reviewer": "Ann"})
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        assert client.post("/api/undo", content=body, headers={"Content-Type": kind}).status_code == 415
    assert client.get("/api/decisions").status_code == 405


def test_the_button_writes_the_file(review: Review, client: Tab) -> None:
    row = suspects(client)[0]
    decide(client, "event-01", {"row": row["row"], "decision": "keep"})
    assert client.post("/api/export", json={}).json()["n"] == 1
    (decision,) = read_decisions(review.places.export)
    assert (decision.sample_id, decision.decision, decision.reviewer) == (row["sample"], "keep", "Ann")


def test_eight_threads(review: Review, client: Tab) -> None:
    rows = [row["row"] for row in suspects(client)][:16]
    statuses = []

    def work(who: int) -> None:
        own = Tab(client.app, client.run)
        for row in rows:
            answer = {"row": row, "decision": "keep"}
            body = {"event_id": f"event-{who}-{row}", "reviewer": f"r{who}", "answers": [answer]}
            statuses.append(own.post("/api/decisions", json=body).status_code)

    threads = [threading.Thread(target=work, args=(who,)) for who in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 128
    now = client.get("/api/progress", params={"reviewer": "r3"}).json()
    assert (now["n_checked"], now["n_mine"], now["n_disputed"]) == (16, 16, 0)
    assert now["precision"]["value"] == 0.0
    assert len(now["reviewers"]) == 8
    assert len(review.log.since(0)) == 128


def test_the_clean_command_writes_the_kind_of_file_that_was_scanned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    review_run(tmp_path, 40, n_images=1)
    run, labels = tmp_path / "run", tmp_path / "labels.jsonl"
    lines = [line.replace('"', "").split(",") for line in (tmp_path / "labels.csv").read_text().splitlines()]
    rows = [dict(zip(lines[0], cells, strict=True)) for cells in lines[1:]]
    labels.write_text("".join(json.dumps(row | {"label": row["label"] or None}) + "\n" for row in rows))
    said = json.loads((run / "run.json").read_text())
    said["paths"]["data"], said["source"] = (
        str(labels),
        said["source"] | {"path": str(labels), "format": "jsonl"},
    )
    (run / "run.json").write_text(json.dumps(said))
    review = open_review(Places(run, run / "decisions.sqlite", run / "decisions.csv"))
    row = suspects(client_of(review))[0]["row"]
    review.log.decide("event-of-Ann", "Ann", [Answer(f"s{row}", "ambiguous")])
    review.export()
    review.log.close()
    monkeypatch.chdir(tmp_path)
    program, *words = shlex.split(clean_command(review))
    assert (program, command(*words).exit_code) == ("noiseaudit", 0)
    assert (tmp_path / "labels.checked.jsonl").read_bytes() == labels.read_bytes()


def test_what_is_unanswered_in_a_list(client: Tab) -> None:
    """Of a list as it was made: skipped rows are answered, and after the last comes the first again."""
    rows = suspects(client)
    made = client.post("/api/lists", json={}).json()
    n, last = made["total"], made["total"] - 1

    def ask(start: int, reviewer: str = "Ann") -> Any:
        place = f"/api/lists/{made['list']}/unanswered"
        return client.get(place, params={"start": start, "reviewer": reviewer}).json()

    assert (ask(0), ask(last)) == ({"n": n, "next": 0}, {"n": n, "next": last})
    decide(client, "event-01", {"row": rows[0]["row"], "decision": "keep"})
    decide(client, "event-02", {"row": rows[last]["row"], "decision": "skip"})
    assert (ask(0), ask(last)) == ({"n": n - 2, "next": 1}, {"n": n - 2, "next": 1})
    assert ask(0, "Bob") == {"n": n, "next": 0}
    rest = [{"row": row["row"], "decision": "skip"} for row in rows[1:last]]
    decide(client, "event-03", *rest)
    assert ask(0) == {"n": 0, "next": None}
    assert client.get("/api/lists/999/unanswered", params={"reviewer": "Ann"}).status_code == 404

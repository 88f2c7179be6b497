"""A second reviewer's answers are their own: the server tells nobody what others said before they have judged a row."""

from __future__ import annotations

import json
from typing import Any

from tests.review_tab import Tab, client, decide, review, suspects

__all__ = ["client", "review"]  # fixtures


def of_list(client: Tab, reviewer: str, **wanted: str) -> list[dict[str, Any]]:
    made = client.post("/api/lists", json={"reviewer": reviewer, **wanted}).json()
    query = {"count": 200, "reviewer": reviewer}
    rows: list[dict[str, Any]] = client.get(f"/api/lists/{made['list']}", params=query).json()["rows"]
    return rows


def others(told: dict[str, Any]) -> list[tuple[str, str]] | None:
    """None: they are not told."""
    if "others" not in told:
        return None
    return [(other["who"], other["decision"]) for other in told["others"]]


def test_others_are_told_once_one_has_judged(client: Tab) -> None:
    row = suspects(client)[0]["row"]
    decide(client, "event-01", {"row": row, "decision": "keep"})
    before = of_list(client, "Bob")[0]
    assert (before["row"], others(before)) == (row, None)
    assert "Ann" not in json.dumps(of_list(client, "Bob"))
    assert others(of_list(client, "")[0]) is None  # who gave no name yet
    skipped = decide(client, "event-02", {"row": row, "decision": "skip"}, reviewer="Bob").json()
    assert others(skipped["rows"][0]) is None
    judged = decide(client, "event-03", {"row": row, "decision": "ambiguous"}, reviewer="Bob").json()
    assert others(judged["rows"][0]) == [("Ann", "keep")]
    assert others(of_list(client, "Bob")[0]) == [("Ann", "keep")]
    undone = client.post("/api/undo", json={"event_id": "event-04", "reviewer": "Bob"}).json()
    assert (undone["rows"][0]["mine"]["decision"], others(undone["rows"][0])) == ("skip", None)
    assert others(of_list(client, "Bob")[0]) is None


def test_who_settles_is_told_at_once(client: Tab) -> None:
    first, second = (each["row"] for each in suspects(client)[:2])
    decide(client, "event-01", {"row": first, "decision": "keep"}, {"row": second, "decision": "keep"})
    decide(client, "event-02", {"row": first, "decision": "ambiguous"}, reviewer="Bob")
    (told,) = of_list(client, "Kim", state="disputed")
    assert (told["row"], others(told)) == (first, [("Ann", "keep"), ("Bob", "ambiguous")])
    assert [others(each) for each in of_list(client, "Kim")[:2]] == [None, None]

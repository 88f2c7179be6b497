"""A page of the review server, as the tests open it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="comes with the extra `review`")
pytest.importorskip("httpx", reason="comes with the extra `dev`")

from starlette.testclient import TestClient
from starlette.types import ASGIApp

from noiseaudit_review.app import make_app
from noiseaudit_review.review import Places, Review, open_review
from noiseaudit_review.security import HEADER
from tests.reviews import review_run

TOKEN, PORT = "a-token-for-this-test", 8765


def opened(folder: Path, **options: Any) -> Review:
    review_run(folder, 80, **options)
    run = folder / "run"
    return open_review(Places(run, run / "decisions.sqlite", run / "decisions.csv"))


class Tab(TestClient):
    """A page of `run`: every request says so, as the real one's do."""

    def __init__(self, app: ASGIApp, run: str) -> None:
        super().__init__(app, base_url=f"http://127.0.0.1:{PORT}", headers={HEADER: TOKEN})
        self.run = run

    def get(self, url: Any, **options: Any) -> Any:
        if "params" in options:
            options["params"] = {"run": self.run} | options["params"]
        else:
            url = f"{url}{'&' if '?' in url else '?'}run={self.run}"
        return super().get(url, **options)

    def post(self, url: Any, **options: Any) -> Any:
        if "json" in options:
            options["json"] = {"run": self.run} | options["json"]
        return super().post(url, **options)


def client_of(review: Review) -> Tab:
    return Tab(make_app(review, TOKEN, PORT), review.log.run_id)


@pytest.fixture
def review(tmp_path: Path) -> Iterator[Review]:
    made = opened(tmp_path, n_images=4)
    yield made
    made.log.close()


@pytest.fixture
def client(review: Review) -> Tab:
    return client_of(review)


def suspects(client: Tab, reviewer: str = "Ann") -> list[dict[str, Any]]:
    made = client.post("/api/lists", json={}).json()
    query: dict[str, int | str] = {"count": 200, "reviewer": reviewer}
    rows: list[dict[str, Any]] = client.get(f"/api/lists/{made['list']}", params=query).json()["rows"]
    assert len(rows) == made["total"]
    return rows


def decide(client: Tab, event: str, *answers: dict[str, Any], **more: Any) -> Any:
    return client.post(
        "/api/decisions", json={"event_id": event, "reviewer": "Ann", "answers": list(answers)} | more
    )

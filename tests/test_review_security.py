"""Only this machine's browser, with the token, from the server's own page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="comes with the extra `review`")
pytest.importorskip("httpx", reason="comes with the extra `dev`")

from starlette.testclient import TestClient

from noiseaudit_review.app import make_app
from noiseaudit_review.review import open_review
from noiseaudit_review.security import HEADER, MOST_BYTES
from tests.review_tab import PORT, TOKEN, Tab, client_of, opened

OWN = f"http://127.0.0.1:{PORT}"


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    review = opened(tmp_path_factory.mktemp("security"), n_images=1)
    yield client_of(review)
    review.log.close()


@pytest.fixture
def stranger(known: Tab) -> TestClient:
    return TestClient(known.app, base_url=OWN, follow_redirects=False)


@pytest.mark.parametrize("path", ["/", "/api/audit", "/image/0", "/static/main.js", "/nothing"])
def test_nothing_without_the_token(stranger: TestClient, path: str) -> None:
    assert stranger.get(path).status_code == 401
    assert stranger.get(path, headers={HEADER: TOKEN + "x"}).status_code == 403
    assert stranger.get(path, headers={HEADER: ""}).status_code == 403
    assert stranger.get(path, headers={"Cookie": f"noiseaudit_review_{PORT}=wrong"}).status_code == 403


@pytest.mark.parametrize("other", ['{"theme": 1}', '"a', "na\u00efve", "a b, c", "[1]"])
def test_cookies_of_other_servers_of_this_machine_hide_no_token(stranger: TestClient, other: str) -> None:
    """They come along, whatever port they are of."""
    own = f"noiseaudit_review_{PORT}={TOKEN}"
    for line in (f"other={other}; {own}", f"{own}; other={other}"):
        assert stranger.get("/", headers={b"cookie": line.encode()}).status_code == 200


def test_the_address_gives_a_cookie_that_scripts_cannot_read(stranger: TestClient) -> None:
    answer = stranger.get("/", params={"token": TOKEN})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert stranger.get("/").status_code == 200
    assert stranger.get("/api/audit").status_code == 200


def test_the_address_that_a_browser_was_started_with_opens_the_page_once(tmp_path: Path) -> None:
    """Its command line is for all users of the machine to read, as long as it runs."""
    review = opened(tmp_path, n_images=1)
    guarded = make_app(review, TOKEN, PORT, "for-once")
    own, other = (TestClient(guarded, base_url=OWN, follow_redirects=False) for _ in range(2))
    assert own.get("/api/audit", headers={HEADER: "for-once"}).status_code == 403
    assert own.get("/", params={"token": "for-onc"}).status_code == 403
    assert own.get("/", params={"token": "for-once"}).status_code == 303
    assert own.get("/api/audit").status_code == 200
    refused = other.get("/", params={"token": "for-once"})
    assert (refused.status_code, "that was used: open the address" in refused.text) == (403, True)
    assert other.get("/", params={"token": ""}).status_code == 401
    assert other.get("/", params={"token": TOKEN}).status_code == 303
    review.log.close()


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_link_of_a_web_terminal_opens_the_page(stranger: TestClient, site: str) -> None:
    link = {"Sec-Fetch-Site": site}
    answer = stranger.get("/", params={"token": TOKEN}, headers=link)
    assert (answer.status_code, TOKEN in answer.text) == (200, False)
    assert '<meta http-equiv="refresh" content="0; url=/">' in answer.text
    assert "samesite=strict" in answer.headers["set-cookie"].lower()
    assert answer.headers["cache-control"] == "no-store"
    assert stranger.get("/", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200
    assert stranger.get("/", headers=link).status_code == 403
    assert stranger.get("/", params={"token": "wrong"}, headers=link).status_code == 403
    evil = link | {"Origin": "http://evil.example"}
    assert stranger.get("/", params={"token": TOKEN}, headers=evil).status_code == 403


def test_browsers_leave_port_80_out(tmp_path: Path) -> None:
    review = opened(tmp_path, n_images=1)
    guarded = make_app(review, TOKEN, 80)
    for host in ("127.0.0.1", "localhost", "127.0.0.1:80"):
        page = TestClient(guarded, base_url=f"http://{host}", headers={HEADER: TOKEN})
        for headers in ({}, {"Origin": f"http://{host}"}):
            assert page.get("/api/audit", headers=headers).status_code == 200
    review.log.close()


def test_a_wrong_token_in_the_address(stranger: TestClient) -> None:
    assert stranger.get("/", params={"token": "wrong"}).status_code == 403
    assert stranger.get("/", params={"token": "wrong\u202e"}).status_code == 403
    assert stranger.get("/api/audit", params={"token": TOKEN}).status_code == 401  # for the page alone
    assert stranger.post("/", params={"token": TOKEN}).status_code == 401


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        f"evil.example:{PORT}",
        "127.0.0.1",
        "127.0.0.1:1",
        f"127.0.0.1.evil.example:{PORT}",
        "",
    ],
)
def test_other_hosts_are_refused(known: Tab, host: str) -> None:
    assert known.get("/api/audit", headers={"Host": host}).status_code == 421


def test_localhost_is_this_machine(known: Tab) -> None:
    assert known.get("/api/audit", headers={"Host": f"localhost:{PORT}"}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": f"https://127.0.0.1:{PORT}"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_other_sites_are_refused_even_with_the_token(known: Tab, headers: dict[str, str]) -> None:
    assert known.post("/api/lists", json={}, headers=headers).status_code == 403
    assert known.get("/api/audit", headers=headers).status_code == 403


def test_the_own_page_is_no_other_site(known: Tab) -> None:
    for headers in ({"Origin": OWN}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}):
        assert known.post("/api/lists", json={}, headers=headers).status_code == 200


def test_large_bodies_are_refused(known: Tab) -> None:
    kind = {"Content-Type": "application/json"}
    assert known.post("/api/lists", content=b" " * (MOST_BYTES + 1), headers=kind).status_code == 413

    def pieces() -> Iterator[bytes]:
        for _ in range(MOST_BYTES // 1024 + 1):
            yield b" " * 1024

    assert known.post("/api/lists", content=pieces(), headers=kind).status_code == 413
    for lie in ("ten", "-1", "9" * 5000):
        lies = kind | {"Content-Length": lie}
        assert known.post("/api/lists", content=b"{}", headers=lies).status_code == 413
    body = json.dumps({"run": known.run}).encode()
    assert known.post("/api/lists", content=body.ljust(MOST_BYTES), headers=kind).status_code == 200


@pytest.mark.parametrize("path", ["/", "/api/audit", "/api/lists/999", "/image/0", "/nothing"])
def test_every_answer_is_guarded(known: Tab, stranger: TestClient, path: str) -> None:
    for answer in (known.get(path), stranger.get(path), known.get(path, headers={"Host": "evil.example"})):
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'self'; img-src 'self' data:;")
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["x-frame-options"] == "DENY"
        kept = answer.status_code == 200 and path.startswith("/image")
        assert answer.headers["cache-control"] == ("private, max-age=3600" if kept else "no-store")
        assert "server" not in answer.headers


def test_no_pages_of_the_framework(known: Tab) -> None:
    assert [known.get(path).status_code for path in ("/docs", "/redoc", "/openapi.json")] == [404] * 3


def test_it_listens_on_this_machine_alone() -> None:
    from noiseaudit_review.server import listening

    with listening(0) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"


def test_websockets_get_no_answer(known: Tab, tmp_path: Path) -> None:
    import anyio

    sent: list[object] = []

    async def run() -> None:
        async def receive() -> dict[str, str]:
            return {"type": "websocket.connect"}

        async def send(message: object) -> None:
            sent.append(message)

        await known.app({"type": "websocket", "path": "/", "headers": []}, receive, send)

    anyio.run(run)
    assert sent == []


def test_opening_twice_is_no_harm(tmp_path: Path) -> None:
    """Two servers of one audit share its database."""
    first = opened(tmp_path, n_images=1)
    second = open_review(first.places)
    answer = {"row": 1, "decision": "keep"}
    body = {"event_id": "event-01", "reviewer": "Ann", "answers": [answer]}
    assert client_of(first).post("/api/decisions", json=body).status_code == 200
    assert client_of(second).get("/api/progress", params={"reviewer": "Ann"}).json()["n_mine"] == 1
    first.log.close()
    second.log.close()

"""Who may talk to the server: this machine's browser with the token, from the server's own page; nobody else."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = "x-noiseaudit-token"
MOST_BYTES = 256 * 1024  # of a request's body
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_OPEN = "open the address that `noiseaudit review` printed"
_GO_ON = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="0; url=/">'
    '<title>Review · noiseaudit</title><p><a href="/">Go on to the review</a></p></html>'
)


class Guard:
    """An ASGI application around another, which sees only requests that may be answered."""

    def __init__(self, app: ASGIApp, token: str, port: int, once: str = "") -> None:
        """`once` lets one browser in, by an address that others of this machine may see."""
        self._app, self._token, self._once = app, token, once
        names = ("127.0.0.1", "localhost")
        self._hosts = {f"{name}:{port}" for name in names} | (set(names) if port == 80 else set())
        self._origins = {f"http://{host}" for host in self._hosts}
        self._cookie = f"noiseaudit_review_{port}"  # cookies are shared by all ports of a host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, _protected(send))
            return
        body = await _whole_body(Headers(scope=scope), receive)
        if body is None:
            await _no(413, "the request is too large")(scope, receive, _protected(send))
            return
        await self._app(scope, _replayed(body, receive), _protected(send))

    def _refusal(self, scope: Scope) -> Response | None:
        """The answer to a request that the application is not to see."""
        headers = Headers(scope=scope)
        if headers.getlist("host") not in [[host] for host in self._hosts]:
            return _no(421, "this server answers to 127.0.0.1 and localhost only")  # DNS rebinding
        origins = headers.getlist("origin")
        if any(origin not in self._origins for origin in origins):
            return _no(403, "requests of other sites are refused")
        is_own = headers.get("sec-fetch-site", "none") in ("none", "same-origin")
        asked = parse_qs(scope["query_string"].decode("latin-1")).get("token")
        if asked and scope["path"] == "/" and scope["method"] == "GET":
            is_let_in = self._is_token(asked) or self._is_first(asked)
            return (
                self._let_in(is_own) if is_let_in else _no(403, f"wrong token, or one that was used: {_OPEN}")
            )
        if not is_own:
            return _no(403, "requests of other sites are refused")
        given = [*headers.getlist(HEADER), *_cookies(headers.getlist("cookie"), self._cookie)]
        if not given:
            return _no(401, f"no token: {_OPEN}")
        return None if self._is_token(given) else _no(403, "wrong token")

    def _is_token(self, given: Iterable[str]) -> bool:
        return _holds(given, self._token)

    def _is_first(self, given: Iterable[str]) -> bool:
        if not self._once or not _holds(given, self._once):
            return False
        self._once = ""
        return True

    def _let_in(self, is_own: bool) -> Response:
        """Take the token out of the address, where history and screenshots would keep it.

        A link on another site, such as a web terminal, leads to a page that goes on by itself: a redirect would
        still be that site's request, and have no strict cookie.
        """
        answer = RedirectResponse("/", status_code=303) if is_own else HTMLResponse(_GO_ON)
        answer.set_cookie(self._cookie, self._token, httponly=True, samesite="strict", path="/")
        return answer


def _holds(given: Iterable[str], secret: str) -> bool:
    return any(secrets.compare_digest(text.encode(), secret.encode()) for text in given)


def _no(status: int, why: str) -> Response:
    return JSONResponse({"error": why}, status_code=status)


def _cookies(lines: Iterable[str], name: str) -> list[str]:
    """Read as browsers write them: one that another server of this machine set may hold JSON, or no ASCII."""
    return [cookies[name] for cookies in map(cookie_parser, lines) if name in cookies]


async def _whole_body(headers: Headers, receive: Receive) -> bytes | None:
    """The body, whether its length was said or not; None once it is more than MOST_BYTES."""
    said = headers.get("content-length", "0")
    if not (said.isascii() and said.isdigit()) or len(said) > 12 or int(said) > MOST_BYTES:
        return None
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b""
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > MOST_BYTES:
            return None
    return body


def _replayed(body: bytes, receive: Receive) -> Receive:
    """`receive` once the body was read: it is handed out once, then whatever comes."""
    left = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return left.pop() if left else await receive()

    return replay


def _protected(send: Send) -> Send:
    """`send` with HEADERS on every answer, and no store but where the answer says otherwise."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
            headers.setdefault("Cache-Control", "no-store")
        await send(message)

    return sending

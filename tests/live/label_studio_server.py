"""A Label Studio server with SQLite and a person at it, for tests.live.label_studio."""

from __future__ import annotations

import http.cookiejar
import json
import os
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from tests.trips import ANN

PASSWORD = "only for this test"
PORT = 8898
WAIT = 600  # seconds for an answer: of a machine that does other things, too


class Session:
    """A logged-in person, with the cookies that a browser would have."""

    def __init__(self, url: str, email: str, form: str) -> None:
        """`form` is the page to log in or sign up at."""
        self.url, self._jar = url, http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self._jar))
        self._opener.open(url + form, timeout=WAIT).read()
        fields = {"email": email, "password": PASSWORD, "csrfmiddlewaretoken": self._csrf()}
        self._send(form, urllib.parse.urlencode(fields).encode(), {})

    def get(self, path: str) -> bytes:
        return self._send(path, None, {})

    def post(self, path: str, body: Any) -> Any:
        headers = {"Content-Type": "application/json", "X-CSRFToken": self._csrf()}
        return json.loads(self._send(path, json.dumps(body).encode(), headers))

    def cookies(self) -> dict[str, str]:
        return {cookie.name: str(cookie.value) for cookie in self._jar}

    def _csrf(self) -> str:
        return self.cookies()["csrftoken"]

    def _send(self, path: str, body: bytes | None, headers: dict[str, str]) -> bytes:
        request = urllib.request.Request(self.url + path, body, {"Referer": self.url + path, **headers})
        try:
            with self._opener.open(request, timeout=WAIT) as reply:
                content: bytes = reply.read()
        except urllib.error.HTTPError as error:
            raise SystemExit(f"{path}: {error.code} {error.read()[:2000]!r}") from error
        return content


def start(program: Path, folder: Path, root: Path) -> subprocess.Popen[bytes]:
    """The server, once it answers."""
    settings = {
        "COLLECT_ANALYTICS": "false",
        "LATEST_VERSION_CHECK": "false",
        "LABEL_STUDIO_BASE_DATA_DIR": str(folder),
        "LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED": "true",
        "LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT": str(root),
    }
    words = [
        str(program),
        "start",
        "--no-browser",
        "--port",
        str(PORT),
        "--username",
        ANN,
        "--password",
        PASSWORD,
    ]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(words, env=os.environ | settings, stdout=log, stderr=log)
    for _ in range(1800):  # a minute where nothing else runs
        time.sleep(1)
        try:
            urllib.request.urlopen(f"http://localhost:{PORT}/health", timeout=5).read()
        except OSError:
            continue
        return server
    server.kill()
    raise SystemExit(f"the server did not start: {(folder / 'log').read_text()[-2000:]}")

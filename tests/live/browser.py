"""The review server and a page of it, for the scripts beside this one."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from tests.reviews import start

DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
LOADED = """() => {
  const images = [...document.querySelectorAll(".tile:not([hidden]) img:not([hidden])")];
  return images.length > 3 && images.every((image) => image.complete && image.naturalWidth > 0);
}"""


@contextmanager
def served(run: Path, *words: object) -> Iterator[tuple[subprocess.Popen[str], str]]:
    server, address = start(run, *words)
    try:
        yield server, address
    finally:
        server.send_signal(signal.SIGINT)
        _, told = server.communicate(timeout=60)
        assert server.returncode == 0, told


def opened(browser: Browser, address: str, errors: list[str], **options: Any) -> Page:
    page = browser.new_context(**options).new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda line: errors.append(line.text) if line.type in ("error", "warning") else None)
    page.goto(address)
    page.wait_for_selector("html[data-ready]")
    return page

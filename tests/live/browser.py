"""A browser, the review server and a page of it, for the scripts beside this one."""

from __future__ import annotations

import argparse
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from tests.reviews import start

WAIT = 600  # seconds, of a machine that does other things, too
DESKTOP, PHONE = ViewportSize(width=1280, height=800), ViewportSize(width=390, height=844)
LOADED = """() => {
  const images = [...document.querySelectorAll(".tile:not([hidden]) img:not([hidden])")];
  return images.length > 3 && images.every((image) => image.complete && image.naturalWidth > 0);
}"""


def plain_asker(description: str | None) -> argparse.ArgumentParser:
    """Of the option that all these scripts have."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    return parser


def asker(description: str | None) -> argparse.ArgumentParser:
    """Of the options of scripts that take screenshots and let axe look at the page."""
    parser = plain_asker(description)
    parser.add_argument("--axe", type=Path, required=True, help="axe.min.js of the npm package axe-core")
    parser.add_argument("--save", type=Path, help="keep the screenshots in this folder")
    return parser


@contextmanager
def plainly_launched(asked: argparse.Namespace) -> Iterator[tuple[Browser, Path]]:
    """The browser that was asked for, and a folder for runs, which goes with it."""
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=asked.chromium)
        yield browser, Path(name)
        browser.close()


@contextmanager
def launched(asked: argparse.Namespace) -> Iterator[tuple[Browser, Path, Path]]:
    """The browser, the folder for runs, and the one for screenshots."""
    with plainly_launched(asked) as (browser, root):
        save: Path = asked.save or root
        save.mkdir(parents=True, exist_ok=True)
        yield browser, root, save


@contextmanager
def served(run: Path, *words: object) -> Iterator[tuple[subprocess.Popen[str], str]]:
    server, address = start(run, *words)
    try:
        yield server, address
    finally:
        server.send_signal(signal.SIGINT)
        _, told = server.communicate(timeout=WAIT)
        assert server.returncode == 0, told


def opened(browser: Browser, address: str, errors: list[str], **options: Any) -> Page:
    page = browser.new_context(**options).new_page()
    page.set_default_timeout(1000 * WAIT)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda line: errors.append(line.text) if line.type in ("error", "warning") else None)
    page.goto(address)
    page.wait_for_selector("html[data-ready]")
    return page


def settled(page: Page) -> None:
    """Once everything decided is on the disk."""
    page.wait_for_function("() => document.getElementById('saved').textContent === 'All saved'")


def seen(page: Page) -> None:
    """Once the picture is there: nothing is decided before."""
    page.wait_for_function("() => document.getElementById('noPicture').hidden")


def moved_from(page: Page, place: str) -> None:
    """Once another row than that at `place` is shown."""
    page.wait_for_function("(before) => document.getElementById('place').textContent !== before", arg=place)

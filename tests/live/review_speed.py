"""The review page with 100,000 suspects: first paint, frames while scrolling, and the server's memory.

No part of the suite, and only measured by tests.live.review_browser, which see.
"""

from __future__ import annotations

import itertools
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.live.browser import DESKTOP, LOADED, PHONE, opened, served
from tests.reviews import review_run

MANY = 100_000
MOST_PAINT_MS, LEAST_FPS, MOST_MB = 1000, 30, 500
SCROLL = """() => new Promise((resolve) => {
  const scroller = document.getElementById("scroller"), frames = [];
  const end = scroller.scrollHeight, from = performance.now();
  let last = from, most = 0;
  const step = (now) => {
    frames.push(now - last); last = now;
    most = Math.max(most, document.querySelectorAll(".tile").length);
    scroller.scrollTop = end * (now - from) / 5000;
    if (now - from < 5000) requestAnimationFrame(step);
    else resolve({frames: frames.slice(2), tiles: most, left: scroller.scrollTop});
  };
  requestAnimationFrame(step);
})"""
WHEEL = """() => { window.stamps = []; const on = (now) => { stamps.push(now); requestAnimationFrame(on); };
  requestAnimationFrame(on); }"""


def fast(browser: Browser, folder: Path) -> None:
    """100,000 suspects: first paint, frames while scrolling, memory."""
    audit = review_run(folder, 106 * MANY // 100, n_images=500, noise_rate=1.0, cutoff=0.5)
    n = int(audit.suspects().sum())
    assert n > MANY, n
    with served(folder / "run", "--reviewer", "Ann") as (server, address):
        for name, size in (("desktop", DESKTOP), ("phone", PHONE)):
            page = opened(browser, address, [], viewport=size)
            paints = [painted(page) for _ in range(3)]
            page.keyboard.press("g")
            page.wait_for_selector("#tiles .tile img")
            page.wait_for_timeout(1000)
            whole = page.evaluate(SCROLL)
            far = frames(whole["frames"])
            page.wait_for_timeout(1500)
            page.wait_for_function(LOADED)  # what it came to is shown
            page.keyboard.press("Home")
            page.wait_for_timeout(500)
            near = frames(wheeled(page))
            nodes = page.evaluate("document.querySelectorAll('*').length")
            print(
                f"{name}, {n:,} suspects: first contentful paint {max(p[0] for p in paints):.0f} ms, first suspect "
                f"shown {max(p[1] for p in paints):.0f} ms (worst of 3); all of it scrolled past in 5 s: {far}; "
                f"by wheel: {near}; {whole['tiles']} tiles, {nodes} elements"
            )
            assert max(p[0] for p in paints) < MOST_PAINT_MS
            assert min(fps(whole["frames"]), float(near.split()[0])) > LEAST_FPS
            page.context.close()
        peak = memory(server.pid)
        print(f"server: {peak:.0f} MB at most")
        assert peak < MOST_MB


def painted(page: Page) -> tuple[float, float]:
    page.reload()
    page.wait_for_selector("html[data-ready]")
    ready = page.evaluate("performance.now()")
    page.wait_for_timeout(200)
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    return paint, ready


def wheeled(page: Page) -> list[float]:
    """Milliseconds between frames while a wheel is turned."""
    page.mouse.move(200, 500)
    page.evaluate(WHEEL)
    for _ in range(60):
        page.mouse.wheel(0, 300)
        page.wait_for_timeout(30)
    stamps = page.evaluate("window.stamps")
    return [b - a for a, b in itertools.pairwise(stamps)]


def fps(between: list[float]) -> float:
    return 1000 * len(between) / sum(between)


def frames(between: list[float]) -> str:
    ordered = sorted(between)
    return f"{fps(between):.0f} frames a second, 95 % within {ordered[int(0.95 * len(ordered))]:.0f} ms"


def memory(pid: int) -> float:
    """The most that a process ever held, MB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1000

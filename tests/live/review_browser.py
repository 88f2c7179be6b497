"""The review page in a real Chromium: decisions by keyboard, two reviewers, accessibility, speed.

No part of the suite: it takes Playwright, Chromium and axe-core, and a few minutes. For maintainers:

    pip install playwright, and Chromium and npm of the system
    npm pack axe-core && tar xzf axe-core-*.tgz
    python -m tests.live.review_browser --axe package/axe.min.js [--chromium /usr/bin/chromium] [--save FOLDER]

`--save` keeps the screenshots; docs/review-*.png are three of them.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from noiseaudit.decisions import read_decisions
from noiseaudit.result import AuditResult
from tests.reviews import review_run
from tests.test_review_path import command, start

MANY = 100_000
DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
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


def settled(page: Page) -> None:
    """Once everything decided is on the disk."""
    page.wait_for_function("() => document.getElementById('saved').textContent === 'All saved'")


def shown(page: Page) -> tuple[str, str, str]:
    """Image, given and suggested label on the screen."""
    return tuple(page.inner_text(f"#{name}") for name in ("caption", "given", "suggested"))  # type: ignore[return-value]


def decide(page: Page, audit: AuditResult, count: int) -> dict[str, tuple[str, str | None]]:
    """`count` suspects by keyboard, each as the page shows it; sample -> decision and new label."""
    row_of = {name: row for row, name in enumerate(audit.column("image").tolist())}
    said: dict[str, tuple[str, str | None]] = {}
    for number in range(count):
        image, given, suggested = shown(page)
        row = row_of[image]
        assert audit.column("given_label")[row] == given
        assert audit.column("suggested_label")[row] == suggested
        sample, place = f"s{row}", page.inner_text("#place")
        key = "kamsca"[number % 6]
        page.keyboard.press(key)
        if key == "c":
            other = next(name for name in audit.classes if name not in (given, suggested))
            page.wait_for_selector("#chooser[open]")
            page.keyboard.type(other[:3])
            page.keyboard.press("Enter")
            said[sample] = ("relabel", other)
        else:
            words = {"k": "keep", "a": "relabel", "m": "ambiguous", "s": "skip"}
            said[sample] = (words[key], suggested if key == "a" else None)
        page.wait_for_function(
            "(before) => document.getElementById('place').textContent !== before", arg=place
        )
    settled(page)
    return said


def by_keyboard(browser: Browser, folder: Path, save: Path) -> None:
    """Decide, undo, filter, a second reviewer, reload: the files hold exactly that."""
    audit, errors = review_run(folder, 400), list[str]()
    run = folder / "run"
    with served(run, "--reviewer", "Ann") as (_, address):
        page = opened(browser, address, errors, viewport=DESKTOP)
        assert "token" not in page.url
        said = {(sample, "Ann"): what for sample, what in decide(page, audit, 30).items()}
        page.keyboard.press("u")
        page.wait_for_selector("#message:has-text('Undone')")
        assert page.inner_text("#place").startswith("30 of "), page.inner_text("#place")
        del said[[*said][-1]]
        page.keyboard.press("ArrowLeft")
        page.wait_for_selector("#decided:has-text('You:')")
        page.screenshot(path=save / "one.png")
        page.reload()
        page.wait_for_selector("html[data-ready]")
        assert page.inner_text("#checked").endswith("29 by you")
        page.keyboard.press("f")
        page.select_option("[name=state]", "mine")
        page.wait_for_selector("#filterNote:has-text('29 rows')")
        page.select_option("[name=state]", "any")
        page.select_option("[name=pair]", index=1)
        page.wait_for_function(
            "() => !document.getElementById('filterNote').textContent.includes('103 rows')"
        )
        pairs = {shown(page)[1:]}
        page.keyboard.press("Escape")
        for _ in range(3):
            page.keyboard.press("ArrowRight")
            pairs.add(shown(page)[1:])
        assert len(pairs) == 1
        page.click("#filterForm [type=reset]")
        page.wait_for_selector("#place:has-text('1 of 103')")
        page.click("#filters summary")
        page.fill("#reviewer", "Bob")
        page.keyboard.press("Enter")
        page.wait_for_function("() => document.getElementById('checked').textContent.endsWith('0 by you')")
        page.wait_for_selector("#decided:has-text('Ann: kept')")
        bob = decide(page, audit, 6)
        said |= {(sample, "Bob"): what for sample, what in bob.items()}
        page.keyboard.press("g")
        page.wait_for_selector("#tiles .tile img")
        page.keyboard.press("End")
        page.keyboard.press("Home")
        for key in ("End", "ArrowUp", "Shift+ArrowRight", "Shift+ArrowRight"):
            page.keyboard.press(key)
            page.wait_for_timeout(150)
        chosen = page.eval_on_selector_all(
            ".tile[aria-selected=true]", "found => found.map(it => it.getAttribute('aria-posinset'))"
        )
        assert len(chosen) == 3
        page.keyboard.press("k")
        page.wait_for_selector("#message:has-text('3 decided')")
        settled(page)
        order = sorted(audit.table.to_pylist(), key=lambda row: row["rank"] or 10**9)
        said |= {(order[int(place) - 1]["sample_id"], "Bob"): ("keep", None) for place in chosen}
        page.keyboard.press("Home")
        page.keyboard.press("Shift+ArrowDown")
        page.wait_for_timeout(400)
        page.screenshot(path=save / "grid.png")
        page.keyboard.press("Escape")
        page.click("#openAgreement")
        page.wait_for_selector("#agreement[open]")
        assert "Cohen's kappa: 1.000" in page.inner_text("#agreementText"), page.inner_text("#agreementText")
        page.keyboard.press("Escape")
        page.click("#export")
        page.wait_for_selector(f"#message:has-text('{len(said)} decisions written')")
        page.context.close()
    assert not errors, errors
    check_files(folder, audit, said)
    print(f"by keyboard: {len(said)} decisions of two reviewers, in the file and applied exactly")


def check_files(
    folder: Path, audit: AuditResult, said: dict[tuple[str, str], tuple[str, str | None]]
) -> None:
    file = folder / "run" / "decisions.csv"
    found = {(d.sample_id, d.reviewer): (d.decision, d.new_label) for d in read_decisions(file)}
    assert found == said, {
        key: (found.get(key), said.get(key))
        for key in found.keys() | said.keys()
        if found.get(key) != said.get(key)
    }
    done = command("clean", folder / "run", "--decisions", file, "--out", folder / "cleaned.csv")
    assert done.exit_code == 0, done.stderr
    new = {sample: label for (sample, _), (kind, label) in said.items() if kind == "relabel"}
    with (folder / "cleaned.csv").open(newline="") as lines:
        labels = {row["sample_id"]: row["label"] or None for row in csv.DictReader(lines)}
    given = dict(zip(*(audit.column(name).tolist() for name in ("sample_id", "given_label")), strict=True))
    assert labels == given | new


def accessible(browser: Browser, folder: Path, axe: Path, save: Path) -> None:
    """axe finds nothing serious, whatever is on the screen."""
    review_run(folder, 400)
    bad: list[str] = []
    with served(folder / "run", "--reviewer", "Ann") as (_, address):
        for scheme in ("light", "dark"):
            for name, size in (("desktop", DESKTOP), ("phone", PHONE)):
                page = opened(browser, address, [], viewport=size, color_scheme=scheme, bypass_csp=True)
                page.add_script_tag(path=axe)
                for view, keys in VIEWS.items():
                    for key in keys:
                        page.keyboard.press(key)
                        page.wait_for_timeout(250)
                    page.screenshot(path=save / f"{view}-{scheme}-{name}.png")
                    found = page.evaluate("axe.run()")["violations"]
                    bad += [
                        f"{view} {scheme} {name}: {each['impact']} {each['id']} {each['nodes'][0]['html'][:200]}"
                        for each in found
                    ]
                    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
                    bad += [f"{view} {scheme} {name}: {wide} px too wide (serious)"] if wide > 0 else []
                page.context.close()
    print(*(bad or ["axe: no finding in 7 views, light and dark, 1280 and 390 px wide"]), sep="\n")
    assert not [line for line in bad if "serious" in line or "critical" in line]


VIEWS = {
    "single": ["a", "ArrowLeft"],
    "filters": ["f", "Escape"],
    "choose": ["c"],
    "help": ["Escape", "?"],
    "grid": ["Escape", "g"],
    "selected": ["Shift+ArrowDown"],
    "decided": ["a"],
}


def fast(browser: Browser, folder: Path, save: Path) -> None:
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
            assert page.locator(".tile:visible img:visible").count() > 3  # what it came to is shown
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


def main() -> None:
    parser = argparse.ArgumentParser(description="Try the review page in a real browser.")
    parser.add_argument("--axe", type=Path, required=True, help="axe.min.js of the npm package axe-core")
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    parser.add_argument("--save", type=Path, help="keep the screenshots in this folder")
    parser.add_argument("--only", choices=["keyboard", "axe", "speed"])
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        root = Path(name)
        save = asked.save or root
        save.mkdir(parents=True, exist_ok=True)
        browser = playwright.chromium.launch(executable_path=asked.chromium)
        print(json.dumps({"chromium": browser.version}))
        if asked.only in (None, "keyboard"):
            by_keyboard(browser, root / "keyboard", save)
        if asked.only in (None, "axe"):
            accessible(browser, root / "axe", asked.axe, save)
        if asked.only in (None, "speed"):
            fast(browser, root / "speed", save)
        browser.close()


if __name__ == "__main__":
    main()

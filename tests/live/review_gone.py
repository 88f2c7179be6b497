"""The server of an open review page ends: what the page says, and that nothing decided there is lost in silence.

No part of the suite; needs what tests.live.review_browser needs:

    python -m tests.live.review_gone --axe package/axe.min.js [--chromium /usr/bin/chromium] [--save FOLDER]
"""

from __future__ import annotations

import argparse
import tempfile
import urllib.parse
from pathlib import Path

from playwright.sync_api import Browser, ViewportSize, sync_playwright

from noiseaudit.decisions import read_decisions
from tests.live.browser import DESKTOP, opened, served
from tests.live.review_browser import seen, settled
from tests.live.review_views import found_by
from tests.reviews import review_run

AWAY_MS = 30_000


def gone(browser: Browser, folder: Path, axe: Path, save: Path) -> list[str]:
    """Decided without a server: the page names the rows, and sends them to one that comes to the same port."""
    audit, bad = review_run(folder, 200), list[str]()
    run, file = folder / "run", folder / "run" / "decisions.csv"
    with served(run, "--reviewer", "Ann") as (_, address):
        page = opened(browser, address, [], viewport=DESKTOP, bypass_csp=True)
        seen(page)
        page.wait_for_load_state("networkidle")
    rows = []
    for key in "ka":
        seen(page)
        place = page.inner_text("#place")
        rows.append(int(page.inner_text("#facts li:last-child").removeprefix("row ")))
        page.keyboard.press(key)
        page.wait_for_function(
            "(before) => document.getElementById('place').textContent !== before", arg=place
        )
    page.wait_for_selector("#gone:visible", timeout=AWAY_MS)
    told, suggested = page.inner_text("#gone"), audit.column("suggested_label")[rows[1]]
    assert f"2 decisions, row {rows[0]} (kept), row {rows[1]} (→ {suggested})." in told, told
    assert "noiseaudit review" in told
    assert page.inner_text("#saved") == "2 not saved"
    sizes: dict[str, ViewportSize] = {
        "desktop": {"width": 1280, "height": 800},
        "phone": {"width": 390, "height": 844},
    }
    for name, size in sizes.items():
        for scheme in ("light", "dark"):
            page.set_viewport_size(size)
            page.emulate_media(color_scheme=scheme)
            bad += found_by(axe, page, f"gone, {scheme}, {name}", save)
    page.keyboard.press("u")
    page.wait_for_selector("#gone:has-text('2 decisions and 1 undo, row')", timeout=AWAY_MS)
    assert not file.exists() or not read_decisions(file)
    port = urllib.parse.urlsplit(address).port
    with served(run, "--reviewer", "Ann", "--port", port) as (_, address):
        page.context.new_page().goto(address)
        page.wait_for_selector("#gone", state="hidden", timeout=AWAY_MS)
        settled(page)
    found = {(said.sample_id, said.decision) for said in read_decisions(file)}
    assert found == {(f"s{rows[0]}", "keep")}, found
    page.context.close()
    print("gone: the rows are named, and sent to a server that comes to the same port")
    return bad


def main() -> None:
    parser = argparse.ArgumentParser(description="End the server of an open review page in a real browser.")
    parser.add_argument("--axe", type=Path, required=True, help="axe.min.js of the npm package axe-core")
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    parser.add_argument("--save", type=Path, help="keep the screenshots in this folder")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        save = asked.save or Path(name)
        save.mkdir(parents=True, exist_ok=True)
        browser = playwright.chromium.launch(executable_path=asked.chromium)
        bad = gone(browser, Path(name) / "data", asked.axe, save)
        browser.close()
    print(*(bad or ["axe: no finding, light and dark, 1280 and 390 px wide"]), sep="\n")
    assert not bad


if __name__ == "__main__":
    main()

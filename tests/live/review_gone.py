"""The server of an open review page ends: what the page says, and that nothing decided there is lost in silence.

No part of the suite; needs what tests.live.review_browser needs:

    python -m tests.live.review_gone --axe package/axe.min.js [--chromium /usr/bin/chromium] [--save FOLDER]
"""

from __future__ import annotations

import urllib.parse
from pathlib import Path

from playwright.sync_api import Browser, Page

from noiseaudit.decisions import read_decisions
from tests.live.axe_rules import found_by_axe
from tests.live.browser import DESKTOP, PHONE, asker, launched, moved_from, opened, seen, served, settled
from tests.reviews import review_run

AWAY_MS = 30_000
GONE = "The server is gone"


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
        moved_from(page, place)
    page.wait_for_selector("#gone:visible", timeout=AWAY_MS)
    told, suggested = page.inner_text("#gone"), audit.column("suggested_label")[rows[1]]
    assert f"2 decisions, row {rows[0]} (kept), row {rows[1]} (→ {suggested})." in told, told
    assert "noiseaudit review" in told
    assert page.inner_text("#saved") == "2 not saved"
    page.add_script_tag(path=axe)
    for name, size in (("desktop", DESKTOP), ("phone", PHONE)):
        for scheme in ("light", "dark"):
            page.set_viewport_size(size)
            page.emulate_media(color_scheme=scheme)
            bad += found_by_axe(page, f"gone-{scheme}-{name}", save)
    without_pictures(page)
    page.keyboard.press("u")
    page.wait_for_selector("#gone:has-text('2 decisions and 1 undo, row')", timeout=AWAY_MS)
    assert not file.exists() or not read_decisions(file)
    port = urllib.parse.urlsplit(address).port
    with served(run, "--reviewer", "Ann", "--port", port) as (_, address):
        page.context.new_page().goto(address)
        page.wait_for_selector("#gone", state="hidden", timeout=AWAY_MS)
        settled(page)
        seen(page)  # without a click: the picture is asked for again
    found = {(said.sample_id, said.decision) for said in read_decisions(file)}
    assert found == {(f"s{rows[0]}", "keep")}, found
    page.context.close()
    print("gone: the rows are named, and sent to a server that comes to the same port")
    return bad


def without_pictures(page: Page) -> None:
    """Where none was fetched ahead: that the server is gone is said in their place, and nothing is decided."""
    for _ in range(8):
        page.keyboard.press("ArrowRight")
    page.wait_for_selector(f"#noPicture:text-is('{GONE}')", timeout=AWAY_MS)
    page.keyboard.press("k")
    assert page.inner_text("#decided") == ""
    page.keyboard.press("g")
    page.wait_for_selector(f".tile .none:visible:text-is('{GONE}')", timeout=AWAY_MS)
    assert page.locator(".tile .none:visible:text-is('No picture')").count() == 0
    page.keyboard.press("g")
    print("gone: pictures that were not fetched ahead say so")


def main() -> None:
    asked = asker("End the server of an open review page in a real browser.").parse_args()
    with launched(asked) as (browser, folder, save):
        bad = gone(browser, folder / "data", asked.axe, save)
    print(*(bad or ["axe: no finding, light and dark, 1280 and 390 px wide"]), sep="\n")
    assert not bad


if __name__ == "__main__":
    main()

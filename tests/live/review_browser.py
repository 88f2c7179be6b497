"""The review page in a real Chromium: decisions by keyboard, two reviewers, accessibility, speed.

No part of the suite: it takes Playwright, Chromium and axe-core, and a few minutes. For maintainers:

    pip install playwright, and Chromium and npm of the system
    npm pack axe-core && tar xzf axe-core-*.tgz
    python -m tests.live.review_browser --axe package/axe.min.js [--chromium /usr/bin/chromium] [--save FOLDER]

`--save` keeps the screenshots; docs/review-*.png are three of them.
"""

from __future__ import annotations

import json
from pathlib import Path

from playwright.sync_api import Browser

from tests.live.axe_rules import found_in_views, looks
from tests.live.browser import asker, launched, seen, served
from tests.live.review_keyboard import by_keyboard
from tests.live.review_mistakes import without_mistakes
from tests.live.review_speed import fast
from tests.reviews import review_run

VIEWS = {
    "single": ["a", "ArrowLeft"],
    "filters": ["f", "Escape"],
    "choose": ["c"],
    "help": ["Escape", "?"],
    "grid": ["Escape", "g"],
    "selected": ["Shift+ArrowDown"],
    "decided": ["a"],
}


def accessible(browser: Browser, folder: Path, axe: Path, save: Path) -> None:
    """axe finds nothing, whatever is on the screen."""
    review_run(folder, 400)
    bad: list[str] = []
    with served(folder / "run", "--reviewer", "Ann") as (_, address):
        for look, page in looks(browser, address, axe):
            seen(page)
            bad += found_in_views(page, VIEWS, look, save)
    print(
        *(bad or [f"axe: no finding in {len(VIEWS)} views, light and dark, 1280 and 390 px wide"]), sep="\n"
    )
    assert not bad


def main() -> None:
    parser = asker("Try the review page in a real browser.")
    parser.add_argument("--only", choices=["keyboard", "mistakes", "axe", "speed"])
    asked = parser.parse_args()
    with launched(asked) as (browser, root, save):
        print(json.dumps({"chromium": browser.version}))
        if asked.only in (None, "keyboard"):
            by_keyboard(browser, root / "keyboard", save)
        if asked.only in (None, "mistakes"):
            without_mistakes(browser, root / "mistakes")
        if asked.only in (None, "axe"):
            accessible(browser, root / "axe", asked.axe, save)
        if asked.only in (None, "speed"):
            fast(browser, root / "speed")


if __name__ == "__main__":
    main()

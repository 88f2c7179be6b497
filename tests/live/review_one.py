"""The review page's single row, its dialogs and filters in a real Chromium: what stands where, and what is told when.

No part of the suite; needs what tests.live.review_browser needs, but for axe:

    python -m tests.live.review_one [--chromium /usr/bin/chromium]
"""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.live.axe_rules import SIZES
from tests.live.browser import (
    DESKTOP,
    LOADED,
    moved_from,
    opened,
    plain_asker,
    plainly_launched,
    seen,
    served,
    settled,
)
from tests.reviews import review_run

CLASSES = ("automobile", "deer", "a rather long name of one class of things", "truck")
BOXES = """() => [...document.querySelectorAll("#single [data-do]")].map((button) => {
  const {x, y, width, height} = button.getBoundingClientRect();
  return [button.dataset.do, x, y, width, height].join(" ");
}).join("; ")"""
MEET = """(other) => {
  const [a, b] = ["#message", other].map((part) => document.querySelector(part).getBoundingClientRect());
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}"""
CUT = """() => [...document.querySelectorAll(".side > *")].filter(
  (part) => part.scrollHeight > part.clientHeight + 1).map((part) => part.id || part.className)"""


def goes(page: Page, key: str) -> None:
    """A key that moves to another row, until its picture is there."""
    seen(page)
    place = page.inner_text("#place")
    page.keyboard.press(key)
    moved_from(page, place)
    seen(page)


def messages_beside_the_reviewer(browser: Browser, run: Path) -> None:
    """A message hides neither the box of who decides nor the hint beside it."""
    with served(run) as (_, address):
        for name, size in SIZES.items():
            page = opened(browser, address, [], viewport=size)
            goes(page, "s")
            page.keyboard.press("u")
            page.wait_for_selector("#message:has-text('Undone')")
            hidden = [part for part in ("#reviewer", "#whoNote") if page.evaluate(MEET, part)]
            assert hidden == [], (name, hidden)
            page.context.close()
    print("messages hide neither the reviewer's name nor the hint beside it")


def buttons_stay(browser: Browser, run: Path) -> None:
    """No button moves, whatever the length of labels and reasons, and what was said."""
    with served(run, "--reviewer", "Ann") as (_, address):
        for name, size in SIZES.items():
            page = opened(browser, address, [], viewport=size)
            seen(page)
            assert re.search(r"\d\u00a0%", page.inner_text("#why")), page.inner_text("#why")
            assert " %" not in page.inner_text("#why")
            places, heights = set(), set()
            for key in ("a", "k", *["ArrowRight"] * 12, *["ArrowLeft"] * 3):
                goes(page, key)
                places.add(page.evaluate(BOXES))
                heights.add(page.evaluate("document.querySelector('#single .labels').offsetHeight"))
            assert len(heights) > 1, heights  # short and long names
            assert len(places) == 1, (name, places)
            page.context.close()
    print("buttons stay where they are, 1280 and 390 px wide")


def second_reviewer(browser: Browser, run: Path) -> None:
    """What others said is told after one's own answer, or where the filter asks for it; no text is cut."""
    with served(run, "--reviewer", "Bob") as (_, address):
        page = opened(browser, address, [], viewport=DESKTOP)
        seen(page)
        assert page.inner_text("#decided") == ""
        goes(page, "s")
        goes(page, "ArrowLeft")
        assert page.inner_text("#decided") == "You: skipped"  # it is open still
        goes(page, "k")
        goes(page, "ArrowLeft")
        page.wait_for_selector("#decided:has-text('Ann: relabelled')")  # once the server has the answer
        assert page.inner_text("#decided").startswith("You: kept")
        page.keyboard.press("f")
        assert page.evaluate("document.activeElement.name") == "rows"
        assert page.evaluate(CUT) == []
        page.set_viewport_size({"width": 1280, "height": 500})
        assert page.evaluate(CUT) == []
        settled(page)
        page.context.close()
    with served(run, "--reviewer", "Kim") as (_, address):
        page = opened(browser, address, [], viewport=DESKTOP)
        page.select_option("[name=state]", "disputed", force=True)
        page.wait_for_selector("#place:text-is('1 of 1')")
        page.wait_for_selector("#decided:has-text('Ann: relabelled')")
        assert "Bob: kept" in page.inner_text("#decided")
        page.context.close()
    print("a second reviewer is told the first one's answer after his own; a third one where they disagree")


def help_from_the_top(browser: Browser, run: Path) -> None:
    with served(run, "--reviewer", "Ann") as (_, address):
        for size in SIZES.values():
            page = opened(browser, address, [], viewport=size)
            for _ in range(2):
                page.keyboard.press("?")
                assert page.evaluate("document.getElementById('help').scrollTop") == 0
                assert page.locator("#help kbd").first.is_visible()
                assert page.evaluate("document.activeElement.id") == "helpTitle"
                page.keyboard.press("End")
                page.wait_for_function("() => document.getElementById('help').scrollTop > 100")
                page.keyboard.press("Escape")
            page.context.close()
    print("?: opens at the top, scrolls by keyboard")


def shares_are_whole(browser: Browser, run: Path) -> None:
    """Of a suggestion for a row without a label the name is cut, and never the model's probability; no share breaks."""
    with served(run, "--reviewer", "Ann") as (_, address):
        for size in SIZES.values():
            page = opened(browser, address, [], viewport=size)
            page.select_option("[name=rows]", "unlabelled", force=True)
            page.wait_for_selector("#sure:has-text(', the model gives it ')")
            assert page.inner_text("#sure").endswith("\u00a0%"), page.inner_text("#sure")
            page.keyboard.press("g")
            page.wait_for_function(LOADED)
            shares = page.locator(".tile:not([hidden]) .share")
            tiles = [shares.nth(place) for place in range(min(6, shares.count()))]
            names = [tile.locator("xpath=../span[1]") for tile in tiles]
            assert any(name.evaluate("it => it.scrollWidth > it.clientWidth") for name in names)
            for share in tiles:
                assert share.inner_text().endswith("\u00a0%"), share.inner_text()
                assert share.evaluate(
                    "it => it.getBoundingClientRect().right <= it.closest('.tile').getBoundingClientRect().right - 6"
                )
            page.context.close()
    print("shares: whole, and on one line")


def main() -> None:
    asked = plain_asker("Try the review page row by row in a real browser.").parse_args()
    with plainly_launched(asked) as (browser, root):
        review_run(root, 400, CLASSES, n_images=40, n_unlabelled=40, noise_rate=0.6)
        run = root / "run"
        for check in (
            buttons_stay,
            second_reviewer,
            help_from_the_top,
            shares_are_whole,
            messages_beside_the_reviewer,
        ):
            check(browser, run)


if __name__ == "__main__":
    main()

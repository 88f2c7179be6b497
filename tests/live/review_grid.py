"""The grid of the review page in a real Chromium, screen by screen: what is selected, decided and passed.

No part of the suite; needs what tests.live.review_browser needs, but for axe:

    python -m tests.live.review_grid [--chromium /usr/bin/chromium]
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from tests.live.axe_rules import SIZES
from tests.live.browser import DESKTOP, LOADED, opened, plain_asker, plainly_launched, served, settled
from tests.reviews import review_run

TILES = """() => {
  const view = document.getElementById("scroller").getBoundingClientRect();
  return [...document.querySelectorAll(".tile:not([hidden])")].map((tile) => {
    const box = tile.getBoundingClientRect();
    return {place: Number(tile.dataset.place), top: box.top - view.top, said: tile.dataset.said,
      whole: box.top >= view.top && box.bottom <= view.bottom, selected: tile.ariaSelected === "true",
      here: tile.classList.contains("here"), mark: tile.querySelector(".mark").textContent};
  }).sort((a, b) => a.place - b.place);
}"""


def tiles(page: Page) -> list[dict[str, Any]]:
    """Those that are on the screen whole, once they are loaded."""
    page.wait_for_timeout(200)
    page.wait_for_function(LOADED)
    return [tile for tile in page.evaluate(TILES) if tile["whole"]]


def in_grid(browser: Browser, address: str, view: Any) -> Page:
    page = opened(browser, address, [], viewport=view)
    page.keyboard.press("g")
    tiles(page)
    return page


def press(page: Page, *keys: str) -> list[dict[str, Any]]:
    for key in keys:
        page.keyboard.press(key)
    return tiles(page)


def by_screens(browser: Browser, run: Path, name: str) -> None:
    """V and A take screen after screen, each from its top; what was left out is neither selected nor decided."""
    with served(run, "--reviewer", f"Ann {name}") as (_, address):
        page = in_grid(browser, address, SIZES[name])
        first = press(page, "v")
        assert all(tile["selected"] for tile in first), first
        n = len(first)
        press(page, "ArrowRight", "Space", "a")
        page.wait_for_selector(f"#message:has-text('{n - 1} decided')")
        second = tiles(page)
        assert [tile["place"] for tile in second] == [n + tile["place"] for tile in first], second
        assert not any(tile["said"] for tile in second)
        assert second[0]["here"]
        toast, top = page.locator("#message").bounding_box(), page.locator("#scroller").bounding_box()
        assert toast
        assert top
        assert toast["y"] + toast["height"] <= top["y"], (toast, top)
        press(page, "v", "a")
        settled(page)
        press(page, "Home")
        again = press(page, "Escape", "v")
        assert not any(tile["selected"] for tile in again), again
        assert [tile["mark"] for tile in again] == ["", "left out"] + [""] * (n - 2)
        assert [tile["said"] for tile in again] == ["relabel", ""] + ["relabel"] * (n - 2)
        by_hand = press(page, "ArrowRight", "Space", "v")
        assert [tile["place"] for tile in by_hand if tile["selected"]] == [1]
        settled(page)
        assert page.inner_text("#checked").endswith(f"{2 * n - 1} by you"), page.inner_text("#checked")
        page.context.close()
    print(f"{name}: two screens of {n}; one row was left out, and stayed out")


def exceptions_first(browser: Browser, run: Path) -> None:
    """Where open rows are still above those that were decided, the screen stays."""
    with served(run, "--reviewer", "Bob") as (_, address):
        page = in_grid(browser, address, DESKTOP)
        before = tiles(page)
        after = press(page, "ArrowRight", "Space", "ArrowDown", "Space", "k")
        assert [tile["top"] for tile in after] == [tile["top"] for tile in before]
        assert [tile["place"] for tile in after if tile["said"]] == [1, 8]
        assert [tile["place"] for tile in after if tile["here"]] == [9]
        page.context.close()
    print("exceptions first: the screen stays")


def one_by_one(browser: Browser, run: Path) -> None:
    """A single decision moves to the next open row, be it far, and never onto one that is answered."""
    with served(run, "--reviewer", "Kim") as (_, address):
        page = in_grid(browser, address, DESKTOP)
        press(page, "ArrowRight", "Space", "ArrowRight", "Space", "k", "Home", "k")
        assert [tile["place"] for tile in tiles(page) if tile["here"]] == [3]
        for _ in range(12):  # rows that are not fetched when the last of the screen is decided
            press(page, "v", "m")
            settled(page)
        n = sum(bool(tile["said"]) for tile in tiles(page))
        assert n == 0, n
        far = next(tile["place"] for tile in tiles(page) if tile["here"])
        assert far > 120, far
        press(page, "Home", "m")
        settled(page)
        assert [tile["place"] for tile in tiles(page) if tile["here"]] == [far]
        assert tiles(page)[0]["place"] <= far
        assert page.inner_text("#checked").endswith(f"{far} by you"), (far, page.inner_text("#checked"))
        page.context.close()
    print("one by one: no answer is written over")


def main() -> None:
    asked = plain_asker("Try the grid of the review page in a real browser.").parse_args()
    with plainly_launched(asked) as (browser, root):
        review_run(root, 800, n_images=40)
        run = root / "run"
        for size in SIZES:
            by_screens(browser, run, size)
        exceptions_first(browser, run)
        one_by_one(browser, run)


if __name__ == "__main__":
    main()

"""What axe-core finds on the review page, in each scheme and size, for the scripts beside this one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.live.browser import DESKTOP, PHONE, opened

SIZES = {"desktop": DESKTOP, "phone": PHONE}


def looks(
    browser: Browser, address: str, axe: Path, schemes: Sequence[str] = ("light", "dark")
) -> Iterator[tuple[str, Page]]:
    """The page in each scheme and size, one after the other, and what to call it."""
    for scheme in schemes:
        for size, viewport in SIZES.items():
            page = opened(browser, address, [], viewport=viewport, color_scheme=scheme, bypass_csp=True)
            page.add_script_tag(path=axe)
            yield f"{scheme}-{size}", page
            page.context.close()


def found_by_axe(page: Page, name: str, save: Path) -> list[str]:
    """What axe finds on `page`, and whether it is too wide; the picture goes to `save`."""
    page.screenshot(path=save / f"{name}.png")
    bad = [
        f"{name}: {each['impact']} {each['id']} {each['nodes'][0]['html'][:200]}"
        for each in page.evaluate("axe.run()")["violations"]
    ]
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return bad + ([f"{name}: {wide} px too wide"] if wide > 0 else [])


def found_in_views(page: Page, views: Mapping[str, Sequence[str]], look: str, save: Path) -> list[str]:
    """What axe finds in `views`, to each of which some keys lead from the one before."""
    bad: list[str] = []
    for view, keys in views.items():
        for key in keys:
            page.keyboard.press(key)
            page.wait_for_timeout(400)
        bad += found_by_axe(page, f"{view}-{look}", save)
    return bad

"""What the review page must not do by mistake, whoever is slow or refuses.

No part of the suite, and only run by tests.live.review_browser, which see.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Route

from tests.live.browser import DESKTOP, opened, seen, served, settled
from tests.reviews import review_run


def without_mistakes(browser: Browser, folder: Path) -> None:
    """No decision about a picture not seen, none by a held key, none shown that was refused, none of another run."""
    review_run(folder, 400)
    held: list[Route] = []

    def late(route: Route) -> None:
        held.append(route)

    with served(folder / "run", "--reviewer", "Ann") as (_, address):
        page = opened(browser, address, [], viewport=DESKTOP)
        seen(page)
        page.wait_for_load_state("networkidle")
        page.route("**/image/*size=large*", late)
        for _ in range(5):  # beyond what was fetched ahead
            page.keyboard.press("ArrowRight")
        page.wait_for_timeout(300)
        assert page.is_hidden("#large")
        assert page.inner_text("#noPicture") == "Loading …"
        page.keyboard.press("k")
        assert page.inner_text("#place").startswith("6 of ")
        assert page.inner_text("#decided") == ""
        for route in held:
            route.continue_()
        page.unroute("**/image/*size=large*")
        seen(page)
        for _ in range(3):
            page.keyboard.down("k")
        page.keyboard.up("k")
        settled(page)
        assert page.inner_text("#place").startswith("7 of ")
        assert page.inner_text("#checked").endswith("1 by you")
        for status, told in ((422, "All saved"), (409, "1 not saved: the server shows another run")):
            page.route("**/api/decisions", refusing(status))
            seen(page)
            place = page.inner_text("#place")
            page.keyboard.press("m")
            page.wait_for_function(
                "(text) => document.getElementById('saved').textContent.startsWith(text)", arg=told
            )
            page.keyboard.press("ArrowLeft")
            page.wait_for_function(
                "(text) => document.getElementById('place').textContent === text", arg=place
            )
            assert page.inner_text("#decided") == ("" if status == 422 else "You: ambiguous")
            page.unroute("**/api/decisions")
        settled(page)
        assert page.inner_text("#checked").endswith("2 by you")
        terminal = browser.new_context().new_page()
        link = f'<a href="{address}">open</a>'
        terminal.route(
            "http://terminal.test/", lambda route: route.fulfill(body=link, content_type="text/html")
        )
        terminal.goto("http://terminal.test/")
        terminal.click("a")
        terminal.wait_for_selector("html[data-ready]")
        assert "token" not in terminal.url
        terminal.context.close()
        page.context.close()
    print(
        "without mistakes: pictures that are late, held keys, refused decisions, another run, a link of a web terminal"
    )


def refusing(status: int) -> Callable[[Route], None]:
    def refuse(route: Route) -> None:
        route.fulfill(status=status, json={"error": "no"})

    return refuse

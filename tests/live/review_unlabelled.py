"""Rows without a label on the review page, in a real Chromium: by keyboard alone, in the grid, by number keys, and axe.

No part of the suite; needs what tests.live.review_browser needs:

    python -m tests.live.review_unlabelled --axe package/axe.min.js [--chromium /usr/bin/chromium] [--save FOLDER]
"""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Browser, Page

from noiseaudit.decisions import read_decisions
from noiseaudit.result import AuditResult
from tests.live.axe_rules import found_in_views, looks
from tests.live.browser import DESKTOP, LOADED, asker, launched, moved_from, opened, seen, served, settled
from tests.reviews import review_run

N, N_UNLABELLED = 200, 40
VIEWS = {
    "one": [],
    "choose": ["c"],
    "grid": ["Escape", "g"],
    "selected": ["Shift+ArrowDown"],
    "decided": ["a"],
}
HIDDEN = (".card.given", "#precision", "#left", "[name=pair]", "[name=given]", "[data-do=keep]")


def run_of(folder: Path) -> tuple[AuditResult, list[int]]:
    """A run, and its rows without a label, surest first."""
    audit = review_run(folder, N, n_unlabelled=N_UNLABELLED)
    rows = [row for row, status in enumerate(audit.column("status").tolist()) if status == "unlabelled"]
    sureness = audit.column("p_suggested")
    return audit, sorted(rows, key=lambda row: -float(sureness[row]))


def choose_rows(page: Page) -> None:
    """By keyboard: F, and down to the last choice of the first filter."""
    page.keyboard.press("f")
    assert page.evaluate("document.activeElement.name") == "rows"
    page.keyboard.press("End")
    page.wait_for_selector(f"#filterNote:has-text('Without a label: {N_UNLABELLED} rows')")
    page.keyboard.press("Escape")


def answered(page: Page, key: str, *more: str) -> None:
    """A key, and what follows it in a dialog, once the picture is there; until the next row is."""
    seen(page)
    place = page.inner_text("#place")
    for each in (key, *more):
        page.keyboard.press(each)
    moved_from(page, place)


def by_keyboard(browser: Browser, folder: Path) -> None:
    """Accept, choose by number and by name, ambiguous, skip, undo, and a screen of the grid: the file holds that."""
    audit, rows = run_of(folder)
    suggested, errors = audit.column("suggested_label"), list[str]()
    said: dict[str, tuple[str, str | None]] = {}
    with served(folder / "run", "--reviewer", "Ann") as (_, address):
        page = opened(browser, address, errors, viewport=DESKTOP)
        assert f"{N_UNLABELLED} more without a label" in page.inner_text("#filterNote")
        before = page.inner_text("#precision"), page.inner_text("#left")
        choose_rows(page)
        assert page.inner_text("#place") == f"1 of {N_UNLABELLED}"
        assert page.inner_text("#suggested") == suggested[rows[0]]
        assert page.inner_text("#sure") == ", the model gives it 86\u00a0%", page.inner_text("#sure")
        assert not [name for name in HIDDEN if page.locator(name).first.is_visible()]
        assert page.inner_text("#likeFirstTitle").endswith(f"among {suggested[rows[0]]}")
        seen(page)
        page.keyboard.press("k")
        page.wait_for_selector("#message:has-text('There is no label to keep')")
        assert page.inner_text("#place") == f"1 of {N_UNLABELLED}"
        answered(page, "a")
        said[f"s{rows[0]}"] = ("relabel", suggested[rows[0]])
        page.keyboard.press("c")
        page.wait_for_selector("#chooser[open]")
        options = page.locator("#chooserList [role=option]")
        names = [options.nth(place).locator("span").first.inner_text() for place in range(4)]
        assert names[0] == suggested[rows[1]]
        assert page.get_by_role("option", name=re.compile(f"^{names[2]} \\d+ rows$")).count() == 1
        assert [options.nth(i).locator("kbd").inner_text() for i in range(4)] == ["1", "2", "3", "4"]
        assert options.nth(2).get_attribute("aria-keyshortcuts") == "3"
        page.keyboard.press("9")  # there is no such class: the list stays
        assert page.input_value("#chooserText") == ""
        page.keyboard.press("3")
        page.wait_for_selector(f"#place:text-is('3 of {N_UNLABELLED}')")
        said[f"s{rows[1]}"] = ("relabel", names[2])
        other = next(name for name in audit.classes if name != suggested[rows[2]])
        answered(page, "c", *other[:3], "1")
        said[f"s{rows[2]}"] = ("relabel", other)
        for row, key, kind in ((3, "m", "ambiguous"), (4, "s", "skip")):
            answered(page, key)
            said[f"s{rows[row]}"] = (kind, None)
        answered(page, "a")
        page.keyboard.press("u")
        page.wait_for_selector("#message:has-text('Undone')")
        settled(page)
        assert page.inner_text("#checked") == f"4 of {N_UNLABELLED} · 4 by you, 1 skipped"
        page.keyboard.press("g")
        page.wait_for_function(LOADED)
        page.keyboard.press("v")
        tiles = ".tile[aria-selected=true]"
        places = page.eval_on_selector_all(tiles, "found => found.map(it => Number(it.dataset.place))")
        assert len(places) > 5, places
        page.keyboard.press("k")
        page.wait_for_selector("#message:has-text('There is no label to keep')")
        page.keyboard.press("a")
        page.wait_for_selector(f"#message:has-text('{len(places)} decided')")
        settled(page)
        said |= {f"s{rows[place]}": ("relabel", suggested[rows[place]]) for place in places}
        page.select_option("[name=rows]", "suspects", force=True)
        page.wait_for_function("() => !document.body.classList.contains('unlabelled')")
        assert (page.inner_text("#precision"), page.inner_text("#left")) == before
        assert page.inner_text("#checked").startswith("0 of ")
        page.context.close()
    assert not errors, errors
    found = {d.sample_id: (d.decision, d.new_label) for d in read_decisions(folder / "run" / "decisions.csv")}
    assert found == said, {*found.items()} ^ {*said.items()}
    print(
        f"by keyboard: {len(said)} rows without a label, in the file exactly; precision and errors left as before"
    )


def digits_are_names(browser: Browser, folder: Path) -> None:
    """Where a class has a digit in its name, digits are typed, and stand beside no class."""
    review_run(folder, 80, ("0", "1", "2", "3"), n_images=8)
    with served(folder / "run", "--reviewer", "Ann") as (_, address):
        page = opened(browser, address, [], viewport=DESKTOP)
        seen(page)
        page.keyboard.press("c")
        page.wait_for_selector("#chooser[open]")
        assert page.locator("#chooserList kbd").count() == 0
        assert page.is_hidden("#chooserDigits")
        page.keyboard.press("3")
        assert page.input_value("#chooserText") == "3"
        assert page.locator("#chooserList [role=option]").count() == 1
        page.keyboard.press("Enter")
        page.wait_for_selector("#message:has-text('3')")
        page.context.close()
    print("digits in names: typed as they are")


def accessible(browser: Browser, folder: Path, axe: Path, save: Path) -> None:
    """axe finds nothing, whatever is on the screen."""
    run_of(folder)
    bad: list[str] = []
    with served(folder / "run", "--reviewer", "Ann") as (_, address):
        for look, page in looks(browser, address, axe):
            choose_rows(page)
            page.click("#filters summary")
            seen(page)
            bad += found_in_views(page, VIEWS, f"unlabelled-{look}", save)
    print(
        *(bad or [f"axe: no finding in {len(VIEWS)} views, light and dark, 1280 and 390 px wide"]), sep="\n"
    )
    assert not bad


def main() -> None:
    asked = asker("Try rows without a label on the review page in a real browser.").parse_args()
    with launched(asked) as (browser, root, save):
        by_keyboard(browser, root / "keyboard")
        digits_are_names(browser, root / "digits")
        accessible(browser, root / "axe", asked.axe, save)


if __name__ == "__main__":
    main()

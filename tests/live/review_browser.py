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
import json
import tempfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page, Route, sync_playwright

from noiseaudit.decisions import read_decisions
from noiseaudit.result import AuditResult
from tests.live.browser import DESKTOP, LOADED, PHONE, opened, served
from tests.live.review_speed import fast
from tests.reviews import command, review_run


def settled(page: Page) -> None:
    """Once everything decided is on the disk."""
    page.wait_for_function("() => document.getElementById('saved').textContent === 'All saved'")


def seen(page: Page) -> None:
    """Once the picture is there: nothing is decided before."""
    page.wait_for_function("() => document.getElementById('noPicture').hidden")


def shown(page: Page) -> tuple[str, str, str]:
    """Image, given and suggested label on the screen."""
    return page.inner_text("#caption"), page.inner_text("#given"), page.inner_text("#suggested")


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
        seen(page)
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
        page.wait_for_function(
            "() => { const all = [...document.querySelectorAll('.strip img')];"
            " return all.length > 6 && all.every((image) => image.complete); }"
        )
        page.wait_for_selector("#message:empty", state="attached")
        page.screenshot(path=save / "one.png")
        page.reload()
        page.wait_for_selector("html[data-ready]")
        assert page.inner_text("#checked").endswith("24 by you, 5 skipped")
        assert page.inner_text("#place").startswith("30 of ")  # where she left off
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
        page.wait_for_selector("#place:has-text('30 of 103')")
        page.click("#filters summary")
        page.fill("#reviewer", "Bob")
        page.keyboard.press("Enter")
        page.wait_for_selector("#place:text-is('1 of 103')")
        assert page.inner_text("#decided") == ""  # what Ann said is not told before
        bob = decide(page, audit, 6)
        said |= {(sample, "Bob"): what for sample, what in bob.items()}
        page.keyboard.press("g")
        page.wait_for_selector("#tiles .tile img")
        page.keyboard.press("End")
        page.keyboard.press("Home")
        for key in ("End", "ArrowUp", "Shift+ArrowRight", "Shift+ArrowRight"):
            page.keyboard.press(key)
            page.wait_for_timeout(100)
            page.wait_for_function(LOADED)
        chosen = page.eval_on_selector_all(
            ".tile[aria-selected=true]", "found => found.map(it => it.getAttribute('aria-posinset'))"
        )
        assert len(chosen) == 3, chosen
        page.keyboard.press("k")
        page.wait_for_selector("#message:has-text('3 decided')")
        settled(page)
        order = sorted(audit.table.to_pylist(), key=lambda row: row["rank"] or 10**9)
        said |= {(order[int(place) - 1]["sample_id"], "Bob"): ("keep", None) for place in chosen}
        page.keyboard.press("Home")
        page.keyboard.press("Shift+ArrowDown")
        page.wait_for_function(LOADED)
        page.wait_for_selector("#message:empty", state="attached")
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


def refusing(status: int) -> Callable[[Route], None]:
    def refuse(route: Route) -> None:
        route.fulfill(status=status, json={"error": "no"})

    return refuse


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


def check_files(
    folder: Path, audit: AuditResult, said: dict[tuple[str, str], tuple[str, str | None]]
) -> None:
    file = folder / "run" / "decisions.csv"
    found = {(d.sample_id, d.reviewer): (d.decision, d.new_label) for d in read_decisions(file)}
    assert found == said, {*found.items()} ^ {*said.items()}
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
                seen(page)
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


def main() -> None:
    parser = argparse.ArgumentParser(description="Try the review page in a real browser.")
    parser.add_argument("--axe", type=Path, required=True, help="axe.min.js of the npm package axe-core")
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    parser.add_argument("--save", type=Path, help="keep the screenshots in this folder")
    parser.add_argument("--only", choices=["keyboard", "mistakes", "axe", "speed"])
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        root = Path(name)
        save = asked.save or root
        save.mkdir(parents=True, exist_ok=True)
        browser = playwright.chromium.launch(executable_path=asked.chromium)
        print(json.dumps({"chromium": browser.version}))
        if asked.only in (None, "keyboard"):
            by_keyboard(browser, root / "keyboard", save)
        if asked.only in (None, "mistakes"):
            without_mistakes(browser, root / "mistakes")
        if asked.only in (None, "axe"):
            accessible(browser, root / "axe", asked.axe, save)
        if asked.only in (None, "speed"):
            fast(browser, root / "speed")
        browser.close()


if __name__ == "__main__":
    main()

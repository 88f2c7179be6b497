"""axe on views of the review page that review_browser.py does not reach: blind rows, Agreement, kinds of issue.

No part of the suite: it takes Playwright, Chromium and axe-core (see review_browser.py). For maintainers:

    python -m tests.live.review_views --axe package/axe.min.js [--chromium /usr/bin/chromium] [--save FOLDER]
"""

from __future__ import annotations

import itertools
from pathlib import Path

import pyarrow as pa
from playwright.sync_api import Browser

from noiseaudit.result import SCHEMA, AuditResult, read_audit
from tests.live.axe_rules import found_by_axe, looks
from tests.live.browser import DESKTOP, LOADED, asker, launched, opened, seen, served
from tests.reviews import command, review_run

KINDS = {
    "ambiguous": "two labels fit",
    "unsure": "model is unsure",
    "class_pair": "often mixed up",
    "duplicate_conflict": "labelled twice",
}


def blind(browser: Browser, run: Path, axe: Path, save: Path) -> list[str]:
    """A row of `sample` to be answered, and one that was."""
    checks = run.parent / "checks.csv"
    done = command("sample", run, "--n", 40, "--out", checks)
    assert done.exit_code == 0, done.stderr
    bad: list[str] = []
    with served(run, "--rows", checks, "--reviewer", "Ann") as (_, address):
        for look, page in looks(browser, address, axe):
            page.wait_for_selector("#place:has-text(' of 40')")
            bad += found_by_axe(page, f"blind-{look}", save)
            seen(page)
            page.keyboard.press("k")
            page.wait_for_timeout(500)
            page.keyboard.press("ArrowLeft")
            page.wait_for_selector("#decided:has-text('You:')")
            bad += found_by_axe(page, f"blind-answered-{look}", save)
    return bad


def kinds(browser: Browser, run: Path, axe: Path, save: Path) -> list[str]:
    """Kinds of issue on a row, in the grid and under `?` are no decisions; the end of the list tells the way back."""
    audit = read_audit(run)
    every = itertools.cycle(KINDS)
    found = [kind and next(every) for kind in audit.table.column("issue_kind").to_pylist()]
    field = SCHEMA.field("issue_kind")
    table = audit.table.set_column(SCHEMA.names.index("issue_kind"), field, pa.array(found, field.type))
    AuditResult(table, audit.meta).write(run / "audit.parquet")
    n, bad = len(audit.table) - found.count(None), list[str]()
    with served(run, "--reviewer", "Kim") as (_, address):
        for look, page in looks(browser, address, axe, ["light"]):
            page.wait_for_selector("#facts li[title]")
            assert page.inner_text("#facts li[title]") in {f"kind: {name}" for name in KINDS.values()}
            bad += found_by_axe(page, f"kind-{look}", save)
            page.keyboard.press("?")
            page.wait_for_selector("#help[open]")
            assert page.locator("#kinds dt").all_inner_texts()[2] == "two labels fit"
            page.locator("#kinds").scroll_into_view_if_needed()
            bad += found_by_axe(page, f"kinds-help-{look}", save)
            page.keyboard.press("Escape")
            page.keyboard.press("g")
            page.wait_for_function(LOADED)
            told = set(page.locator(".tile:not([hidden]) .done").all_inner_texts())
            assert told <= {f"kind: {name}" for name in KINDS.values()} | {""}, told
            bad += found_by_axe(page, f"kinds-grid-{look}", save)
            page.keyboard.press("End")
            page.keyboard.press("g")
            page.wait_for_selector(f"#place:text-is('{n} of {n}')")
            page.keyboard.press("ArrowRight")
            page.wait_for_selector(f"#message:has-text('{n} of {n} are unanswered by you: J goes')")
            bad += found_by_axe(page, f"end-{look}", save)
            page.keyboard.press("j")
            page.wait_for_selector(f"#place:text-is('1 of {n}')")
    return bad


def agreement(browser: Browser, run: Path, axe: Path, save: Path) -> list[str]:
    """The dialog, of two people who judged the same rows and differ about some."""
    for reviewer, keys in (("Ann", "kkkkkaa"), ("Bob", "kkkkaaa")):
        with served(run, "--reviewer", reviewer) as (_, address):
            page = opened(browser, address, [], viewport=DESKTOP)
            for n, key in enumerate(keys, 1):
                seen(page)
                page.keyboard.press(key)
                page.wait_for_selector(f"#checked:has-text('{n} by you')")
                page.wait_for_timeout(300)
            page.context.close()
    bad: list[str] = []
    with served(run, "--reviewer", "Bob") as (_, address):
        for look, page in looks(browser, address, axe):
            page.click("#openAgreement")
            page.wait_for_selector("#agreement[open]")
            page.wait_for_selector("#agreementText:has-text('kappa')")
            bad += found_by_axe(page, f"agreement-{look}", save)
    return bad


def main() -> None:
    asked = asker(__doc__).parse_args()
    with launched(asked) as (browser, root, save):
        review_run(root / "data", 200)
        run = root / "data" / "run"
        bad = blind(browser, run, asked.axe, save) + agreement(browser, run, asked.axe, save)
        bad += kinds(browser, run, asked.axe, save)
    print(*(bad or ["axe: no finding in 7 views, 1280 and 390 px wide"]), sep="\n")
    assert not bad


if __name__ == "__main__":
    main()

"""Decisions by keyboard on the review page: the file and what `clean` makes of it hold exactly these.

No part of the suite, and only run by tests.live.review_browser, which see.
"""

from __future__ import annotations

import csv
from pathlib import Path

from playwright.sync_api import Browser, Page

from noiseaudit.decisions import read_decisions
from noiseaudit.result import AuditResult
from tests.live.browser import DESKTOP, LOADED, moved_from, opened, seen, served, settled
from tests.reviews import command, review_run


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
        skips = sum(kind == "skip" for kind, _ in said.values())
        told = f"{len(said) - skips} decisions and {skips} skips written"
        page.wait_for_selector(f"#message:has-text('{told}')")
        page.context.close()
    assert not errors, errors
    check_files(folder, audit, said)
    print(f"by keyboard: {len(said)} answers of two reviewers, in the file and applied exactly")


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
        moved_from(page, place)
    settled(page)
    return said

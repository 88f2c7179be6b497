"""Label Studio's own page: it shows what was exported, and what is clicked there comes back.

No part of the suite, and only run by tests.live.label_studio, which see.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from noiseaudit.exports.label_studio import AMBIGUOUS
from noiseaudit.exports.names import choice_text
from noiseaudit.result import AuditResult

BOXES = ".lsf-choices input"
GIVEN = ".lsf-richtext__line"
WAIT_MS = 600_000
ARE_TICKED = """(wanted) => {
  const ticked = [...document.querySelectorAll("BOXES")].filter((box) => box.checked);
  return JSON.stringify(ticked.map((box) => box.name)) === JSON.stringify(wanted);
}""".replace("BOXES", BOXES)
IS_DRAWN = "() => [...document.images].some((image) => image.complete && image.naturalWidth > 0)"
NAMES = """([boxes, n]) => {
  const found = [...document.querySelectorAll(boxes)].map((box) => box.name);
  return found.length === n && found;
}"""


def click_all(
    url: str,
    cookies: Mapping[str, str],
    project: int,
    found: Sequence[dict[str, Any]],
    audit: AuditResult,
    chromium: Path,
    save: Path,
) -> dict[str, str]:
    """Submit another class in each of the tasks `found`, in turn; sample -> class. Each is a picture in `save`."""
    said: dict[str, str] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        context = browser.new_context(viewport={"width": 1400, "height": 1000})
        context.add_cookies([{"name": name, "value": value, "url": url} for name, value in cookies.items()])
        page = context.new_page()
        page.set_default_timeout(WAIT_MS)
        for place, task in enumerate(found):
            page.goto(f"{url}/projects/{project}/data?task={task['id']}")
            _check(page, task, audit)
            page.screenshot(path=save / f"task-{place + 1}.png")
            label = place % len(audit.classes)
            _submit(page, label, choice_text(audit.classes[label]))
            said[task["data"]["sample_id"]] = audit.classes[label]
        browser.close()
    return said


def _check(page: Page, task: dict[str, Any], audit: AuditResult) -> None:
    """The given label, a box for each class, that of the suggestion ticked, the score and the image are there."""
    page.wait_for_selector(BOXES)
    page.wait_for_function(IS_DRAWN)
    if task["data"]["given_label"]:
        page.wait_for_selector(GIVEN)
    given = page.locator(GIVEN).all_inner_texts()
    assert " ".join(given).split() == task["data"]["given_label"].split(), given
    # The page draws itself again once the image is there, so that boxes come, go and come.
    names = page.wait_for_function(NAMES, arg=[BOXES, len(audit.classes) + 1]).json_value()
    assert names == [*map(choice_text, audit.classes), AMBIGUOUS], names
    (prediction,) = task["predictions"]
    page.wait_for_function(ARE_TICKED, arg=prediction["result"][0]["value"]["choices"])
    score = f"{100 * prediction['score']:.2f}%"
    page.wait_for_function("(score) => document.body.innerText.includes(score)", arg=score)


def _submit(page: Page, place: int, text: str) -> None:
    """Tick the box in this place, if it is not, and submit."""
    box = page.locator(BOXES).nth(place)
    if not box.is_checked():
        box.click()
    page.wait_for_function(ARE_TICKED, arg=[text])
    with page.expect_response(
        lambda reply: "/annotations" in reply.url and reply.request.method == "POST"
    ) as told:
        page.click("button:has-text('Submit')")
    assert told.value.status == 201, told.value.text()

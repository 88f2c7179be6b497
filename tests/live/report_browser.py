"""The report of a large audit in Chromium: size, time, network, axe's rules, light, dark, a phone, and paper.

No part of the suite: it takes a browser. For maintainers, with `pip install playwright`, Chromium, and axe-core's
`axe.min.js` from its npm package:

    PYTHONPATH=.:cli:reports python -m tests.live.report_browser --axe axe.min.js --out shots
"""

from __future__ import annotations

import argparse
import importlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from PIL import Image, ImageDraw
from typer.testing import CliRunner

from noiseaudit.result import SCHEMA, AuditMeta, AuditResult, Cutoff
from noiseaudit.runjson import write_run_json
from noiseaudit_cli.main import app

N, N_SUSPECTS, N_UNLABELLED, N_UNREAD = 60_000, 500, 40, 30
CLASSES = ["bird", "boat", "car", "cat", "deer", "dog", "frog", "horse", "lorry", "\u202eenalp"]
ANNOTATORS = [
    "ana",
    "ben@example.com",
    "chloé",
    "dmitri",
    "emeka",
    "fatima",
    "عربي",
    "<b>hao</b>",
    "ines",
    "jo",
]
MOST_BYTES, MOST_SECONDS, PHONE = 5_000_000, 1.0, 390
LOADS = 7
PARTS = ("summary", "pairs", "annotators", "cost", "sure", "suspects")
SERIOUS = ("serious", "critical")


def large_audit(*, has_truth: bool) -> AuditResult:
    """N rows, N_SUSPECTS of them flagged, with probabilities that are right and annotators who differ."""
    rng = np.random.default_rng(0)
    wrong_like = rng.random(N) < 0.012
    p = np.where(wrong_like, rng.beta(2.5, 1.6, N), rng.beta(0.4, 160, N))
    is_wrong = rng.random(N) < p
    true = rng.integers(len(CLASSES), size=N)
    other = np.where(rng.random(N) < 0.5, true ^ 1, (true + rng.integers(1, len(CLASSES), N)) % len(CLASSES))
    given = np.where(is_wrong, other, true)
    suggested = np.where(is_wrong, true, np.where(wrong_like, other, true))
    scored = np.arange(N) < N - N_UNLABELLED - N_UNREAD
    threshold = float(np.sort(p[scored])[-N_SUSPECTS])
    flagged = scored & (p >= threshold)
    rank = np.zeros(N, np.int64)
    rank[np.argsort(-np.where(scored, p, -1), kind="stable")] = np.arange(1, N + 1)
    status = np.where(scored, "ok", np.where(np.arange(N) < N - N_UNREAD, "unlabelled", "missing")).astype(
        object
    )
    names = np.array(CLASSES, object)
    labelled, read = status != "unlabelled", status != "missing"
    images = [f"photos/{i:05d}.jpg" for i in range(N)]

    def on(mask: npt.NDArray[np.bool_], values: Any) -> list[Any]:
        every = np.broadcast_to(np.asarray(values), N).tolist()
        return [value if keep else None for keep, value in zip(mask, every, strict=True)]

    def evidence(label: str) -> list[dict[str, Any]]:
        return [
            {"kind": "guider", "value": 0.75, "reference": label},
            {"kind": "peak", "value": 0.2, "reference": "30"},
        ]

    columns = {
        "row": np.arange(N), "sample_id": images, "image": images, "given_label": on(labelled, names[given]),
        "is_labelled": labelled, "status": status, "reason": on(~read, "no such file"),
        "epsilon": on(scored, np.where(p > 0.002, p * rng.random(N), 0.0)), "p_given": on(scored, 1 - p),
        "suggested_label": on(read, names[suggested]), "p_suggested": on(read, np.clip(p, 0.3, 0.99)),
        "p_mislabeled": on(scored, p), "is_label_issue": on(scored, flagged), "rank": on(scored, rank),
        "top_labels": [CLASSES[:3] if r else None for r in read],
        "top_probs": [[0.5, 0.3, 0.2] if r else None for r in read],
        "true_label": on(np.full(N, has_truth), names[true]), "issue_kind": on(flagged, "mislabeled"),
        "evidence": [evidence(CLASSES[s]) if f else None for f, s in zip(flagged, suggested, strict=True)],
        "split": [None] * N, "annotator": annotators(p, rng), "batch": [f"2024-{i // 2000 + 1:02d}" for i in range(N)],
    }  # fmt: skip
    meta = AuditMeta(
        tuple(sorted(CLASSES)), "string", {"asked": {"method": "umn_plus"}, "chosen": {"epochs": 30}},
        {"noiseaudit": "0.1.0"}, 0, "cpu", 2,
        Cutoff("auto", "p_mislabeled", threshold, "Rows from there up maximise the expected F1."), "sha256:" + "0" * 64,
    )  # fmt: skip
    return AuditResult(pa.table(columns, schema=SCHEMA), meta)


def annotators(p: npt.NDArray[np.float64], rng: np.random.Generator) -> list[str | None]:
    """The second has thrice the wrong labels of others, the last ten labels, and some rows name none."""
    shares = np.array([1.0] * (len(ANNOTATORS) - 1))
    usual = rng.choice(len(shares), N, p=shares / shares.sum())
    who = np.where((p > 0.2) & (rng.random(N) < 0.2), 1, usual)
    who[rng.choice(np.flatnonzero(p < 0.1), 8, replace=False)] = len(ANNOTATORS) - 1
    who[rng.choice(np.flatnonzero(p > 0.7), 2, replace=False)] = len(ANNOTATORS) - 1
    named = rng.random(N) > 0.01
    return [ANNOTATORS[i] if is_named else None for i, is_named in zip(who, named, strict=True)]


def draw(audit: AuditResult, folder: Path) -> None:
    """A photograph, so to speak, of each row that the report may show."""
    (folder / "photos").mkdir(parents=True)
    shown = np.flatnonzero(audit.suspects() | (audit.column("status") == "unlabelled"))
    for row in shown.tolist():
        rng = np.random.default_rng(row)
        ground = np.linspace(rng.integers(60, 230, 3), rng.integers(60, 230, 3), 240)[:, None]
        pixels = np.clip(ground + rng.normal(0, 9, (240, 320, 3)), 0, 255).astype(np.uint8)
        image = Image.fromarray(pixels)
        x, y, size = (float(rng.integers(*ends)) for ends in ((20, 160), (20, 100), (60, 130)))
        ImageDraw.Draw(image).ellipse(
            (x, y, x + size, y + size), fill=tuple(rng.integers(0, 255, 3).tolist())
        )
        image.save(folder / "photos" / f"{row:05d}.jpg")


def write(folder: Path, *, has_truth: bool) -> Path:
    """The report, as the command writes it."""
    run = folder / ("with truth" if has_truth else "without truth")
    run.mkdir(parents=True)
    audit = large_audit(has_truth=has_truth)
    audit.write(run / "audit.parquet")
    draw(audit, run / "images")
    paths = {"data": "labels.csv", "images": str(run / "images")}
    cleaned = {"file": "cleaned.csv", "changed": N_SUSPECTS, "protected": 0}
    write_run_json(run, {"status": "complete", "paths": paths, "cleaned": cleaned, "seconds": 512.3})
    started = time.perf_counter()
    result = CliRunner().invoke(app, ["report", str(run), "--max-suspects", str(N_SUSPECTS)])
    assert result.exit_code == 0, result.stderr
    size = (run / "report.html").stat().st_size
    print(f"{run.name}: {size / 1e6:.2f} MB, written in {time.perf_counter() - started:.1f} s")
    assert size < MOST_BYTES
    return run / "report.html"


def check_plain(browser: Any, report: Path) -> None:
    """Nothing is asked of a network, it opens at once, and it reads without script."""
    page = browser.new_context(java_script_enabled=False, viewport={"width": 1280, "height": 900}).new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(report.as_uri())
    assert all(url == report.as_uri() or url.startswith("data:") for url in asked), asked
    text = page.inner_text("body")
    assert f"{N_SUSPECTS} of " in text
    assert text.count("p_mislabeled ") >= N_SUSPECTS
    seconds = sorted(load_seconds(browser, report) for _ in range(LOADS))
    print(f"loaded in {seconds[0]:.2f} s, median {seconds[LOADS // 2]:.2f} s of {LOADS}")
    assert seconds[0] < MOST_SECONDS  # the best: other work on the machine only adds to it


def load_seconds(browser: Any, report: Path) -> float:
    """Until the page's load event has ended, in a new context."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(report.as_uri())
    ended: float = page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
    context.close()
    return ended / 1000


def check_rules(browser: Any, report: Path, axe: str, out: Path) -> None:
    """axe finds nothing serious, nothing is wider than the window, and pictures are kept."""
    for scheme in ("light", "dark"):
        for width in (1280, PHONE):
            view = {"width": width, "height": 900}
            context = browser.new_context(bypass_csp=True, color_scheme=scheme, viewport=view)
            page = context.new_page()
            page.goto(report.as_uri())
            assert page.evaluate("document.scrollingElement.scrollWidth") <= width, (scheme, width)
            page.evaluate(axe)
            found = page.evaluate("axe.run()")["violations"]
            bad = [
                (each["id"], each["nodes"][0]["html"][:200]) for each in found if each["impact"] in SERIOUS
            ]
            print(f"{scheme}, {width} px: {len(found)} findings, {len(bad)} serious", *bad)
            assert not bad
            name = f"{report.parent.name.replace(' ', '-')}-{scheme}-{width}"
            for part in PARTS:
                target = ".summary" if part == "summary" else f"section[aria-labelledby='{part}']"
                page.locator(target).first.evaluate("e => window.scrollTo(0, e.offsetTop - 10)")
                page.screenshot(path=out / f"{name}-{part}.png")
            page.evaluate("window.scrollTo(0, 0)")
            page.screenshot(path=out / f"{name}-top.png")
            context.close()


def check_paper(browser: Any, report: Path, out: Path) -> None:
    """It prints, on a light ground though the screen is dark."""
    page = browser.new_context(color_scheme="dark").new_page()
    page.goto(report.as_uri())
    page.emulate_media(media="print", color_scheme="dark")
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert colour == "rgb(255, 255, 255)", colour
    page.pdf(path=out / f"{report.parent.name.replace(' ', '-')}.pdf", format="A4", print_background=True)


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--axe", type=Path, required=True, help="axe.min.js")
    parser.add_argument("--out", type=Path, required=True, help="a new folder for reports and screenshots")
    parser.add_argument("--only", choices=("with", "without"), help="truth; default: both reports")
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    asked = parser.parse_args(words)
    asked.out.mkdir(parents=True)
    reports = [
        write(asked.out, has_truth=has_truth)
        for has_truth in (False, True)
        if asked.only in (None, "with" if has_truth else "without")
    ]
    playwright = importlib.import_module("playwright.sync_api")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=asked.chromium, args=["--no-sandbox"])
        for report in reports:
            check_plain(browser, report)
            check_rules(browser, report, asked.axe.read_text("utf-8"), asked.out)
            check_paper(browser, report, asked.out)
        browser.close()


if __name__ == "__main__":
    main()

"""Other tools beside noiseaudit: in the chart, the page, Markdown and JSON, and nowhere unless asked for."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from noiseaudit.compare.stored import Compared, averaged
from noiseaudit.result import AuditResult
from noiseaudit_reports import ReportView, build_view
from noiseaudit_reports.charts import charts
from noiseaudit_reports.charts_compared import compared_chart
from noiseaudit_reports.html import render_html
from noiseaudit_reports.json_file import render_json
from noiseaudit_reports.markdown import render_markdown
from noiseaudit_reports.text import visible
from tests.comparisons import HOSTILE, line, planted
from tests.report_page import NO_CHARTS, MakeAudit, Page, section
from tests.test_reports_charts import SVG, points

GOLD = Path(__file__).parent / "gold"
NAMES = ("noiseaudit", "guider", "cleanlab", "cleanlab_logistic", "aum", "small_loss", "knn")
BLANK = NO_CHARTS | {"compared": "<svg></svg>"}
LATE = [0, 0, 0, 1, 2]


def known(*names: str) -> Compared:
    return averaged([line(name, seed) for name in names for seed in (0, 1)])


def texts(svg: str) -> list[str]:
    return [each.text or "" for each in ET.fromstring(svg).iter(f"{SVG}text")]


def view(make_audit: MakeAudit, compared: Compared | None) -> ReportView:
    return build_view(make_audit(), compared=compared)


def test_the_chart_holds_every_tools_name_and_a_line_of_its_own() -> None:
    svg = compared_chart(known(*NAMES))
    assert set(NAMES) <= set(texts(svg))
    drawn = [
        re.sub(r"stroke: [^;]+;?|stroke-linecap[^;]+;?", "", path.get("style", ""))
        for path in ET.fromstring(svg).iter(f"{SVG}path")
        if path.get("clip-path") and "fill: none" in path.get("style", "")
    ]
    assert len(drawn) == len(set(drawn)) == len(NAMES) + 1  # without colour, and with the random order
    assert sum("stroke-width: 3" in style for style in drawn) == 1


def test_the_line_is_drawn_to_scale() -> None:
    """2 wrong labels among 4, so the axis ends at all images."""
    x, y = zip(*points(compared_chart(known("noiseaudit")), "--alert"), strict=True)
    heights = 1.03 * np.interp([0, 0.25, 0.5, 1], x, y)
    assert heights == pytest.approx([0, 0.5, 1, 1], abs=0.02)


def test_the_chart_ends_at_three_times_the_wrong_labels() -> None:
    """1 among 10, so at 30 %; all are found after the first image, at a third of the axis."""
    x, y = zip(
        *points(compared_chart(averaged([line("noiseaudit", 0, [0, *[1] * 10])])), "--alert"), strict=True
    )
    assert 1.03 * np.interp([1 / 6, 1 / 3, 1], x, y) == pytest.approx([0.5, 1, 1], abs=0.02)


def test_hostile_names_stay_text(make_audit: MakeAudit) -> None:
    found = view(make_audit, known("noiseaudit", *HOSTILE))
    svg = charts(found)["compared"]
    assert "<script" not in svg
    for name in ("_$\\frac", visible(HOSTILE[2]), "a|b `c`"):
        assert name in texts(svg)
    assert "<script>x</scrip…" in texts(svg)
    page = Page(render_html(found, charts(found)))
    assert page.open == []
    assert not page.tags("script")
    assert {visible(name) for name in HOSTILE} <= set(page.names)
    assert "| `<script>x</script>` | 1 | 2 | 2 |" in render_markdown(found)
    assert "| <code>a&#124;b &#96;c&#96;</code> | 1 | 2 | 2 |" in render_markdown(found)


def test_tools_beyond_seven_are_in_the_table(make_audit: MakeAudit) -> None:
    found = view(make_audit, known(*NAMES, "eighth"))
    assert "eighth" not in texts(charts(found)["compared"])
    text = Page(section(render_html(found, BLANK), "cost")).text
    assert "eighth" in text
    assert "The chart has the first 7 tools." in text
    assert "first 7" not in Page(render_html(view(make_audit, known(*NAMES)), BLANK)).text


@pytest.mark.parametrize(
    ("lines", "what", "over"),
    [
        ([line("knn")], "On the 4 labels whose truth is known, 2 of them wrong.", "with one seed."),
        (
            [planted("knn"), planted("knn", 1), planted("aum")],
            "On 4 labels, taken for right, with symmetric errors planted in 20 % of them (2 wrong labels); ",
            "mean over 1 to 2 seeds.",
        ),
        ([line("knn", seed) for seed in range(3)], "On the 4 labels", "mean over 3 seeds."),
    ],
)
def test_the_caption(make_audit: MakeAudit, lines: list[dict[str, Any]], what: str, over: str) -> None:
    found = view(make_audit, averaged(lines))
    text = Page(section(render_html(found, BLANK), "cost")).text.replace("\N{NO-BREAK SPACE}", " ")
    assert what in text
    assert f"every tool on the same images, {over}" in text
    assert what in render_markdown(found)
    assert over in render_markdown(found)


def test_nothing_can_be_wrong_and_tools_are_compared(make_audit: MakeAudit) -> None:
    found = dataclasses.replace(view(make_audit, known("knn")), cost=None)
    page = section(render_html(found, BLANK), "cost")
    assert "Beside other tools" in page
    assert "Wrong labels found" not in page
    assert "## What a review costs\n\n### Beside" in render_markdown(found)


def page_part(found: ReportView) -> str:
    return section(render_html(found, BLANK), "cost")


def json_part(found: ReportView) -> str:
    return json.dumps(json.loads(render_json(found))["compared"], indent=1) + "\n"


def markdown_part(found: ReportView) -> str:
    return render_markdown(found).partition("## What a review costs")[2].partition("\n## ")[0]


@pytest.mark.parametrize(
    ("name", "part"),
    [("compared.html", page_part), ("compared.md", markdown_part), ("compared.json", json_part)],
)
def test_gold(name: str, part: Callable[[ReportView], str], make_audit: MakeAudit) -> None:
    lines = [each for seed in (0, 1) for each in (planted("knn", seed, LATE), planted("noiseaudit", seed))]
    got = part(view(make_audit, averaged([*lines, planted("<b>", 0, [0, 0, 1, 1, 2])])))
    if os.environ.get("NOISEAUDIT_UPDATE_GOLD") == "1":
        (GOLD / name).write_text(got, "utf-8")
    assert got == (GOLD / name).read_text("utf-8")


def test_without_a_comparison_there_is_no_word_of_it(make_audit: MakeAudit) -> None:
    found = view(make_audit, None)
    assert "compared" not in charts(found)
    assert "compared" not in json.loads(render_json(found))
    for text in (render_html(found, charts(found)), render_markdown(found)):
        assert "Beside other tools" not in text


def test_its_keys_are_documented(make_audit: Callable[..., AuditResult]) -> None:
    docs = Path(__file__).resolve().parent.parent / "docs" / "audit-format.md"
    row = next(row for row in docs.read_text("utf-8").split("\n") if row.startswith("| `compared`"))
    found = json.loads(render_json(build_view(make_audit(), compared=known("knn"))))["compared"]
    assert [name for name in (*found, *found["tools"][0]) if f"`{name}`" not in row] == []

"""report.html: self-contained, safe with hostile names, readable."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pyarrow.compute as pc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from noiseaudit.errors import OutputError
from noiseaudit.evaluation import evaluate
from noiseaudit.percent import percent
from noiseaudit.result import AuditResult
from noiseaudit.truth import truth_from_audit
from noiseaudit_reports import WRITERS, ReportView, build_view
from noiseaudit_reports.html import TOP_CLASSES, render_html
from noiseaudit_reports.markdown import render_markdown
from noiseaudit_reports.text import range_text, unbroken, visible

MakeAudit = Callable[..., AuditResult]
VOID = {"meta", "img", "br", "link", "input", "hr"}
UNWANTED = {"script", "iframe", "object", "embed", "form", "link", "base", "b"}
CHARTS = ("p_mislabeled", "epsilon", "cost", "precision_recall", "reliability")
NO_CHARTS = dict.fromkeys(CHARTS, "<svg></svg>")
HOSTILE = [
    "<script>alert(1)</script>",
    "\"onerror='alert(1)",
    "two\nlines",
    "{{ 7 * 7 }}",
    "\u202egnp.exe",
    "=cmd|' /C calc'!A0",
    "a|b `c` **d**",
    "عربي",
    "😀",
    "x" * 400,
]


class Page(HTMLParser):
    """Elements as (tag, attributes), text by bdi, and a check that every element is closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.names: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "bdi":
            self.names.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        if "bdi" in self.open:
            self.names[-1] += data

    def tags(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.elements if tag == name]


def full_view(audit: AuditResult) -> ReportView:
    truth = truth_from_audit(audit)
    warned = {"warnings": ["<b>"]}
    return build_view(audit, warned, evaluate(audit, truth), lambda row: b"\x89PNG", truth=truth)


def test_hostile_names_stay_text(make_audit: MakeAudit) -> None:
    images = [f"{HOSTILE[i % len(HOSTILE)]}/{i}" for i in range(200)]
    view = full_view(make_audit(200, HOSTILE, images=images, noise_rate=0.5))
    page = Page(render_html(view, NO_CHARTS))
    assert page.open == []
    assert not {tag for tag, _ in page.elements} & UNWANTED
    shown = set(page.names)
    for suspect in view.suspects:
        assert {visible(suspect.given_label), visible(suspect.sample_id)} <= shown
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(label=st.text(st.characters(codec="utf-8"), min_size=1, max_size=20))
def test_any_label_is_shown_as_itself(label: str, make_audit: MakeAudit) -> None:
    view = build_view(make_audit(40, ["cat", "dog", label], noise_rate=0.5))
    page = Page(render_html(view, NO_CHARTS))
    assert page.open == []
    assert visible(label) in page.names


def test_no_script_no_network(make_audit: MakeAudit, tmp_path: Path) -> None:
    WRITERS["html"](full_view(make_audit(200)), tmp_path / "r.html")
    html = (tmp_path / "r.html").read_text("utf-8")
    page = Page(html)
    assert not {tag for tag, _ in page.elements} & UNWANTED
    (policy,) = [m["content"] for m in page.tags("meta") if m.get("http-equiv") == "Content-Security-Policy"]
    assert policy is not None
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'unsafe-inline'")
    assert page.tags("a")
    assert all((a["href"] or "").startswith("#") for a in page.tags("a"))
    assert all((img["src"] or "").startswith("data:") for img in page.tags("img"))
    loads = re.findall(r"(?:\b(?:src|href|action|poster|srcset)=\"?|url\(|@import )([^\"')>]{1,5})", html)
    assert len(loads) > len(page.tags("img")) > 0
    assert all(target == "data:" or target.startswith("#") for target in loads)


def test_structure_for_readers(make_audit: MakeAudit) -> None:
    page = Page(render_html(full_view(make_audit(200)), NO_CHARTS))
    assert len(page.tags("h1")) == 1
    assert all(img["alt"] for img in page.tags("img"))
    assert all(th.get("scope") for th in page.tags("th"))
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    labels = {attributes.get("aria-labelledby") for _, attributes in page.elements} - {None}
    assert labels <= set(ids)
    assert page.tags("html")[0]["lang"] == "en"


def test_landmarks_and_columns_have_names_of_their_own(make_audit: MakeAudit) -> None:
    people, batches = [f"ann {i % 3}" for i in range(200)], [f"day {i % 4}" for i in range(200)]
    html = render_html(full_view(make_audit(200, annotators=people, batches=batches)), NO_CHARTS)
    sections = re.findall(r'<section aria-labelledby="(\w+)">', html)
    names = [re.findall(f'<h2 id="{section}">([^<]+)</h2>', html)[0] for section in sections]
    names += re.findall(r'role="region" aria-label="([^"]+)"', html)
    assert {"Batches", "Table of the batches"} < {*names}
    assert len(names) == len({*names})
    assert not re.search(r"<th[^>]*>\s*</th>", html)


def test_a_dominant_pair_is_named_and_safe(make_audit: MakeAudit) -> None:
    view = build_view(make_audit(200, ["<b>cat</b>", "dog"], noise_rate=0.3))
    assert view.dominant_pair == view.pairs[0]
    pair, text = view.pairs[0], Page(render_html(view, NO_CHARTS)).text
    named = f"{pair.count} suspects, more than half, are {pair.given_label} → {pair.suggested_label}"
    assert f"{named}: possibly a systematic confusion" in text
    assert "systematic" not in render_html(build_view(make_audit()), NO_CHARTS)


def test_no_estimate_is_shown_as_certain(make_audit: MakeAudit) -> None:
    audit = make_audit(200)
    column = audit.table.column("p_mislabeled")
    place = audit.table.schema.get_field_index("p_mislabeled")
    certain = pc.if_else(pc.greater(column, 0.5), 1.0, column)
    field = audit.table.schema.field(place)
    view = build_view(AuditResult(audit.table.set_column(place, field, certain), audit.meta))
    for text in (Page(render_html(view, NO_CHARTS)).text, render_markdown(view)):
        shown = text.rpartition("Label audit")[2].partition("Settings of the run")[0]
        assert "99.9 %" in shown
        assert "the model's own estimate" in shown
        assert not re.search(r"\b(100(\.0)? ?%|1\.0+\b)", shown)


def test_every_table_scrolls_rather_than_breaking_words(make_audit: MakeAudit) -> None:
    html = render_html(full_view(make_audit(200)), NO_CHARTS)
    tables = re.findall(r"(\S[^\n]*)\n<table", html)
    assert len(tables) == 7
    assert all('class="scroll" tabindex="0" role="region" aria-label=' in before for before in tables)


@pytest.mark.parametrize("empty", ["suspects", "everything"])
def test_an_empty_report_still_stands(empty: str, make_audit: MakeAudit) -> None:
    audit = make_audit(cutoff=2.0, has_epsilon=empty == "suspects", n_unlabelled=0, n_unread=0)
    page = Page(render_html(build_view(audit), NO_CHARTS))
    assert page.open == []
    assert "None of 60 labels looks wrong" in page.text
    assert "No label is above the cut-off." in page.text
    assert "Cut-off: p_mislabeled 2, no row is flagged. " in page.text
    assert "Which classes are confused" not in page.text
    assert "Against the truth" not in page.text


def test_one_hundred_suspects_with_thumbnails_stay_small(make_audit: MakeAudit, tmp_path: Path) -> None:
    view = build_view(make_audit(2000), thumbnail=lambda row: b"\xff\xd8".ljust(20_000, b"0"))
    assert len(view.suspects) == 100
    WRITERS["html"](view, tmp_path / "r.html")
    assert 1_000_000 < (tmp_path / "r.html").stat().st_size < 2_000_000


def test_ten_thousand_classes_are_cut_short(make_audit: MakeAudit) -> None:
    view = build_view(make_audit(20_000, [f"class {i}" for i in range(10_000)]))
    html = render_html(view, NO_CHARTS)
    rows = html[html.index('id="classes"') : html.index('id="pairs"')].count("<tr>") - 1
    assert rows == TOP_CLASSES
    assert f"And {len(view.classes) - TOP_CLASSES:,} more classes" in html
    assert len(html) < 300_000


def groups_view(make_audit: MakeAudit) -> ReportView:
    names = ["\u202eann", "<b>bob</b>", "cy", None]
    return build_view(
        make_audit(400, annotators=[names[i % 7 % 4] for i in range(400)], batches=["b"] * 400),
        thumbnail=lambda row: b"\x89PNG",
    )


def section(html: str, name: str) -> str:
    return html.partition(f'<section aria-labelledby="{name}">')[2].partition("</section>")[0]


def test_annotators_and_batches(make_audit: MakeAudit) -> None:
    view = groups_view(make_audit)
    html = render_html(view, NO_CHARTS)
    page = Page(section(html, "annotators"))
    assert view.annotators is not None
    assert page.names == [visible(group.name) for group in view.annotators.groups]
    for group in view.annotators.groups:
        assert range_text(group.rate) in page.text
    assert f"{view.annotators.n_without} labels name no annotator" in page.text
    assert "drawn towards what is typical here" in page.text
    places = [float(place) for place in re.findall(r"left:([\d.]+)%", section(html, "annotators"))]
    assert len(places) == 9
    assert all(0 <= place <= 100 for place in places)
    assert "only one batch, so nothing to compare with" in section(html, "batches")
    assert "above typical" not in section(html, "batches")
    assert 'id="annotators"' not in render_html(build_view(make_audit()), NO_CHARTS)


def test_strips_show_pictures_or_nothing(make_audit: MakeAudit) -> None:
    view = groups_view(make_audit)
    page = Page(section(render_html(view, NO_CHARTS), "pairs"))
    assert len(page.tags("img")) == sum(len(strip.examples) for strip in view.strips) > 6
    without = build_view(make_audit(400))
    assert 'class="strip"' not in render_html(without, NO_CHARTS)


def test_what_a_review_costs(make_audit: MakeAudit) -> None:
    audit = make_audit(400)
    truth = truth_from_audit(audit)
    view = build_view(audit, None, evaluate(audit, truth), truth=truth)
    text = Page(section(render_html(view, NO_CHARTS), "cost")).text
    assert view.cost is not None
    assert view.cost.at_cutoff is not None
    assert unbroken(f"all suspects: {percent(view.cost.at_cutoff.share)}") in text
    assert "Truly found" in text
    assert "ruly" not in section(render_html(build_view(audit), NO_CHARTS), "cost")


def test_every_link_leads_somewhere(make_audit: MakeAudit) -> None:
    for view in (full_view(make_audit(200)), groups_view(make_audit), build_view(make_audit(cutoff=2.0))):
        page = Page(render_html(view, NO_CHARTS))
        ids = {attributes["id"] for _, attributes in page.elements if "id" in attributes}
        assert {(a["href"] or "")[1:] for a in page.tags("a")} <= ids


def test_paper_is_light_and_shows_every_picture(make_audit: MakeAudit) -> None:
    html = render_html(groups_view(make_audit), NO_CHARTS)
    assert "@media screen and (prefers-color-scheme: dark)" in html
    assert html.count("prefers-color-scheme") == 1
    assert "loading=" not in html


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_contrast_meets_aa(theme: int, make_audit: MakeAudit) -> None:
    css = render_html(build_view(make_audit()), NO_CHARTS)
    block = re.findall(r":root \{([^}]*--ink[^}]*)\}", css)[theme]
    colours = dict(re.findall(r"(--[a-z]+): (#[0-9a-f]{6})", block))
    for text in ("--ink", "--muted", "--alert", "--good"):
        for ground in ("--page", "--surface", "--well"):
            assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    rgb = [int(c) for c in re.findall(r"--alert-rgb: (\d+) (\d+) (\d+)", block)[0]]
    surface = [int(colours["--surface"][i : i + 2], 16) for i in (1, 3, 5)]
    hottest = "#" + "".join(f"{(a + b) // 2:02x}" for a, b in zip(rgb, surface, strict=True))
    assert contrast(colours["--ink"], hottest) >= 4.5


@pytest.mark.parametrize("writer", WRITERS)
def test_every_writer_writes_whole_files_or_none(writer: str, make_audit: MakeAudit, tmp_path: Path) -> None:
    view = full_view(make_audit())
    WRITERS[writer](view, tmp_path / "out")
    first = (tmp_path / "out").read_bytes()
    WRITERS[writer](view, tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == first
    assert len(first) > 500
    with pytest.raises(OutputError):
        WRITERS[writer](view, tmp_path / "no folder" / "out")
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_warnings_and_reasons_are_shown_whole(make_audit: MakeAudit) -> None:
    warning, reason = f"{'a long warning ' * 20}ends", f"{'a long reason ' * 20}ends."
    audit = make_audit()
    cutoff = dataclasses.replace(audit.meta.cutoff, reason=reason)
    audit = AuditResult(audit.table, dataclasses.replace(audit.meta, cutoff=cutoff))
    view = build_view(audit, {"warnings": [warning]})
    text = Page(render_html(view, NO_CHARTS)).text
    assert warning in text
    assert reason in text
    assert reason in render_markdown(view)


def test_the_clean_command_hides_nothing(make_audit: MakeAudit) -> None:
    html = render_html(build_view(make_audit(), run_folder="a\n\u202eb"), NO_CHARTS)
    assert "a↵⟨U+202E⟩b" in html
    assert "\u202e" not in html

"""report.html: self-contained, safe with hostile names, readable."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from noiseaudit.errors import OutputError
from noiseaudit_reports import WRITERS, build_view
from noiseaudit_reports.html import render_html
from noiseaudit_reports.text import visible
from tests.report_page import NO_CHARTS, MakeAudit, Page, full_view, groups_view

UNWANTED = {"script", "iframe", "object", "embed", "form", "link", "base", "b"}
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


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
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


def test_every_table_scrolls_rather_than_breaking_words(make_audit: MakeAudit) -> None:
    html = render_html(full_view(make_audit(200)), NO_CHARTS)
    tables = re.findall(r"(\S[^\n]*)\n<table", html)
    assert len(tables) == 7
    assert all('class="scroll" tabindex="0" role="region" aria-label=' in before for before in tables)


def test_one_hundred_suspects_with_thumbnails_stay_small(make_audit: MakeAudit, tmp_path: Path) -> None:
    view = build_view(make_audit(2000), thumbnail=lambda row: b"\xff\xd8".ljust(20_000, b"0"))
    assert len(view.suspects) == 100
    WRITERS["html"](view, tmp_path / "r.html")
    assert 1_000_000 < (tmp_path / "r.html").stat().st_size < 2_000_000


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

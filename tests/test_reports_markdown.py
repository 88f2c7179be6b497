"""report.md, as a Markdown reader sees it."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from noiseaudit.evaluation import evaluate, table3
from noiseaudit.result import AuditResult
from noiseaudit.truth import truth_from_audit
from noiseaudit_reports import build_view
from noiseaudit_reports.markdown import TOP_GROUPS, TOP_SUSPECTS, render_markdown
from noiseaudit_reports.markdown_text import name, prose
from noiseaudit_reports.text import range_text, sentence, visible

MakeAudit = Callable[..., AuditResult]
PARSER = MarkdownIt("commonmark").enable("table")


class Cells(HTMLParser):
    """Text of each table cell, table by table, and the tags seen."""

    def __init__(self, markdown: str) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self.tags: set[str] = set()
        self.text = ""
        self.feed(PARSER.render(markdown))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.text = ""

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self.tables[-1][-1].append(self.text)


def cell_of(text: str) -> Cells:
    return Cells(f"| a | b |\n| --- | --- |\n| {text} | end |\n")


@settings(max_examples=300)
@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=30))
def test_a_name_stays_one_cell_of_plain_text(text: str) -> None:
    cells = cell_of(name(text))
    shown, end = cells.tables[0][1]
    assert end == "end"
    assert shown.strip() == visible(text).strip()
    assert cells.tags <= {"table", "thead", "tbody", "tr", "th", "td", "code"}


@settings(max_examples=300)
@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=30))
def test_prose_stays_one_cell_of_plain_text(text: str) -> None:
    cells = cell_of(f"labelled {prose(text)} here")
    shown, end = cells.tables[0][1]
    assert end == "end"
    assert shown.replace("@\u200b", "@").replace("#\u200b", "#") == f"labelled {sentence(text)} here"
    assert cells.tags <= {"table", "thead", "tbody", "tr", "th", "td"}


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("@team", "@team"), ("see #12", "#12"), ("www.a.com", "www."),
        ("http://a.com", "http:"), ("mailto:a", "mailto:"), ("a :cat: b", ":cat:"), ("a :+1: b", ":+1:"),
    ],
)  # fmt: skip
def test_prose_makes_no_mention_or_link(text: str, plain: str) -> None:
    assert plain in text
    assert plain not in prose(text)


def test_prose_leaves_what_needs_no_escape() -> None:
    text = "wrong: 25 % (12 % to > 99.9 %), labels: 3"
    assert prose(text) == text


def test_tables_hold_the_audit(make_audit: MakeAudit) -> None:
    audit = make_audit(400, annotators=[f"a|{i % 12}" for i in range(400)], batches=["b"] * 400)
    truth = truth_from_audit(audit)
    evaluation = evaluate(audit, truth)
    view = build_view(audit, None, evaluation, truth=truth, run_folder="run")
    text = render_markdown(view)
    summary, suspects, pairs, annotators, cost, calibration, detection, unread = Cells(text).tables
    assert summary[1][:5] == ["400", "393", "4", "3", str(view.n_suspects)]
    assert len(suspects) == TOP_SUSPECTS + 1
    assert suspects[1][:2] == ["1", str(audit.column("rank").tolist().index(1))]
    assert [row[3:5] for row in suspects[1:]] == [
        [s.given_label, s.suggested_label] for s in view.suspects[:TOP_SUSPECTS]
    ]
    assert sum(int(row[2]) for row in pairs[1:]) == view.n_suspects  # 3 classes: all 6 pairs are shown
    assert detection == table3(evaluation)
    assert view.annotators is not None
    shown = view.annotators.groups[:TOP_GROUPS]
    assert [[row[0], row[1], row[2]] for row in annotators[1:]] == [
        [group.name, range_text(group.rate), str(group.n)] for group in shown
    ]
    assert "2 more annotators in report.json" in text
    assert view.cost is not None
    assert [int(row[1]) for row in cost[1:]] == sorted(
        step.reviewed for step in (*view.cost.milestones, view.cost.at_cutoff) if step
    )
    assert view.calibration is not None
    assert calibration[2] == ["Calibration error (ECE)", f"{view.calibration.ece:.4f}", "0"]
    assert unread[1] == ["missing", "no such file", "3", "images/00397.png"]
    assert f"{view.n_suspects - TOP_SUSPECTS} more suspects" in text
    assert "noiseaudit clean run --policy relabel --out labels.cleaned.csv" in text
    assert text.startswith(f"# Label audit: {view.n_suspects} of 393 labels look wrong")


def test_empty_sections_are_left_out(make_audit: MakeAudit) -> None:
    text = render_markdown(build_view(make_audit(cutoff=2.0, n_unread=0)))
    assert "None of 56 labels looks wrong" in text
    assert len(Cells(text).tables) == 2  # the summary, and what a review costs
    assert "## Suspects\n\nNone." in text
    for heading in (
        "Against the truth",
        "Images not read",
        "Most confused",
        "Annotators",
        "Batches",
        "Calibration",
    ):
        assert heading not in text


def test_a_dominant_pair_is_named(make_audit: MakeAudit) -> None:
    view = build_view(make_audit(200, ["a|b", "dog"], noise_rate=0.3))
    pair, text = view.pairs[0], render_markdown(view)
    shown = f"{name(pair.given_label)} → {name(pair.suggested_label)}: possibly a systematic confusion"
    assert f"{pair.count} suspects, more than half, are {shown}" in text
    assert "systematic" not in render_markdown(build_view(make_audit()))


def test_a_cutoff_that_flags_nothing_says_so(make_audit: MakeAudit) -> None:
    assert "`p_mislabeled 2, no row is flagged`. Rows from" in render_markdown(
        build_view(make_audit(cutoff=2.0))
    )
    assert "no row is flagged" not in render_markdown(build_view(make_audit()))


def test_a_folder_named_over_lines_stays_in_its_block(make_audit: MakeAudit) -> None:
    html = PARSER.render(render_markdown(build_view(make_audit(), run_folder="a\n\n# b\u2028\u202ec")))
    assert "<h1>b" not in html
    assert "clean 'a↵↵# b⟨U+2028⟩⟨U+202E⟩c' --policy relabel" in html


def test_a_sign_before_a_blank_stands_as_it_is() -> None:
    assert prose("it is < 0.1 %, of a <b> & c") == "it is < 0.1 %, of a &#60;b> &#38; c"

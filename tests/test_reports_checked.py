"""What people checked, in the page, Markdown and JSON: beside what the audit expected, and where the two disagree."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from noiseaudit.checked import contradictions, in_words
from noiseaudit.decisions import Decision
from noiseaudit.estimate import Estimate, estimate
from noiseaudit.expected import expect
from noiseaudit.interval import Range
from noiseaudit.percent import counted
from noiseaudit.result import AuditResult
from noiseaudit_reports import ReportView, build_view
from noiseaudit_reports.html import render_html
from noiseaudit_reports.json_file import render_json
from noiseaudit_reports.markdown import render_markdown
from noiseaudit_reports.text import counted_range, range_text
from tests.checks import all_wrong, as_expected
from tests.conftest import build_audit
from tests.report_page import NO_CHARTS, MakeAudit, Page, section

GOLD = Path(__file__).parent / "gold"
AUDIT = build_audit(n=407)
FOUND = estimate(AUDIT, as_expected(AUDIT))
AGAINST = estimate(AUDIT, all_wrong(AUDIT))


def viewed(found: Estimate | None, audit: AuditResult = AUDIT) -> ReportView:
    return build_view(audit, checked=found)


def plain(text: str) -> str:
    return " ".join(text.replace("\N{NO-BREAK SPACE}", " ").split())


def page(view: ReportView) -> str:
    return plain(Page(render_html(view, NO_CHARTS)).text)


def test_the_summary_has_the_estimates_own_figures() -> None:
    view = viewed(FOUND)
    precision, recall, rate = (
        f"{counted(each.value)} ({counted(each.low)} to {counted(each.high)})"
        for each in (FOUND.precision, FOUND.recall, FOUND.noise_rate)
        if each.value is not None
    )
    said = (
        f"Checked by people: 120 rows. By their answers, {precision} of the suspects are wrong; {recall} of all wrong "
        f"labels are among the suspects; about {round(FOUND.mislabeled.value or 0)} labels of 400 are wrong in all: "
        f"{rate}. The answers do not contradict what the audit expected of itself."
    )
    assert said in plain(render_markdown(view))
    assert said in page(view)
    assert view.sureness == viewed(None).sureness  # what it expected stands beside
    assert all(each in page(view) for each in view.sureness)


def test_the_line_below_the_title_is_by_people_where_they_checked() -> None:
    found = dataclasses.replace(FOUND, precision=Range(0.75, 0.6, 0.9), mislabeled=Range(123.4, 100.0, 150.0))
    n = viewed(None).n_suspects
    own, others = round(0.75 * n), 123 - round(0.75 * n)
    said = f"By what people checked about {own} of these are wrong, and about {others} more that it did not flag."
    expected = viewed(None).estimate
    assert expected.startswith("By the model's own estimate about ")
    for view, line in ((viewed(found), said), (viewed(None), expected)):
        assert view.estimate == json.loads(render_json(view))["estimate"] == line
        assert f"{view.finding} {line}" in page(view)
        assert f"{view.finding}\n\n{line}\n\n" in render_markdown(view)


def test_no_line_is_below_the_title_where_nothing_was_judged(make_audit: MakeAudit) -> None:
    view = build_view(make_audit(n=20, n_unlabelled=20, n_unread=0))
    assert (view.n_scored, view.estimate) == (0, "")
    assert 'class="estimate"' not in render_html(view, NO_CHARTS)


def test_the_table_has_both() -> None:
    expected = expect(AUDIT)
    view = viewed(FOUND)
    rows = {
        "Precision": (FOUND.precision, expected.precision),
        "Recall": (FOUND.recall, expected.recall),
        "Noise rate": (FOUND.noise_rate, expected.noise_rate),
    }
    markdown, html = render_markdown(view), section(render_html(view, NO_CHARTS), "sure")
    for name, (measured, own) in rows.items():
        assert f"| {name} | {counted_range(measured)} | {range_text(own)} | yes |" in markdown
        shown = plain(Page(html).text)
        assert f"{counted_range(measured)}{range_text(own)}" in shown
    assert "contradicted" not in html


def test_a_contradiction_is_said_plainly() -> None:
    """All 400 labels wrong, by 120 answers; precision is in the interval that was expected."""
    view = viewed(AGAINST)
    assert contradictions(expect(AUDIT), AGAINST) == ["recall", "noise_rate"]
    said = (
        "The answers contradict what the audit expected of itself about recall and noise rate, where the intervals do "
        "not meet: believe the answers, not p_mislabeled."
    )
    assert said in page(view)
    assert f"**{said.replace('_', '&#95;')}**" in render_markdown(view)
    html = section(render_html(view, NO_CHARTS), "sure")
    assert html.count(">contradicted<") == 2
    assert "| Recall | 20 % (19 % to 20 %) | 63 % (48 % to 80 %) | no |" in render_markdown(view)
    assert json.loads(render_json(view))["checked"]["contradicted"] == ["recall", "noise_rate"]


def test_the_number_at_the_top_and_the_warning_follow_the_people() -> None:
    found = dataclasses.replace(FOUND, precision=Range(0.75, 0.6, 0.9), mislabeled=Range(123.4, 100.0, 150.0))
    view = viewed(found)
    n = view.n_suspects
    assert view.estimated_wrong == 123.4
    assert view.spoiled == (
        f"Of {n} suspects it is expected to spoil about {round(n / 4)} right labels, by what people checked."
    )
    assert "<dt>estimated wrong in all, by people</dt><dd>123</dd>" in render_html(view, NO_CHARTS)
    assert "Estimated wrong in all, by people |" in render_markdown(view)
    without = viewed(None)
    assert without.estimated_wrong == without.expected_wrong
    assert "by people" not in render_html(without, NO_CHARTS) + render_markdown(without)


def test_what_the_figures_rest_on() -> None:
    more = [
        *as_expected(AUDIT)[3:],
        *(dataclasses.replace(each, decision="ambiguous", new_label=None) for each in as_expected(AUDIT)[:1]),
        *(dataclasses.replace(each, decision=None, new_label=None) for each in as_expected(AUDIT)[1:3]),
        Decision("images/00001.png", "keep"),
    ]
    view = viewed(estimate(AUDIT, more))
    assert view.checked is not None
    assert view.checked.basis == (
        "95 % intervals from 117 answers about rows that noiseaudit sample drew from 400 labels; 1 ambiguous and 2 "
        "open rows count as not asked. 1 answer about rows that it did not draw is left out."
    )
    assert view.checked.basis in page(view)


def test_no_suspects_have_no_precision(make_audit: MakeAudit) -> None:
    audit = make_audit(n=207, cutoff=1.1)
    view = viewed(estimate(audit, as_expected(audit, 50)), audit)
    assert "Checked by people: 50 rows. By their answers, 0 % (0 % to " in page(view)
    assert "| Precision | – | – | yes |" not in render_markdown(view)
    assert "| Precision | – | – | – |" in render_markdown(view)


def test_json_has_the_estimate() -> None:
    view = viewed(FOUND)
    found = json.loads(render_json(view))["checked"]
    assert view.checked is not None
    said = [view.checked.said, view.checked.verdict]
    assert found == json.loads(json.dumps(FOUND.to_dict() | {"contradicted": [], "said": said}))
    assert json.loads(render_json(viewed(None)))["checked"] is None


def test_without_answers_there_is_no_word_of_them() -> None:
    view = viewed(None)
    for text in (render_html(view, NO_CHARTS), render_markdown(view)):
        assert "hecked by people" not in text
    assert "draws rows to check that by eye" in page(view)
    assert "draws rows to check that by eye" not in page(viewed(FOUND))


@pytest.mark.parametrize(("n", "is_few"), [(407, True), (2_107, False)])
def test_what_the_figures_rest_on_is_told_in_plain_words(n: int, is_few: bool) -> None:
    audit = build_audit(n=n, has_truth=False)
    view = build_view(audit)
    said = "of ten labels, each wrong with a probability of 70 %, about seven should be wrong"
    few = "; with so few labels they may be too sure, and these figures off"
    assert view.expectation.startswith(f"precision {range_text(view.expected.precision)}, recall ")
    assert view.expectation.endswith(said + few if is_few else said)
    for text in (page(view), plain(render_markdown(view))):
        assert said in text
        assert "if p_mislabeled is about right" not in text


def test_its_keys_are_documented() -> None:
    docs = Path(__file__).resolve().parent.parent / "docs" / "audit-format.md"
    row = next(row for row in docs.read_text("utf-8").split("\n") if row.startswith("| `checked`"))
    found = json.loads(render_json(viewed(FOUND)))["checked"]
    assert [name for name in found if f"`{name}`" not in row] == []


def page_part(view: ReportView) -> str:
    html = render_html(view, NO_CHARTS)
    return html.partition('<h2 id="how-sure">')[2].partition("</div>")[0] + section(html, "sure")


def markdown_part(view: ReportView) -> str:
    text = render_markdown(view)
    summary = text.partition("## What next")[0]
    return summary + text.partition("## Can the probabilities be trusted?")[2].partition("\n## ")[0]


def json_part(view: ReportView) -> str:
    return json.dumps(json.loads(render_json(view))["checked"], indent=1) + "\n"


@pytest.mark.parametrize(
    ("name", "part"),
    [("checked.html", page_part), ("checked.md", markdown_part), ("checked.json", json_part)],
)
def test_gold(name: str, part: Callable[[ReportView], str]) -> None:
    got = part(viewed(AGAINST))
    if os.environ.get("NOISEAUDIT_UPDATE_GOLD") == "1":
        (GOLD / name).write_text(got, "utf-8")
    assert got == (GOLD / name).read_text("utf-8")


def test_names_in_words() -> None:
    assert in_words(["noise_rate"]) == "noise rate"
    assert in_words(["precision", "recall", "noise_rate"]) == "precision, recall and noise rate"

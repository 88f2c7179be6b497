"""What report.html says: estimates, groups, costs and warnings, in words and numbers."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pyarrow.compute as pc
import pytest

from noiseaudit.evaluation import evaluate
from noiseaudit.expected import expect
from noiseaudit.interval import Range
from noiseaudit.percent import percent
from noiseaudit.result import AuditResult
from noiseaudit.truth import truth_from_audit
from noiseaudit_reports import build_view
from noiseaudit_reports.html import TOP_CLASSES, render_html
from noiseaudit_reports.markdown import render_markdown
from noiseaudit_reports.parts.next_steps import spoiled
from noiseaudit_reports.text import range_text, unbroken, visible
from tests.report_page import NO_CHARTS, MakeAudit, Page, groups_view, section


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
        shown = shown.replace("noiseaudit 0.1.0", "")
        assert "99.9 %" in shown
        assert "the model's own estimate" in shown
        assert not re.search(r"\b(100(\.0)? ?%|1\.0+\b)", shown)


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


def test_ten_thousand_classes_are_cut_short(make_audit: MakeAudit) -> None:
    view = build_view(make_audit(20_000, [f"class {i}" for i in range(10_000)]))
    html = render_html(view, NO_CHARTS)
    rows = html[html.index('id="classes"') : html.index('id="pairs"')].count("<tr>") - 1
    assert rows == TOP_CLASSES
    assert f"And {len(view.classes) - TOP_CLASSES:,} more classes" in html
    assert len(html) < 300_000


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


def test_it_says_which_data_and_when_by_names_alone(make_audit: MakeAudit) -> None:
    run = {
        "started": "2026-11-30T23:59:36+00:00",
        "paths": {"data": "/home/ann/<i>labels.csv", "images": "/home/ann/photos", "trusted": None},
    }
    view = build_view(make_audit(), run)
    html = render_html(view, NO_CHARTS)
    assert f"<title>&lt;i&gt;labels.csv: {view.finding}</title>" in html
    said = " ".join(Page(html.partition('<p class="origin">')[2].partition("</p>")[0]).text.split())
    assert said == "Labels <i>labels.csv Images photos Scanned 2026-11-30 noiseaudit 0.1.0"
    markdown = render_markdown(view)
    assert (
        "\n\nLabels `<i>labels.csv` · images `photos` · scanned 2026-11-30 · noiseaudit 0.1.0\n\n" in markdown
    )
    assert "/home" not in html + markdown


@pytest.mark.parametrize("run", [{}, {"started": "soon", "paths": {"data": None}}])
def test_what_run_json_does_not_say_is_left_out(run: dict[str, object], make_audit: MakeAudit) -> None:
    view = build_view(make_audit(), run)
    html = render_html(view, NO_CHARTS)
    said = " ".join(Page(html.partition('<p class="origin">')[2].partition("</p>")[0]).text.split())
    assert said == "noiseaudit 0.1.0"
    assert "<title>Label audit: " in html
    assert f"{view.finding}\n\n{view.estimate}\n\nnoiseaudit 0.1.0\n\n" in render_markdown(view)


def test_review_comes_first_and_relabelling_last(make_audit: MakeAudit) -> None:
    view = build_view(make_audit(200), {"paths": {"data": "labels.tsv"}}, run_folder="my run")
    commands = [
        "noiseaudit review 'my run'",
        "noiseaudit clean 'my run' --decisions 'my run/decisions.csv' --out labels.checked.tsv",
        "noiseaudit clean 'my run' --policy relabel --out labels.cleaned.tsv",
    ]
    assert view.expected.precision.value is not None
    right = round(view.n_suspects * (1 - view.expected.precision.value))
    assert right > 1
    warning = f"Of {view.n_suspects} suspects it is expected to spoil about {right} right labels, by the model's own"
    for text in (Page(render_html(view, NO_CHARTS)).text, render_markdown(view)):
        places = [text.index(part) for part in (*commands[:2], warning, commands[2])]
        assert places == sorted(places)
        assert "pip install '.[review]'" in text
        assert text.index("noiseaudit sample 'my run' --n ") < text.index(warning)
        assert text.index("noiseaudit rank 'my run' --unlabelled --all") < text.index(warning)
        assert "audit.parquet" not in text
    nothing = build_view(make_audit(cutoff=2.0))
    for text in (render_html(nothing, NO_CHARTS), render_markdown(nothing)):
        assert "There is nothing to clean: no label is above the cut-off." in text
        assert "noiseaudit clean" not in text
        assert "noiseaudit sample RUN" not in text
        assert "noiseaudit rank RUN --unlabelled --all" in text
    all_labelled = render_markdown(build_view(make_audit(n_unlabelled=0)))
    assert "--unlabelled" not in all_labelled


def test_a_truth_of_all_labels_speaks_first(make_audit: MakeAudit) -> None:
    audit = make_audit(200, n_unread=0)
    labels = audit.column("given_label").copy()
    suspects = np.flatnonzero(audit.suspects())
    other = dict(zip(("cat", "dog"), ("dog", "cat"), strict=True))
    wrong = [*suspects[:-2], *np.flatnonzero(~audit.suspects() & (labels != None))[:3]]  # noqa: E711
    labels[wrong] = [other.get(label, "cat") for label in labels[wrong]]
    evaluation = evaluate(audit, labels)
    view = build_view(audit, None, evaluation)
    n = len(suspects) - 2
    assert (
        view.estimate
        == f"By the truth that was given {n} of these are wrong, and 3 more that it did not flag."
    )
    change = evaluation.relabelling
    assert change is not None
    assert view.spoiled.startswith(f"By the truth that was given it mends {change.mended} label")
    assert view.spoiled.endswith(f"wrong in another way and spoils {change.spoilt} right ones.")
    labels[150:] = None
    assert build_view(audit, None, evaluate(audit, labels)).estimate.startswith("By the model's own estimate")


@pytest.mark.parametrize(
    ("precision", "warning"),
    [
        (0.75, "Of 8 suspects it is expected to spoil about 2 right labels, by the model's own estimate."),
        (0.85, "Of 8 suspects it is expected to spoil about 1 right label, by the model's own estimate."),
        (
            0.99,
            "Of 8 suspects it is expected to spoil fewer than one right label, by the model's own estimate.",
        ),
        (None, "It also spoils the suspects whose label is right."),
    ],
)
def test_what_relabelling_spoils(precision: float | None, warning: str, make_audit: MakeAudit) -> None:
    expected = dataclasses.replace(expect(make_audit()), precision=Range(precision, 0, 1))
    assert spoiled(expected, 8) == warning
    assert spoiled(expected, 0) == ""


def test_parts_stand_in_the_order_of_the_navigation(make_audit: MakeAudit) -> None:
    html = render_html(groups_view(make_audit), NO_CHARTS)
    links = re.findall(r'<a href="#(\w+)">', html.partition("<nav")[2].partition("</nav>")[0])
    assert links[:3] == ["suspects", "classes", "pairs"]
    assert re.findall(r'<section aria-labelledby="(\w+)">', html) == links


def test_settings_are_short_and_internals_put_away(make_audit: MakeAudit) -> None:
    audit = make_audit()
    config = {"asked": {}, "chosen": {"epochs": 40, "doubt": [-0.6931471805599453, 0.8956477071663772]}}
    audit = AuditResult(audit.table, dataclasses.replace(audit.meta, config=config))
    shown, _, inside = section(render_html(build_view(audit), NO_CHARTS), "settings").partition("<details>")
    assert "epochs" in shown
    assert "doubt" not in shown
    assert "<dt>doubt</dt><dd>[-0.693, 0.896]</dd>" in inside


def test_the_clean_command_hides_nothing(make_audit: MakeAudit) -> None:
    html = render_html(build_view(make_audit(), run_folder="a\n\u202eb"), NO_CHARTS)
    assert "a↵⟨U+202E⟩b" in html
    assert "\u202e" not in html

"""The view: counts, orders, limits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from noiseaudit.evaluation import evaluate
from noiseaudit.result import AuditResult
from noiseaudit.truth import truth_from_audit
from noiseaudit.why import why
from noiseaudit_reports import build_view
from noiseaudit_reports.parts.groups import MAX_GROUPS
from noiseaudit_reports.parts.origin import origin
from noiseaudit_reports.text import range_text

MakeAudit = Callable[..., AuditResult]


def test_counts_add_up(make_audit: MakeAudit) -> None:
    audit = make_audit(500, n_unlabelled=30, n_unread=20)
    view = build_view(audit)
    frame = audit.to_pandas()
    assert (view.n_rows, view.n_scored, view.n_unlabelled, view.n_unread) == (500, 450, 30, 20)
    assert view.n_suspects == frame.is_label_issue.eq(True).sum()
    assert view.expected_wrong == pytest.approx(frame.p_mislabeled.sum())
    assert view.finding == f"{view.n_suspects} of 450 labels look wrong ({100 * view.n_suspects / 450:.0f} %)"
    assert sum(c.n for c in view.classes) == 450
    assert sum(c.n_suspects for c in view.classes) == sum(p.count for p in view.pairs) == view.n_suspects
    assert sum(view.p_mislabeled.rows) == 450
    assert sum(view.p_mislabeled.suspects) == view.n_suspects


@pytest.mark.parametrize(
    ("n_suspects", "finding"),
    [(0, "None of 53 labels looks wrong"), (1, "1 of 53 labels looks wrong (1.9 %)")],
)
def test_finding_grammar(n_suspects: int, finding: str, make_audit: MakeAudit) -> None:
    top = float(np.nanmax(make_audit().column("p_mislabeled")))
    assert build_view(make_audit(cutoff=top if n_suspects else 2.0)).finding == finding


def test_suspects_are_the_first_ranks(make_audit: MakeAudit) -> None:
    audit = make_audit(400)
    view = build_view(audit, max_suspects=25)
    assert [s.rank for s in view.suspects] == list(range(1, 26))
    first = view.suspects[0]
    row = audit.table.slice(first.row, 1).to_pylist()[0]
    assert first.sample_id == row["sample_id"]
    assert (first.given_label, first.suggested_label) == (row["given_label"], row["suggested_label"])
    assert (first.p_mislabeled, first.epsilon, first.why) == (row["p_mislabeled"], row["epsilon"], why(row))


def test_epsilon_zero_has_its_own_bar(make_audit: MakeAudit) -> None:
    audit = make_audit(500)
    epsilon = audit.column("epsilon")
    view = build_view(audit)
    assert view.epsilon is not None
    assert view.epsilon.zero_rows == (epsilon == 0).sum() > 0
    assert sum(view.epsilon.above_zero.rows) == (epsilon > 0).sum()
    at = np.searchsorted(view.epsilon.above_zero.edges, 0.02) - 1
    low, high = view.epsilon.above_zero.edges[at : at + 2]
    assert low < 0.02 < high
    assert view.epsilon.above_zero.rows[at] == ((epsilon >= low) & (epsilon < high)).sum() > 0
    assert build_view(make_audit(has_epsilon=False)).epsilon is None


def test_unread_rows_are_grouped(make_audit: MakeAudit) -> None:
    (group,) = build_view(make_audit(60, n_unread=5)).unread
    assert (group.status, group.reason, group.count) == ("missing", "no such file", 5)
    assert group.examples == ("images/00055.png", "images/00056.png", "images/00057.png")


def test_suggestions_are_the_surest_unlabelled_rows(make_audit: MakeAudit) -> None:
    audit = make_audit(200, n_unlabelled=40)
    view = build_view(audit)
    unlabelled = audit.to_pandas().query("status == 'unlabelled'")
    assert len(view.suggestions) == 12
    assert [s.p_suggested for s in view.suggestions] == unlabelled.p_suggested.nlargest(12).tolist()


def test_annotators_and_batches(make_audit: MakeAudit) -> None:
    audit = make_audit(400)
    wrong = audit.column("given_label") != audit.column("true_label")
    rng = np.random.default_rng(0)
    names = [f"a{i}" for i in np.where(wrong & (rng.random(400) < 0.8), 0, rng.integers(1, 5, 400))]
    view = build_view(make_audit(400, annotators=names, batches=["b"] * 400))
    part = view.annotators
    assert part is not None
    assert part.typical is not None
    assert (part.n_groups, part.n_above, part.n_without) == (5, 1, 0)
    assert part.groups[0].name == "a0"
    assert part.groups[0].rate.low > part.typical > part.groups[1].rate.low
    assert view.batches is not None
    assert (view.batches.typical, view.batches.n_groups, view.batches.n_above) == (None, 1, 0)
    assert build_view(audit).annotators is None


def test_a_batch_for_each_row_is_cut_short(make_audit: MakeAudit) -> None:
    part = build_view(make_audit(1_500, batches=[f"b{i}" for i in range(1_500)])).batches
    assert part is not None
    assert (len(part.groups), part.n_groups) == (MAX_GROUPS, 1_493)


def test_the_truth_brings_cost_and_calibration(make_audit: MakeAudit) -> None:
    audit = make_audit(400)
    truth = truth_from_audit(audit)
    evaluation = evaluate(audit, truth)
    view = build_view(audit, None, evaluation, truth=truth)
    assert view.cost is not None
    assert view.cost.known is not None
    assert view.cost.known[-1] == evaluation.n_corrupted
    assert view.calibration is not None
    assert view.calibration.count_ratio == pytest.approx(view.expected_wrong / evaluation.n_corrupted)
    assert sum(group.n for group in view.reliability) == evaluation.n_with_truth
    assert view.sureness[0].startswith("Checked against the known truth of 393 labels: ")
    without = build_view(audit)
    assert (without.calibration, without.reliability) == (None, ())
    assert without.cost is not None
    assert without.cost.known is None


def test_sureness_is_what_is_expected(make_audit: MakeAudit) -> None:
    view = build_view(make_audit(400))
    first, second, last = view.sureness
    precision, rate = view.expected.precision, view.expected.noise_rate
    assert precision.value is not None
    assert rate.value is not None
    assert first.startswith(
        f"Of the {view.n_suspects} suspects, {range_text(precision)} should really be wrong"
    )
    assert f"about {view.expected_wrong:.0f} labels of 393 should be wrong: {range_text(rate)}." in second
    assert last.endswith("With 393 labels it may be too sure of itself.")


def test_run_json_gives_suffix_warnings_and_duration_but_no_path(make_audit: MakeAudit) -> None:
    run = {
        "seconds": 61.7,
        "host": "secret-host",
        "paths": {"data": "/home/someone/labels.parquet"},
        "warnings": ["'NA' is a class name"],
    }
    view = build_view(make_audit(), run, run_folder="my run")
    assert view.clean_command == "noiseaudit clean 'my run' --policy relabel --out labels.cleaned.parquet"
    assert view.warnings == ("'NA' is a class name",)
    settings = dict(view.settings)
    assert settings["duration"] == "62 s"
    assert (settings["method"], settings["epochs"], settings["settings.alpha"]) == ("umn", "40", "20.0")
    assert "asked.epochs" not in settings
    assert settings["cut-off threshold"] == "p_mislabeled 0.5"
    assert not any("secret-host" in value or "someone" in value for value in settings.values())


def test_a_folder_scan_is_cleaned_to_csv(make_audit: MakeAudit) -> None:
    run = {"paths": {"data": "/data/photos.v2"}, "source": {"format": "folder"}}
    assert build_view(make_audit(), run).clean_command.endswith(" --out labels.cleaned.csv")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("C:\\Users\\Ann\\labels.csv", "labels.csv"),
        ("\\\\host\\share\\labels.csv", "labels.csv"),
        ("/home/Ann/a\\b.csv", "a\\b.csv"),
        ("/home/Ann/c:labels.csv", "c:labels.csv"),
        ("c:labels.csv", "c:labels.csv"),
    ],
)
def test_no_folder_travels_with_a_report(
    make_audit: Callable[..., AuditResult], path: str, name: str
) -> None:
    """Also where a run that was made on Windows is reported on elsewhere."""
    assert origin(make_audit(n=12).meta, {"paths": {"data": path}}).labels == name

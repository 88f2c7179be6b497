"""Charts: the shapes drawn say what the numbers say."""

from __future__ import annotations

import dataclasses
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable

import numpy as np
import pytest

from noiseaudit.audit_meta import Cutoff
from noiseaudit.calibration import Reliability
from noiseaudit.cost import CostCurve, Milestone
from noiseaudit.evaluation import evaluate
from noiseaudit.metrics import proportion
from noiseaudit.result import AuditResult
from noiseaudit.truth import truth_from_audit
from noiseaudit_reports import build_view
from noiseaudit_reports.charts import charts, cost_chart, epsilon_chart, p_mislabeled_chart, reliability_chart
from noiseaudit_reports.view_parts import EpsilonHistogram, Histogram

MakeAudit = Callable[..., AuditResult]
CUTOFF = Cutoff("auto", "p_mislabeled", 0.5, "")
SVG = "{http://www.w3.org/2000/svg}"


def bars(svg: str, variable: str) -> list[float]:
    """Heights of the bars in a colour, left to right; the legend's swatch is not clipped, so not counted."""
    heights = []
    for path in ET.fromstring(svg).iter(f"{SVG}path"):
        if f"fill: var({variable})" in path.get("style", "") and path.get("clip-path"):
            ys = [float(y) for y in re.findall(r"[ML] [-\d.]+ ([-\d.]+)", path.get("d", ""))]
            heights.append(max(ys) - min(ys))
    return heights


def on_log_axis(counts: list[int]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Height of a bar in units of a decade: matplotlib's symlog scale, linear up to 1."""
    n = np.array(counts, dtype=np.float64)
    return np.where(n > 0, 1 / (1 - 1 / 10) + np.log10(np.maximum(n, 1)), 0)


def test_bar_heights_are_the_counts() -> None:
    rows, suspects = (1000, 10, 0, 200), (0, 1, 0, 200)
    svg = p_mislabeled_chart(Histogram((0, 0.25, 0.5, 0.75, 1), rows, suspects), CUTOFF)
    for counts, variable in ((rows, "--calm"), (suspects, "--alert")):
        heights = np.array(bars(svg, variable))
        expected = on_log_axis(list(counts))
        assert len(heights) == 4
        assert heights / heights.max() == pytest.approx(expected / expected.max(), abs=1e-3)


def test_epsilon_zero_stands_apart() -> None:
    above = Histogram(tuple(10.0**x for x in np.arange(-12, 0.5, 0.5)), (3,) * 24, (1,) * 24)
    svg = epsilon_chart(EpsilonHistogram(above, 500, 20))
    heights = bars(svg, "--calm")
    assert len(heights) == 26
    assert heights[0] == max(heights)
    assert heights[1] == 0
    assert "exactly 0 for 500 labels" in svg


@pytest.mark.parametrize(
    ("cutoff", "drawn"),
    [
        (CUTOFF, True),
        (Cutoff("epsilon", "epsilon", 0.0, ""), False),
        (Cutoff("budget=0", "p_mislabeled", float("inf"), ""), False),
    ],
)
def test_the_cutoff_line(cutoff: Cutoff, drawn: bool) -> None:
    svg = p_mislabeled_chart(Histogram((0, 0.5, 1), (3, 2), (0, 2)), cutoff)
    assert (">cut-off<" in svg) == drawn


def test_the_precision_recall_lines_end_where_the_curves_do(make_audit: MakeAudit) -> None:
    audit = make_audit(400)
    evaluation = evaluate(audit, truth_from_audit(audit))
    root = ET.fromstring(charts(build_view(audit, evaluation=evaluation))["precision_recall"])
    paths = [p for p in root.iter(f"{SVG}path") if p.get("clip-path")]
    lines = [p.get("d", "") for p in paths if "stroke: var(--" in p.get("style", "")]
    frame = next(root.iter(f"{SVG}rect"))
    left, top, width, height = (float(frame.get(name, "")) for name in ("x", "y", "width", "height"))
    for line, curve in zip(lines, evaluation.curves, strict=True):
        assert curve is not None
        x, y = map(float, re.findall(r"L ([-\d.]+) ([-\d.]+)", line)[-1])
        assert (x - left) / width == pytest.approx(curve.recall[-1], abs=1e-3)
        assert 1.02 * (1 - (y - top) / height) == pytest.approx(curve.precision[-1], abs=1e-3)


def points(svg: str, variable: str) -> list[tuple[float, float]]:
    """Of the longest clipped or marked line in a colour, as shares of the axes."""
    root = ET.fromstring(svg)
    frame = next(root.iter(f"{SVG}rect"))
    left, top, width, height = (float(frame.get(name, "")) for name in ("x", "y", "width", "height"))
    lines = [
        re.findall(r"[ML] ([-\d.]+) ([-\d.]+)", path.get("d", ""))
        for path in root.iter(f"{SVG}path")
        if f"stroke: var({variable})" in path.get("style", "") and path.get("id") is None
    ]
    return [((float(x) - left) / width, 1 - (float(y) - top) / height) for x, y in max(lines, key=len)]


@pytest.mark.parametrize("known", [None, (0, 3, 5, 5)])
def test_the_cost_curve_is_drawn_to_scale(known: tuple[int, ...] | None) -> None:
    at = Milestone(10, 4.0, 0.8, 16.0, None)
    cost = CostCurve(20, (0, 5, 10, 20), (0.0, 2.5, 4.0, 5.0), known, at, ())
    svg = cost_chart(cost)
    highest = 1.05 * 5
    drawn = points(svg, "--alert")
    assert [x for x, _ in drawn] == pytest.approx([0, 0.25, 0.5, 1], abs=1e-3)
    assert [y * highest for _, y in drawn] == pytest.approx([0, 2.5, 4, 5], abs=0.01)
    if known:
        assert [y * highest for _, y in points(svg, "--calm")] == pytest.approx(known, abs=0.01)
    assert (">truly<" in svg) == bool(known)


def test_the_cost_curve_ends_at_four_times_the_suspects() -> None:
    at = Milestone(10, 4.0, 0.8, 800.0, None)
    cost = CostCurve(1_000, (0, 10, 40, 1_000), (0.0, 4.0, 4.5, 5.0), None, at, ())
    assert "up to 40 images" in cost_chart(cost)
    assert "up to 70 images" in cost_chart(dataclasses.replace(cost, n=70, reviewed=(0, 10, 40, 70)))


def test_reliability_points_lie_where_they_should() -> None:
    groups = tuple(
        Reliability(p - 0.05, p + 0.05, 100, p, proportion(n, 100))
        for p, n in ((0.05, 0), (0.45, 60), (0.95, 90))
    )
    drawn = points(reliability_chart(groups), "--alert")
    assert [x for x, _ in drawn] == pytest.approx([0.05, 0.45, 0.95], abs=1e-3)
    assert [y for _, y in drawn] == pytest.approx([0, 0.6, 0.9], abs=1e-3)


def test_which_charts_are_drawn(make_audit: MakeAudit) -> None:
    audit = make_audit()
    assert set(charts(build_view(audit))) == {"p_mislabeled", "epsilon", "cost"}
    assert set(charts(build_view(make_audit(has_epsilon=False)))) == {"p_mislabeled", "cost"}
    truth = truth_from_audit(audit)
    full = charts(build_view(audit, None, evaluate(audit, truth), truth=truth))
    assert set(full) == {"p_mislabeled", "epsilon", "cost", "precision_recall", "reliability"}
    clean = make_audit(noise_rate=0.0)
    evaluation = evaluate(clean, truth_from_audit(clean))
    assert "precision_recall" not in charts(build_view(clean, evaluation=evaluation))


def test_charts_are_repeatable_themed_and_fit_one_page(make_audit: MakeAudit) -> None:
    audit = make_audit(300)
    truth = truth_from_audit(audit)
    view = build_view(audit, None, evaluate(audit, truth), truth=truth)
    drawn = charts(view)
    assert charts(view) == drawn
    ids = [i for svg in drawn.values() for i in re.findall(r'\bid="([^"]+)"', svg)]
    assert len(ids) == len(set(ids))
    for svg in drawn.values():
        targets = re.findall(r'(?:url\(|href=")#([^)"]+)', svg)
        assert set(targets) <= set(ids)
        assert "metadata" not in svg
        assert not re.search(r"(?:fill|stroke): #", svg)
        assert ET.fromstring(svg).get("role") == "img"
        assert ET.fromstring(svg).get("aria-label")
        assert ET.fromstring(svg).get("width") is None

"""Charts as static SVG that takes its colours from the page, so that it suits light and dark."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from itertools import pairwise
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from noiseaudit.evaluation import DEFAULT_RULE, PAPER_RULE, RULE_TITLES, Evaluation
from noiseaudit.result import Cutoff
from noiseaudit_reports.text import count
from noiseaudit_reports.view import EpsilonHistogram, Histogram, ReportView

SIZE_INCHES = (4.7, 2.7)
# Stand-ins that matplotlib accepts; each becomes a CSS variable of the page.
INK, MUTED, ROWS, SUSPECTS = "#010101", "#020202", "#030303", "#040404"
_VARIABLES = {INK: "var(--ink)", MUTED: "var(--muted)", ROWS: "var(--calm)", SUSPECTS: "var(--alert)"}
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.size": 8.5,
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "legend.frameon": False,
    "legend.fontsize": 8,
}


def charts(view: ReportView) -> dict[str, str]:
    """SVG text by name: p_mislabeled, epsilon (where recorded), precision_recall (where truth is known)."""
    drawn = {"p_mislabeled": p_mislabeled_chart(view.p_mislabeled, view.audit.meta.cutoff)}
    if view.epsilon:
        drawn["epsilon"] = epsilon_chart(view.epsilon)
    if view.evaluation and any(view.evaluation.curves):
        drawn["precision_recall"] = precision_recall_chart(view.evaluation)
    return drawn


def p_mislabeled_chart(histogram: Histogram, cutoff: Cutoff) -> str:
    with _figure() as (figure, axes):
        _bars(axes, histogram.edges, histogram.rows, histogram.suspects)
        if cutoff.score == "p_mislabeled" and 0 <= cutoff.threshold <= 1:
            axes.axvline(cutoff.threshold, color=INK, linewidth=1, linestyle=(0, (4, 3)), label="cut-off")
        axes.set(xlim=(0, 1), xlabel="p_mislabeled", ylabel="labels (log scale)")
        _legend(axes)
        suspects = count(sum(histogram.suspects), "suspect")
        title = f"Histogram of p_mislabeled over {count(sum(histogram.rows), 'label')}, {suspects}"
        return _svg(figure, "p_mislabeled", title)


def epsilon_chart(histogram: EpsilonHistogram) -> str:
    """Half decades on the x axis, with a bar of its own for epsilon = 0 at the left."""
    above = histogram.above_zero
    places = tuple(float(i) for i in range(-2, len(above.edges)))
    rows = (histogram.zero_rows, 0, *above.rows)
    suspects = (histogram.zero_suspects, 0, *above.suspects)
    with _figure() as (figure, axes):
        _bars(axes, places, rows, suspects)
        decades = range(6, len(above.edges), 6)
        axes.set_xticks([-1.5, *decades], ["0", *(f"{above.edges[i]:.9g}" for i in decades)])
        axes.set(xlabel="epsilon (log scale; exactly 0 at the left)", ylabel="labels (log scale)")
        _legend(axes)
        title = f"Histogram of epsilon; it is exactly 0 for {count(histogram.zero_rows, 'label')}"
        return _svg(figure, "epsilon", title)


def precision_recall_chart(evaluation: Evaluation) -> str:
    """One line a rule, and a dot where its cut-off stands."""
    colours = {PAPER_RULE: ROWS, DEFAULT_RULE: SUSPECTS}
    with _figure() as (figure, axes):
        for rule, curve in zip(evaluation.rules, evaluation.curves, strict=True):
            colour = colours[rule.rule]
            if curve:
                axes.plot(
                    curve.recall, curve.precision, color=colour, linewidth=1.6, label=RULE_TITLES[rule.rule]
                )
            if rule.recall.value is not None and rule.precision.value is not None:
                axes.plot(
                    rule.recall.value, rule.precision.value, "o", color=colour, markersize=5, clip_on=False
                )
        axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="recall", ylabel="precision")
        _legend(axes)
        return _svg(
            figure, "precision_recall", "Precision against recall of both rules; dots mark the cut-offs"
        )


def _bars(axes: Axes, edges: tuple[float, ...], rows: tuple[int, ...], suspects: tuple[int, ...]) -> None:
    widths = [0.88 * (high - low) for low, high in pairwise(edges)]
    middles = [(low + high) / 2 for low, high in pairwise(edges)]
    axes.bar(middles, rows, widths, color=ROWS, label="all labels")
    axes.bar(middles, suspects, widths, color=SUSPECTS, label="suspects")
    axes.set_yscale("symlog", linthresh=1)
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.set_ylim(bottom=0)


def _legend(axes: Axes) -> None:
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, handlelength=1.4, columnspacing=1.4)


@contextmanager
def _figure() -> Iterator[tuple[Figure, Axes]]:
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=SIZE_INCHES, layout="constrained")
        yield figure, figure.add_subplot()


def _svg(figure: Figure, name: str, title: str) -> str:
    """Inline SVG: same bytes for the same data, ids unique on the page, scaled to its container."""
    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": name}):
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    svg = svg.replace("xlink:href=", "href=")
    svg = re.sub(r'\bid="|url\(#|\bhref="#', lambda match: f"{match.group()}{name}-", svg)
    for colour, variable in _VARIABLES.items():
        svg = svg.replace(colour, variable)
    head = f'<svg class="chart" role="img" aria-label="{escape(title)}" viewBox'
    return re.sub(r"<svg [^>]*?viewBox", head, svg, count=1)

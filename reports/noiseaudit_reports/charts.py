"""The charts of a report."""

from __future__ import annotations

from itertools import pairwise

from matplotlib.axes import Axes

from noiseaudit.audit_meta import Cutoff
from noiseaudit.calibration import Reliability
from noiseaudit.cost import CostCurve
from noiseaudit.evaluation import DEFAULT_RULE, PAPER_RULE, RULE_TITLES, Evaluation
from noiseaudit_reports.charts_compared import compared_chart
from noiseaudit_reports.svg import INK, MUTED, ROWS, SUSPECTS, figure, inline_svg, legend
from noiseaudit_reports.text import count
from noiseaudit_reports.view import ReportView
from noiseaudit_reports.view_parts import EpsilonHistogram, Histogram

COST_REACH = 4  # times the suspects: where the chart of the cost ends


def charts(view: ReportView) -> dict[str, str]:
    """SVG text by name: p_mislabeled, cost (where a label can be wrong), compared (where asked for), epsilon (where
    recorded), precision_recall and reliability (where truth is known)."""
    drawn = {"p_mislabeled": p_mislabeled_chart(view.p_mislabeled, view.audit.meta.cutoff)}
    if view.cost:
        drawn["cost"] = cost_chart(view.cost)
    if view.compared:
        drawn["compared"] = compared_chart(view.compared)
    if view.epsilon:
        drawn["epsilon"] = epsilon_chart(view.epsilon)
    if view.evaluation and any(view.evaluation.curves):
        drawn["precision_recall"] = precision_recall_chart(view.evaluation)
    if view.reliability:
        drawn["reliability"] = reliability_chart(view.reliability)
    return drawn


def p_mislabeled_chart(histogram: Histogram, cutoff: Cutoff) -> str:
    with figure() as (drawn, axes):
        _bars(axes, histogram.edges, histogram.rows, histogram.suspects)
        if cutoff.score == "p_mislabeled" and 0 <= cutoff.threshold <= 1:
            axes.axvline(cutoff.threshold, color=INK, linewidth=1, linestyle=(0, (4, 3)), label="cut-off")
        axes.set(xlim=(0, 1), xlabel="p_mislabeled", ylabel="labels (log scale)")
        legend(axes)
        suspects = count(sum(histogram.suspects), "suspect")
        title = f"Histogram of p_mislabeled over {count(sum(histogram.rows), 'label')}, {suspects}"
        return inline_svg(drawn, "p_mislabeled", title)


def epsilon_chart(histogram: EpsilonHistogram) -> str:
    """Half decades on the x axis, with a bar of its own for epsilon = 0 at the left."""
    above = histogram.above_zero
    places = tuple(float(i) for i in range(-2, len(above.edges)))
    rows = (histogram.zero_rows, 0, *above.rows)
    suspects = (histogram.zero_suspects, 0, *above.suspects)
    with figure() as (drawn, axes):
        _bars(axes, places, rows, suspects)
        decades = range(6, len(above.edges), 6)
        axes.set_xticks([-1.5, *decades], ["0", *(f"{above.edges[i]:.9g}" for i in decades)])
        axes.set(xlabel="epsilon (log scale; exactly 0 at the left)", ylabel="labels (log scale)")
        legend(axes)
        title = f"Histogram of epsilon; it is exactly 0 for {count(histogram.zero_rows, 'label')}"
        return inline_svg(drawn, "epsilon", title)


def precision_recall_chart(evaluation: Evaluation) -> str:
    """One line a rule, and a dot where its cut-off stands."""
    colours = {PAPER_RULE: ROWS, DEFAULT_RULE: SUSPECTS}
    with figure() as (drawn, axes):
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
        legend(axes)
        return inline_svg(
            drawn, "precision_recall", "Precision against recall of both rules; dots mark the cut-offs"
        )


def cost_chart(cost: CostCurve) -> str:
    """Wrong labels found by images looked at, up to a few times the suspects."""
    at = cost.at_cutoff.reviewed if cost.at_cutoff else cost.n
    end = cost.n if 2 * COST_REACH * at >= cost.n else COST_REACH * at
    with figure(2) as (drawn, axes):
        axes.plot(
            cost.reviewed,
            cost.expected,
            color=SUSPECTS,
            linewidth=1.6,
            label="expected, in the audit's order",
        )
        if cost.known:
            axes.plot(cost.reviewed, cost.known, color=ROWS, linewidth=1.6, label="truly")
        total = cost.known[-1] if cost.known else cost.expected[-1]
        axes.plot(
            [0, cost.n], [0, total], color=MUTED, linewidth=1, linestyle=(0, (4, 3)), label="in random order"
        )
        if cost.at_cutoff:
            axes.axvline(at, color=INK, linewidth=1, linestyle=(0, (1, 2)), label="cut-off")
        shown = [i for i, reviewed in enumerate(cost.reviewed) if reviewed <= end]
        highest = max(max(curve[i] for i in shown) for curve in (cost.expected, cost.known or cost.expected))
        axes.set(
            xlim=(0, end), ylim=(0, 1.05 * highest), xlabel="images looked at", ylabel="wrong labels found"
        )
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter("{x:,.0f}")
        legend(axes, 2)
        title = f"Wrong labels found by images looked at, up to {count(end, 'image')}"
        return inline_svg(drawn, "cost", title)


def reliability_chart(groups: tuple[Reliability, ...]) -> str:
    """A point a group of labels, with its 95 % interval; right probabilities lie on the diagonal."""
    with figure() as (drawn, axes):
        axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=(0, (4, 3)), label="as it should be")
        x = [group.mean for group in groups]
        y = [group.wrong.value or 0.0 for group in groups]
        ends = [
            [abs(end - v) for end, v in zip(side, y, strict=True)]
            for side in zip(*map(_ends, groups), strict=True)
        ]
        axes.errorbar(x, y, ends, color=SUSPECTS, marker="o", markersize=4.5, linewidth=1.2, elinewidth=1, capsize=2,
                      label="these labels", clip_on=False)  # fmt: skip
        axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="mean p_mislabeled of a group", ylabel="truly wrong")
        legend(axes)
        return inline_svg(drawn, "reliability", "Share of wrong labels against p_mislabeled, in ten groups")


def _ends(group: Reliability) -> tuple[float, float]:
    return group.wrong.low or 0.0, group.wrong.high or 0.0


def _bars(axes: Axes, edges: tuple[float, ...], rows: tuple[int, ...], suspects: tuple[int, ...]) -> None:
    widths = [0.88 * (high - low) for low, high in pairwise(edges)]
    middles = [(low + high) / 2 for low, high in pairwise(edges)]
    axes.bar(middles, rows, widths, color=ROWS, label="all labels")
    axes.bar(middles, suspects, widths, color=SUSPECTS, label="suspects")
    axes.set_yscale("symlog", linthresh=1)
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.set_ylim(bottom=0)

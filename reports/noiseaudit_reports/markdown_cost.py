"""What a review costs, in Markdown."""

from __future__ import annotations

from noiseaudit.compare.stored import Compared
from noiseaudit.cost import CostCurve
from noiseaudit_reports.beside import beside
from noiseaudit_reports.markdown_text import name, prose, table
from noiseaudit_reports.text import steps
from noiseaudit_reports.view import ReportView


def review_costs(view: ReportView) -> str:
    """The section, empty where there is nothing to say."""
    parts = [
        _cost(view.cost) if view.cost else "",
        _beside(view.compared) if view.compared else "",
    ]
    return "\n\n".join(["## What a review costs", *filter(None, parts)]) if any(parts) else ""


def _cost(cost: CostCurve) -> str:
    header = ["To find, of the wrong labels", "Images in this order", "In random order", "Finds, expected"]
    rows = [
        [
            prose(what),
            f"{step.reviewed:,}",
            f"{step.random:,.0f}",
            f"{step.expected:,.0f}",
            *([] if step.known is None else [f"{step.known:,}"]),
        ]
        for step, what in steps(cost)
    ]
    header += ["Truly found"] if cost.known else []
    return table(header, [False, *[True] * (len(header) - 1)], rows)


def _beside(compared: Compared) -> str:
    found = beside(compared)
    header = ["Order", "Images to find half of the wrong labels", "Images to find 90 % of them", "Seeds"]
    rows = [[name(row.name) if row.is_tool else prose(row.name), *row.cells] for row in found.rows]
    return f"### {found.title}\n\n{prose(found.caption)}\n\n{table(header, [False, True, True, True], rows)}"

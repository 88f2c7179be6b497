"""Figures as static SVG that takes its colours from the page, so that it suits light and dark."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.legend import Legend

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


def legend(axes: Axes, columns: int = 3, *, handle: float = 1.4, gap: float = 1.4) -> Legend:
    """Above the axes; `handle` is the length of its lines, `gap` between columns, in font sizes."""
    return axes.legend(
        loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=columns, handlelength=handle, columnspacing=gap
    )


@contextmanager
def figure(legend_lines: int = 1) -> Iterator[tuple[Figure, Axes]]:
    """Margins are given: to let matplotlib find them takes as long as all else. A third line of legend adds height."""
    with matplotlib.rc_context(_STYLE):
        width, height = SIZE_INCHES
        share = 1 / (1 + 0.1 * max(0, legend_lines - 2))  # that SIZE_INCHES are of the height
        drawn = Figure(figsize=(width, height / share))
        top = 1 - share * (0.03 + 0.075 * legend_lines)
        drawn.subplots_adjust(left=0.155, right=0.95, bottom=0.17 * share, top=top)
        yield drawn, drawn.add_subplot()


def inline_svg(drawn: Figure, name: str, title: str) -> str:
    """Inline SVG: same bytes for the same data, ids unique on the page, scaled to its container."""
    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": name}):
        drawn.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    svg = svg.replace("xlink:href=", "href=")
    svg = re.sub(r'\bid="|url\(#|\bhref="#', lambda match: f"{match.group()}{name}-", svg)
    for colour, variable in _VARIABLES.items():
        svg = svg.replace(colour, variable)
    head = f'<svg class="chart" role="img" aria-label="{escape(title)}" viewBox'
    return re.sub(r"<svg [^>]*?viewBox", head, svg, count=1)

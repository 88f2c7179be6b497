"""The chart of noiseaudit beside other tools."""

from __future__ import annotations

import warnings
from typing import Any

from noiseaudit.compare.stored import OURS, Compared
from noiseaudit_reports.beside import DRAWN
from noiseaudit_reports.svg import INK, MUTED, ROWS, SUSPECTS, figure, inline_svg, legend
from noiseaudit_reports.text import count, visible

REACH = 3  # times the share of wrong labels: where the chart ends
NAME_LENGTH = 17  # of a tool in the legend; the table has the whole name

# Told apart without colour, too: each has a line of its own.
_OURS: dict[str, Any] = {
    "color": SUSPECTS,
    "linewidth": 3,
    "zorder": 1.9,
}  # behind thin lines, which stay seen on it
_OTHERS: tuple[dict[str, Any], ...] = (
    {"color": ROWS, "linestyle": "-"},
    {"color": INK, "linestyle": (0, (1, 1.2))},
    {"color": ROWS, "linestyle": (0, (5, 1.6))},
    {"color": INK, "linestyle": (0, (5, 1.5, 1, 1.5))},
    {"color": ROWS, "linestyle": (0, (4, 1.2, 1, 1.2, 1, 1.2))},
    {"color": INK, "linestyle": (0, (10, 2))},
    {"color": MUTED, "linestyle": "-"},  # where noiseaudit is not among them
)


def compared_chart(compared: Compared) -> str:
    """Share of the wrong labels found by share of the images looked at, a line a tool."""
    end = min(1.0, REACH * compared.wrong / compared.n)
    tools = compared.tools[:DRAWN]
    others = iter(_OTHERS)
    with figure(3) as (drawn, axes):
        for i, tool in enumerate(tools):
            style = _OURS if tool.tool == OURS else {"linewidth": 1.2, **next(others)}
            axes.plot(compared.reviewed, tool.found, label=f"tool {i}", **style)
        axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=(0, (4, 3)), label="in random order")
        axes.set(xlim=(0, end), ylim=(0, 1.03), xlabel="images looked at", ylabel="wrong labels found")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(lambda share, _: f"{100 * share:.3g} %")
        # A label that begins with "_" would be left out, and one with "$" set as a formula.
        for text, tool in zip(legend(axes, 3, handle=2.6, gap=1.0).get_texts(), tools, strict=False):
            text.set_parse_math(False)
            text.set_text(_short(visible(tool.tool)))
        title = f"Share of the wrong labels found by images looked at, for {count(len(tools), 'tool')}"
        with warnings.catch_warnings():
            # Its font measures the names, the reader's shows them.
            warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)
            return inline_svg(drawn, "compared", title)


def _short(name: str) -> str:
    return name if len(name) <= NAME_LENGTH else f"{name[: NAME_LENGTH - 1]}…"

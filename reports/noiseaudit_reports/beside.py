"""noiseaudit beside other tools: what was measured, and how many images each makes one look at, in words."""

from __future__ import annotations

from typing import NamedTuple

from noiseaudit.compare.stored import OURS, Compared, Reviewed
from noiseaudit.cost import SHARES
from noiseaudit.percent import percent
from noiseaudit_reports.text import count

TITLE = "Beside other tools"
SHOWN = (0.5, 0.9)  # of the wrong labels, out of SHARES
DRAWN = 7  # tools that the chart can tell apart


class Row(NamedTuple):
    """An order of the images: of a tool, or at random."""

    name: str  # a tool's as in the file: writers make it safe
    is_tool: bool
    is_ours: bool
    cells: tuple[str, ...]


class Beside(NamedTuple):
    """What a report says of a comparison."""

    title: str
    caption: str
    rows: tuple[Row, ...]
    n_hidden: int  # tools that the chart has no line for


def beside(compared: Compared) -> Beside:
    """The words of HTML and Markdown."""
    random = tuple(f"{share * compared.n:,.0f}" for share in SHOWN)
    tools = [_row(tool) for tool in compared.tools]
    rows = (*tools, Row("in random order", False, False, (*random, "")))
    return Beside(TITLE, _caption(compared), rows, max(0, len(tools) - DRAWN))


def _row(tool: Reviewed) -> Row:
    images = tuple(f"{tool.images[SHARES.index(share)]:,.0f}" for share in SHOWN)
    return Row(tool.tool, True, tool.tool == OURS, (*images, f"{tool.n_seeds:,}"))


def _caption(compared: Compared) -> str:
    n, wrong = count(round(compared.n), "label"), f"{compared.wrong:,.0f}"
    if compared.plant is None:
        what = f"On the {n} whose truth is known, {wrong} of them wrong"
    else:
        assert compared.rate is not None
        what = (
            f"On {n}, taken for right, with {compared.plant} errors planted in {percent(compared.rate)} of them "
            f"({wrong} wrong labels); people's own mistakes may be harder to find"
        )
    return f"{what}. As noiseaudit compare measured it, every tool on the same images, {_over(compared)}."


def _over(compared: Compared) -> str:
    seeds = [tool.n_seeds for tool in compared.tools]
    if max(seeds) == 1:
        return "with one seed"
    least = f"{min(seeds):,} to " if min(seeds) < max(seeds) else ""
    return f"mean over {least}{max(seeds):,} seeds"

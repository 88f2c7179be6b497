"""Figure 2 of the paper, drawn from recorded runs: test errors over the epochs, a panel a corruption rate."""

from __future__ import annotations

import io
import re

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from noiseaudit.bench.paper import FIGURE2_RATES
from noiseaudit.bench.section import Section

PANEL_INCHES = (3.4, 3.0)
_STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "figure2",
    "font.size": 8.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
}
_COLOURS = 10  # of matplotlib's default cycle; Table 1 has more systems, so dashes tell the next ten
_DASHES = ("-", "--", ":", "-.")


def error_curves(section: Section) -> str:
    """A stand-alone SVG: the Guider's test error in %, mean over seeds, with one standard deviation beside it.

    The same bytes for the same runs.
    """
    rates = [rate for rate in FIGURE2_RATES if any(line["rate"] == rate for line in section.lines)]
    with matplotlib.rc_context(_STYLE):  # type: ignore[arg-type]
        width, height = PANEL_INCHES
        figure = Figure(figsize=(width * max(1, len(rates)), height), layout="constrained")
        panels = figure.subplots(1, max(1, len(rates)), sharey=True, squeeze=False)[0]
        for axes, rate in zip(panels, rates, strict=False):
            _draw_rate(axes, section, rate)
        panels[0].set_ylabel("test error, %")
        handles = {
            label: line
            for axes in panels
            for line, label in zip(*axes.get_legend_handles_labels(), strict=True)
        }
        figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=4)
        figure.suptitle(section.title, fontsize=8.5)
        return _svg(figure)


def _draw_rate(axes: Axes, section: Section, rate: float) -> None:
    systems = list(dict.fromkeys(place.system for place in section.places()))
    for place, lines in section.places().items():
        curves = [line["curve"]["guider"] for line in lines.values() if "curve" in line]
        if place.rate != rate or not curves:
            continue
        errors = 100 * np.array(curves)
        epochs, mean = np.arange(1, errors.shape[1] + 1), errors.mean(axis=0)
        turn, hue = divmod(systems.index(place.system), _COLOURS)
        colour, dashes = f"C{hue}", _DASHES[turn % len(_DASHES)]
        axes.plot(epochs, mean, color=colour, linestyle=dashes, linewidth=1.3, label=place.system)
        if len(curves) > 1:
            spread = errors.std(axis=0, ddof=1)
            axes.fill_between(epochs, mean - spread, mean + spread, color=colour, alpha=0.15, linewidth=0)
    axes.set(title=f"{rate:.0%} corrupt", xlabel="epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _svg(figure: Figure) -> str:
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return re.sub(r"<metadata>.*?</metadata>\s*", "", buffer.getvalue(), flags=re.DOTALL)

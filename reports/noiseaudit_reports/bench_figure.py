"""What recorded runs did over their epochs, a panel a corruption rate: test errors, Figure 2 of the paper, and how well
corrupt labels were found, Table 3."""

from __future__ import annotations

import dataclasses
import io
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from noiseaudit.bench.paper import COMPARABLE_NOISES, FIGURE2_RATES, published
from noiseaudit.bench.results import Line
from noiseaudit.bench.section import Place, Section
from noiseaudit.bench.systems import ALL_LABELS, FEW_LABELS

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
Draw = Callable[[Axes], None]
Runs = Mapping[Place, Mapping[int, Line]]


def error_curves(section: Section) -> str:
    """A stand-alone SVG: the Guider's test error in %, mean over seeds, with one standard deviation beside it.

    "" where there are no runs at the rates of the figure. The same bytes for the same runs.
    """
    rates = [rate for rate in FIGURE2_RATES if any(line["rate"] == rate for line in section.lines)]
    section = dataclasses.replace(
        section, lines=tuple(line for line in section.lines if line["rate"] in rates)
    )
    panels = [[_error_panel(section, rate) for rate in rates]]
    return _figure(section.title, panels, "test error, %") if rates else ""


def detection_curves(section: Section) -> str:
    """A stand-alone SVG: F1 of the paper's rule and of the default score, as `error_curves` has errors.

    A row of panels where few rows are labelled, and one where all are.
    """
    lines = tuple(line for line in section.lines if line["method"] in section.subjects()) or section.lines
    section = dataclasses.replace(section, lines=lines)
    rates = sorted({line["rate"] for line in lines})
    settings = [
        (title, runs)
        for title, is_all in ((FEW_LABELS, False), (ALL_LABELS, True))
        if (
            runs := {
                place: own for place, own in section.places().items() if (place.labels is None) == is_all
            }
        )
    ]
    panels = [[_detection_panel(section, runs, title, rate) for rate in rates] for title, runs in settings]
    return _figure(section.title, panels, "F1")


def _error_panel(section: Section, rate: float) -> Draw:
    places = section.places()
    names = _names(places, ("curve",))
    systems = list(names)

    def draw(axes: Axes) -> None:
        for place, lines in places.items():
            curves = [line["curve"]["guider"] for line in lines.values() if "curve" in line]
            if place.rate == rate and curves:
                epochs = np.arange(1, len(curves[0]) + 1)
                _band(axes, epochs, 100 * np.array(curves), systems.index(place.system), names[place.system])
        axes.set(title=f"{rate:.0%} corrupt")
        axes.set_ylim(bottom=0)  # the spread of few seeds reaches below

    return draw


def _detection_panel(section: Section, runs: Runs, title: str, rate: float) -> Draw:
    names = _names(section.places(), ("epsilon_curve", "default_curve"))
    systems = list(names)

    def draw(axes: Axes) -> None:
        for place, lines in runs.items():
            if place.rate == rate and place.system in names:
                turn, name = 2 * systems.index(place.system), names[place.system]
                rule = [line["epsilon_curve"]["f1"] for line in lines.values() if line.get("epsilon_curve")]
                if rule:
                    epochs = np.arange(1, len(rule[0]) + 1)
                    _band(axes, epochs, _floats(rule), turn, f"{name}, epsilon > 0")
                score = [line["default_curve"] for line in lines.values() if "default_curve" in line]
                if score:
                    values = _floats([each["f1"] for each in score])
                    epochs = np.array(score[0]["epoch"])
                    _band(axes, epochs, values, turn + 1, f"{name}, default score")
        known = published("table3", section.dataset, "f1", rate=rate)
        if known and known.value is not None and section.noise in COMPARABLE_NOISES:
            axes.axhline(known.value, color="0.5", linewidth=1, linestyle="--", label="the paper")
        axes.set(title=f"{title}, {rate:.0%} corrupt", ylim=(0, 1.02))

    return draw


def _names(runs: Runs, curves: Sequence[str]) -> dict[str, str]:
    """By system, its name with the number of its seeds: one entry in the legend, however the panels differ."""
    counts: dict[str, set[int]] = {}
    for place, lines in runs.items():
        if n := sum(any(line.get(curve) for curve in curves) for line in lines.values()):
            counts.setdefault(place.system, set()).add(n)
    return {name: f"{name} (n={'-'.join(map(str, sorted({min(n), max(n)})))})" for name, n in counts.items()}


def _floats(curves: Sequence[Sequence[float | None]]) -> npt.NDArray[np.float64]:
    """NaN where a measure is undefined."""
    return np.array(curves, np.float64)


def _band(
    axes: Axes, epochs: npt.NDArray[Any], curves: npt.NDArray[np.float64], look: int, name: str
) -> None:
    """The mean of (seeds, epochs) and one standard deviation beside it, in the look of this number."""
    turn, hue = divmod(look, _COLOURS)
    style, mean = {"color": f"C{hue}", "linestyle": _DASHES[turn % len(_DASHES)]}, curves.mean(axis=0)
    axes.plot(epochs, mean, linewidth=1.3, label=name, **style)  # type: ignore[arg-type]
    if len(curves) > 1:
        spread = curves.std(axis=0, ddof=1)
        axes.fill_between(epochs, mean - spread, mean + spread, color=f"C{hue}", alpha=0.15, linewidth=0)


def _figure(title: str, panels: Sequence[Sequence[Draw]], quantity: str) -> str:
    """Rows of panels with one legend."""
    width, height = PANEL_INCHES
    with matplotlib.rc_context(_STYLE):  # type: ignore[arg-type]
        size = (width * len(panels[0]), height * len(panels))
        figure = Figure(figsize=size, layout="constrained")
        grid = figure.subplots(len(panels), len(panels[0]), sharey=True, squeeze=False)
        handles: dict[str, Artist] = {}
        for axes, draw in zip(grid.flat, (draw for row in panels for draw in row), strict=True):
            draw(axes)
            axes.set_xlabel("epoch")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
            handles |= {label: line for line, label in zip(*axes.get_legend_handles_labels(), strict=True)}
        for row in grid:
            row[0].set_ylabel(quantity)
        figure.legend(list(handles.values()), list(handles), loc="outside lower center", ncols=4)
        figure.suptitle(title, fontsize=8.5)
        return _svg(figure)


def _svg(figure: Figure) -> str:
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return re.sub(r"<metadata>.*?</metadata>\s*", "", buffer.getvalue(), flags=re.DOTALL)

"""Figure 2 is drawn from the recorded curves."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest

from noiseaudit.bench.recipes import as_text, recipe
from noiseaudit.bench.section import Section
from noiseaudit.bench.systems import systems
from noiseaudit_reports.bench_figure import detection_curves, error_curves


def line(method: str, rate: float, seed: int, guider: list[float] | None) -> dict[str, Any]:
    found: dict[str, Any] = {
        "table": "table1", "dataset": "svhn", "method": method, "variant": "default", "labels": 500,
        "noise": "symmetric", "rate": rate, "seed": seed, "scale": "paper", "epochs": 3,
        "changes": as_text(recipe("svhn", method, "default")), "settings": {}, "backbone": "conv13", "data": "d",
        "source": "torchvision", "batch": {}, "rows": 9, "labelled": 500, "test_rows": 9, "classes": 10,
        "hardware": {"device": "cpu", "name": "a processor", "precision": "float32"},
    }  # fmt: skip
    return found | ({"error": "NaN"} if guider is None else {"curve": {"guider": guider, "learner": guider}})


def section(*lines: dict[str, Any]) -> Section:
    return Section("table1", "svhn", "symmetric", "paper", 3, lines)


def texts(svg: str) -> list[str]:
    return [
        "".join(node.itertext()) for node in ElementTree.fromstring(svg).iter() if node.tag.endswith("}text")
    ]


def paths(svg: str, colour: str) -> list[str]:
    """Drawn lines of a colour through three epochs, the legend's aside."""
    found = re.findall(rf'<path d="([^"]*)" clip-path="[^"]*" style="fill: none; stroke: {colour}', svg)
    return [path for path in found if path.count("L") == 2]


def test_a_panel_a_rate_and_a_line_a_system() -> None:
    svg = error_curves(
        section(
            *(line(method, rate, seed, [0.5, 0.4, 0.3 + 0.1 * seed])
              for method in ("umn", "mentornet") for rate in (0.1, 0.2, 0.3) for seed in (0, 1)),
        )
    )  # fmt: skip
    found = texts(svg)
    assert "20% corrupt" in found
    assert "30% corrupt" in found
    assert "10% corrupt" not in found
    assert "40% corrupt" not in found
    assert {"umn (n=2)", "mentornet (n=2)", "epoch", "test error, %"} <= set(found)
    assert any("scale paper (3 epochs)" in text for text in found)
    assert len(paths(svg, "#1f77b4")) == len(paths(svg, "#ff7f0e")) == 2


def test_the_line_is_the_mean_over_seeds() -> None:
    both = section(line("umn", 0.2, 0, [0.2, 0.4, 0.2]), line("umn", 0.2, 1, [0.4, 0.2, 0.4]))
    (path,) = paths(error_curves(both), "#1f77b4")
    heights = [float(point.split()[1]) for point in re.split("[ML]", path)[1:]]
    assert max(heights) - min(heights) < 1e-6  # 30 % throughout


def test_one_name_in_the_legend_where_the_panels_differ_in_seeds() -> None:
    runs = [line("umn", 0.2, 0, [0.2] * 3), line("umn", 0.3, 0, [0.2] * 3), line("umn", 0.3, 1, [0.4] * 3)]
    assert [text for text in texts(error_curves(section(*runs))) if text.startswith("umn")] == ["umn (n=1-2)"]


def test_detection_has_a_line_for_the_rule_and_one_for_the_score() -> None:
    changes = {each: as_text(recipe("mnist", each, "default")) for each in ("umn", "mean_teacher")}
    found = line("umn", 0.2, 0, [0.5, 0.4, 0.3]) | {
        "table": "table3", "dataset": "mnist", "changes": changes["umn"], "epsilon_curve": {"f1": [None, 0.5, 0.6]},
        "default_curve": {"epoch": [1, 2, 3], "f1": [0.9, 0.8, 0.7]},
    }  # fmt: skip
    other = found | {"method": "mean_teacher", "changes": changes["mean_teacher"], "epsilon_curve": None}
    full = found | {"table": "table3", "labels": None, "variant": "fully-labelled", "changes": ""}
    full |= {"epsilon_curve": {"f1": [0.4, 0.5, 0.6]}}
    del full["default_curve"]
    whole = detection_curves(Section("table3", "mnist", "symmetric", "paper", 3, (full,)))
    assert len(paths(whole, "#1f77b4")) == 1  # the rule alone
    svg = detection_curves(Section("table3", "mnist", "symmetric", "paper", 3, (found, other)))
    assert {"umn (n=1), epsilon > 0", "umn (n=1), default score", "the paper"} <= set(texts(svg))
    assert "mean_teacher (n=1), epsilon > 0" not in texts(svg)
    (score,) = paths(svg, "#ff7f0e")
    heights = [float(point.split()[1]) for point in re.split("[ML]", score)[1:]]
    assert heights[2] - heights[1] == pytest.approx(heights[1] - heights[0])
    assert heights[0] < heights[1]  # down the page


def test_rivals_alone_are_drawn() -> None:
    changes = as_text(recipe("mnist", "mean_teacher", "default"))
    rival = line("mean_teacher", 0.2, 0, [0.5, 0.4, 0.3]) | {
        "dataset": "mnist", "changes": changes, "default_curve": {"epoch": [1, 2, 3], "f1": [0.9, 0.8, 0.7]},
    }  # fmt: skip
    svg = detection_curves(Section("table3", "mnist", "symmetric", "paper", 3, (rival,)))
    assert "mean_teacher (n=1), default score" in texts(svg)


def test_the_same_bytes_for_the_same_runs() -> None:
    runs = section(line("umn", 0.2, 0, [0.5, 0.4, 0.3]))
    assert error_curves(runs) == error_curves(runs)
    assert "<metadata>" not in error_curves(runs)


def test_runs_without_a_curve_are_left_out() -> None:
    svg = error_curves(section(line("umn", 0.2, 0, None), line("mentornet", 0.2, 0, [0.5, 0.4, 0.3])))
    assert "umn (n=1)" not in texts(svg)
    assert "mentornet (n=1)" in texts(svg)


def test_every_system_has_a_look_of_its_own() -> None:
    names = systems("table1", "mnist")
    runs = [line(each.method, 0.2, 0, [0.5, 0.4, 0.3]) | {"variant": each.variant} for each in names]
    svg = error_curves(section(*runs))
    drawn = re.findall(r'<path d="[^"]*L[^"]*L[^"]*" clip-path="[^"]*" style="fill: none;([^"]*)"', svg)
    looks = {re.sub(r"stroke-width: [^;]*;?", "", style) for style in drawn}
    assert len(names) == len(drawn) == len(looks) > 10

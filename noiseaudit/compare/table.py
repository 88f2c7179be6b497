"""A comparison as Markdown: means over seeds, and each tool's distance from noiseaudit over the same seeds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from noiseaudit.bench.stats import paired_difference, summary
from noiseaudit.compare.stored import OURS
from noiseaudit.compare.tools import TOOLS

MEASURES = {
    "average_precision": ("AP", 3),
    "auroc": ("AUROC", 3),
    "f1": ("F1, own cut-off", 3),
    "oracle_f1": ("F1, best cut-off", 3),
    "seconds": ("seconds", 0),
}
COMPARED = ("average_precision", "f1")
COVERED = "The intervals cover {}; on other rows the tools may differ by more or less."


def table(lines: Sequence[dict[str, Any]]) -> str:
    """Markdown of the results of one comparison."""
    tools = [name for name in TOOLS if any(line["tool"] == name for line in lines)]
    head = ["tool", *(title for title, _ in MEASURES.values())]
    text = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for tool in tools:
        cells = [
            summary([*_by_seed(lines, tool, key).values()]).text(digits)
            for key, (_, digits) in MEASURES.items()
        ]
        text.append(f"| {' | '.join([tool, *cells])} |")
    others = [tool for tool in tools if tool != OURS and OURS in tools]
    text += ["", *(_distance(lines, tool) for tool in others)]
    if others and len({line["seed"] for line in lines}) > 1:
        text += ["", _covered(is_planted=lines[0]["plant"] is not None)]
    return "\n".join(text).rstrip() + "\n"


def _distance(lines: Sequence[dict[str, Any]], tool: str) -> str:
    parts = []
    for key in COMPARED:
        found = paired_difference(_by_seed(lines, OURS, key), _by_seed(lines, tool, key))
        shown = found.text(3) if found else "needs two seeds"
        parts.append(f"{MEASURES[key][0]} {shown}")
    return f"- {OURS} minus {tool} ({TOOLS[tool].about}): {'; '.join(parts)}."


def _covered(*, is_planted: bool) -> str:
    """What varies from seed to seed. Scores are not kept, so rows cannot be drawn anew here."""
    if is_planted:
        return COVERED.format("trainings and planted errors, on the same rows with every seed")
    return COVERED.format("trainings alone: rows and errors are the same with every seed")


def _by_seed(lines: Sequence[dict[str, Any]], tool: str, key: str) -> dict[int, float]:
    return {line["seed"]: line[key] for line in lines if line["tool"] == tool and line[key] is not None}

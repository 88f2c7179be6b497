"""The tables of theory.py's lines: what epsilon follows, what tells corrupt rows, and the rule in three precisions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results" / "theory.jsonl"


def table() -> str:
    """Three Markdown tables for each run: what epsilon follows, what tells corrupt rows, and the rule's precision."""
    lines = [json.loads(line) for line in RESULTS.read_text().splitlines()]
    runs = {(line["method"], *line["settings"], line["seed"], line["epochs"]): None for line in lines}
    text = []
    for key in runs:
        own = [
            line for line in lines if (line["method"], *line["settings"], line["seed"], line["epochs"]) == key
        ]
        text += [f"### {' '.join(map(str, key[:-2]))}, {key[-1]} epochs, seed {key[-2]}", ""]
        text += [*_correlation_rows(own), "", *_auroc_rows(own), "", *_rule_rows(own), ""]
    return "\n".join(text)


def _correlation_rows(lines: list[dict[str, Any]]) -> list[str]:
    found = [
        "| epoch | Spearman, epsilon and gradient norm: all | clean | corrupt | weighted by f: all | "
        "relative distance of theta and theta' | cosine with the last one | alignment of gradients: clean | corrupt |",
        "|---" * 9 + "|",
    ]
    for line in lines:
        plain, weighted = line["spearman, gradient norm"], line["spearman, gradient norm weighted by f"]
        gap, aligned = line["theta - theta'"], line["alignment of gradients"]
        values = [
            *plain.values(),
            weighted["all"],
            gap["relative distance"],
            gap["cosine"],
            *aligned.values(),
        ]
        found.append(f"| {line['epoch']} | " + " | ".join(f"{value:.3f}" for value in values) + " |")
    return found


def _auroc_rows(lines: list[dict[str, Any]]) -> list[str]:
    names = list(lines[0]["auroc"])
    heads = [name.replace("||", "‖") for name in names]  # bars would end the cell
    found = ["| epoch | AUROC: " + " | ".join(heads) + " |", "|---" * (len(names) + 1) + "|"]
    return found + [
        f"| {line['epoch']} | " + " | ".join(f"{line['auroc'][name]:.3f}" for name in names) + " |"
        for line in lines
    ]


def _rule_rows(lines: list[dict[str, Any]]) -> list[str]:
    found = [
        "| epoch | computed in | epsilon > 0 | recall | precision | 0 because saturated at 1 | underflowed to 0 | "
        "equal in between |",
        "|---" * 8 + "|",
    ]
    for line in lines:
        for name, rule in line["rule"].items():
            shares = [rule["flagged"], rule["recall"], rule["precision"]]
            counts = [rule["saturated at 1"], rule["underflowed to 0"], rule["equal in between"]]
            cells = [f"{value:.3f}" for value in shares] + [f"{value:,}" for value in counts]
            found.append(f"| {line['epoch']} | {name} | " + " | ".join(cells) + " |")
    return found

"""The cells of mnist.py, and the table of its lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import ttest_rel

RESULTS = Path(__file__).parent / "results" / "mnist.jsonl"
CELLS = [
    {"noise": noise, "labels": labels, "system": system}
    for noise in ("symmetric", "asymmetric")
    for labels, systems in (
        (1.0, ("noiseaudit", "cleanlab")),
        (0.1, ("noiseaudit", "noiseaudit-labelled-only")),
    )
    for system in systems
]


def read_results() -> list[dict[str, Any]]:
    return [json.loads(line) for line in RESULTS.read_text().splitlines()] if RESULTS.exists() else []


def table() -> str:
    """Mean and worst over the seeds, in Markdown."""
    results = read_results()
    lines = [
        "| noise | labels | system | n | AP mean (worst) | F1, own cut-off, mean (worst) | F1, best cut-off "
        "| suggestions right | seconds, mean (longest) |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for cell in CELLS:
        rows = [r for r in results if all(r[key] == value for key, value in cell.items())]
        if not rows:
            continue
        right = [r["suggestions_correct"] for r in rows if r.get("suggestions_correct") is not None]
        lines.append(
            f"| {cell['noise']} 30 % | {cell['labels']:.0%} | {cell['system']} | {len(rows)} "
            f"| {_mean(rows, 'ap', min)} | {_mean(rows, 'f1', min)} | {np.mean([r['oracle_f1'] for r in rows]):.4f} "
            f"| {f'{np.mean(right):.1%}' if right else '-'} | {_mean(rows, 'seconds', max, 0)} |"
        )
    lines += ["", *(_gain(results, noise) for noise in ("symmetric", "asymmetric"))]
    return "\n".join(lines) + "\n"


def _gain(results: list[dict[str, Any]], noise: str) -> str:
    """What the unlabelled images bring, paired over seeds."""
    pairs: dict[int, dict[str, float]] = {}
    for row in results:
        if row["noise"] == noise and row["labels"] < 1:
            pairs.setdefault(row["seed"], {})[row["system"]] = row["ap"]
    both = [pair for pair in pairs.values() if len(pair) == 2]
    with_all = [pair["noiseaudit"] for pair in both]
    labelled_only = [pair["noiseaudit-labelled-only"] for pair in both]
    test = ttest_rel(with_all, labelled_only)
    low, high = test.confidence_interval(0.95)
    gain = np.mean(with_all) - np.mean(labelled_only)
    return (
        f"- {noise}, 10 % labelled: the unlabelled images add {gain:.4f} AP, 95 % interval [{low:.4f}, {high:.4f}] "
        f"(paired t, n = {len(both)}; higher in {sum(np.array(with_all) > labelled_only)} of them)."
    )


def _mean(rows: list[dict[str, Any]], name: str, worst: Any, digits: int = 4) -> str:
    values = [row[name] for row in rows]
    return f"{np.mean(values):.{digits}f} ({worst(values):.{digits}f})"

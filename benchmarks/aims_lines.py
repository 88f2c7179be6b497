"""The lines of other benchmarks, as aims.py reads them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from noiseaudit.bench.stats import Difference, paired_difference, summary

RESULTS = Path(__file__).parent / "results"
OURS = ("noiseaudit", "guider")  # the others are peers
AP, F1, BEST_F1 = "average_precision", "f1", "oracle_f1"
Lines = dict[tuple[str, str], list[dict[str, Any]]]  # by set and tool


def read(name: str) -> list[dict[str, Any]]:
    return [json.loads(text) for text in (RESULTS / f"{name}.jsonl").read_text().splitlines()]


def mean(lines: Iterable[dict[str, Any]], key: str) -> float:
    found = summary([line[key] for line in lines if line.get(key) is not None]).mean
    assert found is not None
    return found


def gap(one: list[dict[str, Any]], other: list[dict[str, Any]], key: str) -> Difference:
    """Paired over seeds."""
    found = paired_difference(*({line["seed"]: line[key] for line in lines} for lines in (one, other)))
    assert found is not None
    return found


def ours(lines: Lines, sets: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
    return {name: lines[name, "noiseaudit"] for name in sets}


def share_of_best(lines: list[dict[str, Any]], key: str = F1, best: str = BEST_F1) -> float:
    return mean(lines, key) / mean(lines, best)


def best_peer(lines: Lines, name: str, key: str) -> tuple[str, list[dict[str, Any]]]:
    peers = {tool: found for (of, tool), found in lines.items() if of == name and tool not in OURS}
    return max(peers.items(), key=lambda item: mean(item[1], key))


def detection() -> Lines:
    """By set and tool."""
    lines: Lines = {}
    for line in read("detection"):
        lines.setdefault((line["set"], line["tool"]), []).append(line)
    return lines

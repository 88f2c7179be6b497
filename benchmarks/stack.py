"""Wall time of the Table 3 grid, 5 rates x 5 seeds of dense networks: trained as one stack against one by one.

Both ways in turns, in one process, on every label of 10,000 MNIST images; nothing else should run on the machine.

NOISEAUDIT_DATA=... python benchmarks/stack.py run --epochs 2 --repeats 3     # writes benchmarks/results/stack.md
python benchmarks/stack.py table
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from noiseaudit.bench.grids import Choices, grid
from noiseaudit.bench.problem import Problem
from noiseaudit.bench.results import Line
from noiseaudit.bench.run_group import hardware
from noiseaudit.bench.runner import Machine, Place, load_problems, run_cells
from noiseaudit.bench.stats import summary
from noiseaudit.choose import choose_device
from noiseaudit.runtime import training_runtime
from noiseaudit.versions import versions

RESULTS = Path(__file__).parent / "results" / "stack.jsonl"
WAYS = {"as a stack": True, "one by one": False}


class Quiet:
    """Watches nothing."""

    def on_start(self, cells: int, done: int, epochs: int) -> None: ...

    def on_epoch(self) -> None: ...

    def on_line(self, line: Line) -> None:
        assert "error" not in line, line


def choices(method: str, epochs: int) -> Choices:
    return Choices("mnist", [f"{method}:fully-labelled"], seeds=range(5), epochs=epochs)


def timed(
    problems: dict[str, Problem], method: str, epochs: int, device: str, *, stack: bool
) -> tuple[float, int]:
    """Seconds of the grid, and the number of its runs."""
    cells = grid("table3", choices(method, epochs))
    with tempfile.TemporaryDirectory() as out, training_runtime():
        started = time.perf_counter()
        run_cells(cells, problems, Path(out), Machine(device, stack=stack), Quiet())
        return time.perf_counter() - started, len(cells)


def run(method: str, epochs: int, repeats: int, device: str) -> None:
    place = Place(Path(), Path(os.environ["NOISEAUDIT_DATA"]))
    problems = load_problems("table3", choices(method, epochs), place)
    for repeat in range(-1, repeats):  # the first is to warm up
        lines: list[dict[str, Any]] = []
        for way, stack in WAYS.items():
            seconds, runs = timed(problems, method, 1 if repeat < 0 else epochs, device, stack=stack)
            print(method, way, repeat, round(seconds, 2), flush=True)
            lines.append({
                "method": method, "way": way, "repeat": repeat, "epochs": epochs, "runs": runs,
                "seconds": round(seconds, 3), "hardware": hardware(choose_device(device)), "versions": versions(),
            })  # fmt: skip
        if repeat >= 0:  # a pair or nothing
            with RESULTS.open("a") as file:
                file.writelines(json.dumps(line) + "\n" for line in lines)


def table() -> str:
    """Markdown: seconds each way, and their ratio in pairs."""
    found: dict[tuple[str, str, int, int], dict[str, list[float]]] = {}
    for text in RESULTS.read_text().splitlines():
        line = json.loads(text)
        machine = f"{line['hardware']['name']}, {line['hardware']['cores']} cores"
        place = (line["method"], machine, line["runs"], line["epochs"])
        found.setdefault(place, {way: [] for way in WAYS})[line["way"]].append(line["seconds"])
    rows = [
        "| method | machine | runs | epochs | as a stack, s | one by one, s | one by one / stack |",
        "|---" * 7 + "|",
    ]
    for (method, machine, runs, epochs), seconds in found.items():
        stacked, single = seconds.values()
        ratios = [b / a for a, b in zip(stacked, single, strict=True)]
        cells = [summary(stacked).text(1), summary(single).text(1), summary(ratios).text(2)]
        rows.append(f"| {method} | {machine} | {runs} | {epochs} | {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=["run", "table"])
    parser.add_argument("--methods", nargs="+", default=["umn"])
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()
    if args.action == "run":
        for method in args.methods:
            run(method, args.epochs, args.repeats, args.device)
    text = table()
    RESULTS.with_suffix(".md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()

"""The demo's own figures over seeds: `noiseaudit demo --seed N`, then `noiseaudit evaluate --json`.

python benchmarks/demo_digits.py --seeds 0 1 2 3 4      # writes benchmarks/results/demo_digits.{jsonl,md}
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from noiseaudit.versions import versions

RESULTS = Path(__file__).parent / "results" / "demo_digits.jsonl"
NOISEAUDIT = [sys.executable, "-m", "noiseaudit_cli.main"]


def run(seed: int) -> dict[str, Any]:
    """AP and F1 of both rules, and the seconds of the whole demo."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "demo"
        started = time.perf_counter()
        subprocess.run(
            [*NOISEAUDIT, "demo", "--out", str(out), "--seed", str(seed)], check=True, capture_output=True
        )
        seconds = time.perf_counter() - started
        truth = f"{out / 'noisy.csv'}.truth.csv"
        told = subprocess.run(
            [*NOISEAUDIT, "evaluate", str(out / "run"), "--truth", truth, "--json"],
            check=True,
            capture_output=True,
        )
    rules = {rule["rule"]: rule for rule in json.loads(told.stdout)["rules"]}
    return {
        "seed": seed,
        "ap": rules["default"]["average_precision"]["value"],
        "f1": rules["default"]["f1"]["value"],
        "paper_rule_f1": rules["paper"]["f1"]["value"],
        "seconds": round(seconds, 1),
        "hardware": {"cores": os.cpu_count(), "threads": torch.get_num_threads(), "device": "cpu"},
        "versions": versions(),
    }


def table(results: list[dict[str, Any]]) -> str:
    """One line a seed and one for the means, in Markdown."""
    keys = ("ap", "f1", "paper_rule_f1", "seconds")
    lines = ["| seed | AP | F1, automatic cut-off | F1, epsilon > 0 | seconds |", "|---|---|---|---|---|"]
    lines += [f"| {r['seed']} | " + " | ".join(f"{r[key]:.4g}" for key in keys) + " |" for r in results]
    lines.append("| mean | " + " | ".join(f"{np.mean([r[key] for r in results]):.4g}" for key in keys) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    results = [run(seed) for seed in parser.parse_args().seeds]
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text("".join(json.dumps(result) + "\n" for result in results))
    RESULTS.with_suffix(".md").write_text(table(results))
    print(table(results))


if __name__ == "__main__":
    main()

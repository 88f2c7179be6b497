"""What cross-fitting by label hiding is worth where labels are few: features of CIFAR-10, planted or human noise.

Seen: the network saw the label; hidden: one that did not; both: their pool, which is what `scan` takes.
CIFAR-10N informed the design (docs/method.md), so these are figures of a development set.

NOISEAUDIT_DATA=... python benchmarks/few_labels.py run --rows 400 1200 --seeds 0 1 2
python benchmarks/few_labels.py table                   # writes benchmarks/results/few_labels.md
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import torch
from detection_sets import CPU, corrupted, features, folder
from sklearn.metrics import average_precision_score

from noiseaudit.bench.stats import summary
from noiseaudit.calibration import expected_calibration_error
from noiseaudit.compare.case import Case
from noiseaudit.compare.tools import cross_fitted
from noiseaudit.config import AuditConfig
from noiseaudit.crossfit import believe_folds
from noiseaudit.data.inputs import Kind
from noiseaudit.data.training import TrainingData
from noiseaudit.readings import score_readings
from noiseaudit.runtime import training_runtime
from noiseaudit.samples import column_scales
from noiseaudit.threshold import choose_cutoff
from noiseaudit.versions import versions

RESULTS = Path(__file__).parent / "results" / "few_labels.jsonl"
NOISE = ("symmetric", "aggre")
RATE = 0.15  # of the planted noise


def draw(rows: int, noise: str, seed: int) -> tuple[TrainingData, Any]:
    """`rows` images at random, standardised by themselves, and their true classes."""
    labels = pq.read_table(folder() / "cifar10" / "cifar10n.parquet")
    truth = labels["clean"].to_numpy().astype(np.int64)
    chosen = np.sort(np.random.default_rng(seed).choice(len(truth), rows, replace=False))
    values = features("cifar10", "train")[chosen].numpy()
    mean, deviation = column_scales(values)
    x, truth = torch.from_numpy((values - mean) / deviation), truth[chosen]
    if noise == "symmetric":
        return corrupted(x, truth, noise, RATE, seed, "embeddings")[:2]
    given = torch.from_numpy(labels[noise].to_numpy().astype(np.int64)[chosen])
    return TrainingData(x, torch.arange(rows), given, 10), truth


def run(rows: int, noise: str, seed: int) -> dict[str, Any]:
    """A line: average precision, F1 at scan's cut-off, and expected over true number of wrong labels."""
    data, truth = draw(rows, noise, seed)
    given = data.codes.numpy()
    wrong, case = given != truth, Case(data, "embeddings", AuditConfig(), seed, CPU)
    with training_runtime():
        crossed = cross_fitted(case, case.train("umn_plus", given))
    line: dict[str, Any] = {"rows": rows, "noise": noise, "seed": seed, "wrong": int(wrong.sum())}
    alone = score_readings(crossed.alone, given, data.inputs.kind, noise_known=False).p
    apart = score_readings(crossed.apart, given, Kind.VECTORS, noise_known=False).p
    both = believe_folds(crossed, given, data.inputs.kind).p_mislabeled
    for name, p in (("seen", alone), ("hidden", apart), ("both", both)):
        flagged = choose_cutoff("auto", p, None).flagged
        line[name] = {
            "average_precision": float(average_precision_score(wrong, p)),
            "f1": float(2 * (flagged & wrong).sum() / (flagged.sum() + wrong.sum())),
            "count_ratio": float(p.sum() / wrong.sum()),
            "ece": expected_calibration_error(p, wrong),
        }
    return line | {"threads": torch.get_num_threads(), "versions": versions()}


def read() -> list[dict[str, Any]]:
    return [json.loads(line) for line in RESULTS.read_text().splitlines()] if RESULTS.exists() else []


def table() -> str:
    found: dict[tuple[int, str], list[dict[str, Any]]] = {}
    for line in read():
        found.setdefault((line["rows"], line["noise"]), []).append(line)
    text = [
        "| labels | noise | network | AP | F1 at the cut-off | expected / true count | ECE |",
        "|---" * 7 + "|",
    ]
    for (rows, noise), lines in sorted(found.items()):
        for name in ("seen", "hidden", "both"):
            keys = ("average_precision", "f1", "count_ratio", "ece")
            shown = [summary([line[name][key] for line in lines]).text(3) for key in keys]
            text.append(f"| {rows:,} | {noise} | {name} | {' | '.join(shown)} |")
    return "\n".join(text) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=["run", "table"])
    parser.add_argument("--rows", nargs="+", type=int, default=[400, 1_200])
    parser.add_argument("--noise", nargs="+", default=list(NOISE), choices=NOISE)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    args = parser.parse_args()
    cells = [(rows, noise, seed) for seed in args.seeds for rows in args.rows for noise in args.noise]
    for cell in cells if args.action == "run" else ():
        if cell not in {(line["rows"], line["noise"], line["seed"]) for line in read()}:
            line = run(*cell)
            with RESULTS.open("a") as file:
                print(json.dumps(line), file=file)
            print(line, flush=True)
    RESULTS.with_suffix(".md").write_text(table())
    print(table())


if __name__ == "__main__":
    main()

"""What many classes cost a step, and what summing over a few of them costs the ranking.

Steps: umn_plus on 784 values, batch 256, in turns over C, each as `scan` has it. Ranking: Gaussian clusters, one a
class, 20 % of whose labels are drawn from the other classes; the sum over y exact and estimated (noiseaudit.marginal),
all else alike; average precision of p_mislabeled, in pairs by seed. "Again" is the exact sum trained from another
seed on the same data: what chance alone does.

python benchmarks/classes.py run              # writes benchmarks/results/classes.{jsonl,md}; about ten minutes
python benchmarks/classes.py table
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.metrics import average_precision_score

from noiseaudit import marginal
from noiseaudit.bench.run_group import hardware
from noiseaudit.bench.stats import paired_difference, summary
from noiseaudit.data.batches import plan_batches
from noiseaudit.data.training import TrainingData
from noiseaudit.methods import METHODS
from noiseaudit.methods.base import Method, Setup
from noiseaudit.readings import score_readings
from noiseaudit.runtime import training_runtime
from noiseaudit.train import fit
from noiseaudit.versions import versions

RESULTS = Path(__file__).parent / "results" / "classes.jsonl"
CPU = torch.device("cpu")
COUNTS, BATCH = (10, 100, 1_000, 10_000), 256
WAYS = ("exact", "estimated", "again")
MOST, OFF = 3.0, 0.005  # asked: times a step of 10 classes at 1,000, and average precision at 100
N, CLUSTERS, DIMENSIONS, RATE, SPREAD = 5_000, 100, 32, 0.2, 2.2  # SPREAD: of centres, in units of the noise


def data_of_steps(n_classes: int) -> TrainingData:
    numbers = torch.Generator().manual_seed(0)
    x = torch.randint(0, 256, (max(2_000, n_classes), 1, 28, 28), generator=numbers, dtype=torch.uint8)
    codes = torch.arange(len(x)) % n_classes
    return TrainingData(x, torch.arange(len(x)), codes, n_classes)


def time_steps(repeats: int) -> dict[str, list[float]]:
    """Milliseconds of a step by number of classes, one for each turn."""
    made: dict[int, tuple[Method, TrainingData]] = {}
    for n_classes in COUNTS:
        data = data_of_steps(n_classes)
        made[n_classes] = (method_on(data, "umn_plus", 0), data)
    found: dict[str, list[float]] = {str(n_classes): [] for n_classes in COUNTS}
    for turn in range(repeats + 1):
        for n_classes, (method, data) in made.items():
            rows = torch.randint(0, len(data.codes), (BATCH,), generator=torch.Generator().manual_seed(turn))
            started = time.process_time()
            for _ in range(3):
                method.step(data.batch(rows, CPU), 0.5)
            if turn:
                found[str(n_classes)].append((time.process_time() - started) / 3 * 1e3)
    return found


def method_on(data: TrainingData, name: str, seed: int) -> Method:
    kind = METHODS[name]
    backbone = "embeddings" if len(data.shape) == 1 else "mlp"
    return kind(Setup(data, backbone, seed, CPU), kind.settings(data.inputs))


def clusters(seed: int) -> tuple[TrainingData, np.ndarray[Any, Any]]:
    """Clusters with planted labels, and which are wrong."""
    rng = np.random.default_rng(seed)
    true = np.arange(N) % CLUSTERS
    centres = rng.normal(size=(CLUSTERS, DIMENSIONS)) * SPREAD / 2
    x = centres[true] + rng.normal(size=(N, DIMENSIONS))
    wrong = rng.random(N) < RATE
    given = np.where(wrong, (true + rng.integers(1, CLUSTERS, N)) % CLUSTERS, true)
    x = ((x - x.mean(0)) / x.std(0)).astype(np.float32)
    return TrainingData(torch.from_numpy(x), torch.arange(N), torch.from_numpy(given), CLUSTERS), wrong


def rank(name: str, seed: int, epochs: int, way: str) -> tuple[float, float]:
    """Average precision, and seconds of training."""
    data, wrong = clusters(seed)
    before = marginal.EXACT_CLASSES
    marginal.EXACT_CLASSES = before if way == "estimated" else CLUSTERS
    training_seed = seed + 1_000 if way == "again" else seed
    try:
        started = time.process_time()
        method = method_on(data, name, training_seed)
        plan = plan_batches(N, 0, BATCH, 0.25)
        fitted = fit(
            method, data, plan, epochs=epochs, seed=training_seed, device=CPU, on_epoch=lambda record: None
        )
        taken = time.process_time() - started
    finally:
        marginal.EXACT_CLASSES = before
    scored = score_readings(
        fitted.guider_mean, data.codes.numpy(), data.inputs.kind, noise_known=fitted.noise_known
    )
    return float(average_precision_score(wrong, scored.p)), taken


def run(repeats: int, seeds: int, epochs: int, names: list[str]) -> None:
    about = {"hardware": hardware(CPU), "versions": versions()}
    with RESULTS.open("a") as file:
        print(json.dumps({"what": "steps", "ms": time_steps(repeats), **about}), file=file, flush=True)
        for name in names:
            for seed in range(seeds):
                line: dict[str, Any] = {"what": "ranking", "method": name, "seed": seed, "epochs": epochs}
                for way in WAYS:
                    line[way], line[f"{way}_s"] = rank(name, seed, epochs, way)
                print(json.dumps(line | about), file=file, flush=True)
                print(line, flush=True)


def table() -> str:
    lines = [json.loads(text) for text in RESULTS.read_text().splitlines()]
    steps = [line for line in lines if line["what"] == "steps"][-1]
    first = steps["ms"][str(COUNTS[0])]
    rows = [
        f"Steps of umn_plus, 784 values, batch {BATCH}, {len(first)} turns; asked: {MOST:g} times at 1,000.",
        "", "| classes | sum over y | ms a step, median [least, most] | times that of 10 |", "|---|---|---|---|",
    ]  # fmt: skip
    for n_classes in COUNTS:
        found = steps["ms"][str(n_classes)]
        ratio = statistics.median(b / a for a, b in zip(first, found, strict=True))
        kind = "exact" if marginal.is_exact(n_classes) else f"{marginal.TOP} + {marginal.SAMPLED} classes"
        middle = f"{statistics.median(found):.1f} [{min(found):.1f}, {max(found):.1f}]"
        rows.append(f"| {n_classes:,} | {kind} | {middle} | {ratio:.2f} |")
    rows += [
        "", f"Average precision on {N:,} points of {CLUSTERS} clusters, {RATE:.0%} wrong; asked: within {OFF}.",
        "", "| method | epochs | exact | estimated | estimated - exact | again - exact | seconds, exact / estimated |",
        "|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    groups: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for line in lines:
        if line["what"] == "ranking":
            groups.setdefault((line["method"], line["epochs"]), []).append(line)
    for (name, epochs), found in groups.items():
        exact, estimated, again = ({line["seed"]: line[way] for line in found} for way in WAYS)
        gaps = [paired_difference(each, exact) for each in (estimated, again)]
        speed = statistics.median(line["exact_s"] / line["estimated_s"] for line in found)
        cells = [summary(list(each.values())).text(4) for each in (exact, estimated)]
        cells += [gap.text(4) if gap else "-" for gap in gaps]
        rows.append(f"| {name} | {epochs} | {' | '.join(cells)} | {speed:.1f} |")
    return "\n".join(rows) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=["run", "table"])
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--methods", nargs="+", default=["umn_plus", "umn"])
    parser.add_argument("--epochs", type=int, default=30)
    args = parser.parse_args()
    if args.action == "run":
        with training_runtime(threads=1):
            run(args.repeats, args.seeds, args.epochs, args.methods)
    text = table()
    RESULTS.with_suffix(".md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()

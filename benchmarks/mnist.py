"""Detection on MNIST, the first 10,000 training images as PNG files, beside cleanlab on the same encoder.

    NOISEAUDIT_DATA=... python benchmarks/mnist.py run --seeds 0 1 2 3 4      # one JSON line a cell, resumable
    python benchmarks/mnist.py table                                          # prints benchmarks/results/mnist.md

Cells: 30 % symmetric and 30 % asymmetric noise, every label given; the same with 90 % of the labels blanked, with the
unlabelled images used and ignored. `noiseaudit scan` runs as a user runs it: in a process of its own, with no option
but --images, --out and --seed. The peer is cleanlab's `find_label_issues` and label quality on 5-fold out-of-sample
probabilities of the same encoder and classifier, trained by cross-entropy, with and without the same jitter; of that
grid of settings the one with the best average precision, judged on the truth, is shown.
"""

from __future__ import annotations

import argparse
import csv
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
from mnist_table import CELLS, RESULTS, read_results, table
from sklearn.metrics import average_precision_score, f1_score, precision_recall_curve

N = 10_000
RATE = 0.3
PEER_EPOCHS = (5, 10, 20, 40, 60)


def write_images(folder: Path) -> np.ndarray[Any, Any]:
    """The images as PNG files; returns the labels (N,)."""
    from PIL import Image
    from torchvision.datasets import MNIST

    mnist = MNIST(os.environ["NOISEAUDIT_DATA"], train=True, download=False)
    folder.mkdir()
    for i, image in enumerate(mnist.data[:N].numpy()):
        Image.fromarray(image).save(folder / f"{i:05d}.png")
    with (folder.parent / "clean.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "label"])
        writer.writerows((f"{i:05d}.png", int(label)) for i, label in enumerate(mnist.targets[:N]))
    return np.asarray(mnist.targets[:N].numpy())


def noiseaudit(*args: str) -> None:
    """Run the command line, as a user would."""
    subprocess.run(
        [sys.executable, "-m", "noiseaudit_cli.main", *args], check=True, stdout=subprocess.DEVNULL
    )


def corrupt(work: Path, noise: str, seed: int) -> tuple[Path, list[str]]:
    """The noisy label file, and its labels."""
    out = work / f"{noise}-{seed}.csv"
    if not out.exists():
        noiseaudit("corrupt", str(work / "clean.csv"), "--kind", noise, "--rate", str(RATE), "--seed", str(seed),
                   "--out", str(out))  # fmt: skip
    with out.open(newline="") as file:
        return out, [row["label"] for row in csv.DictReader(file)]


def keep_some(source: Path, share: float, seed: int, *, drop_rows: bool) -> Path:
    """The label file with all but a share of its labels blanked, or with those rows left out."""
    with source.open(newline="") as file:
        rows = list(csv.DictReader(file))
    keep = set(np.random.default_rng(seed).permutation(len(rows))[: round(share * len(rows))].tolist())
    out = source.with_name(f"{source.stem}-{share}-{'only' if drop_rows else 'blanked'}.csv")
    with out.open("w", newline="") as file:
        writer = csv.DictWriter(file, ["image", "label"])
        writer.writeheader()
        for i, row in enumerate(rows):
            if i in keep or not drop_rows:
                writer.writerow(row if i in keep else row | {"label": ""})
    return out


def run_scan(work: Path, labels: Path, seed: int, truth: np.ndarray[Any, Any]) -> dict[str, Any]:
    """Metrics of one whole `noiseaudit scan`."""
    from noiseaudit import read_audit

    out = work / "run"
    started = time.perf_counter()
    noiseaudit(
        "scan",
        str(labels),
        "--images",
        str(work / "images"),
        "--out",
        str(out),
        "--seed",
        str(seed),
        "--force",
    )
    seconds = time.perf_counter() - started
    audit = read_audit(out)
    rows = np.array([int(name[:5]) for name in audit.column("image")])
    scored = audit.column("rank") > 0
    corrupted = audit.column("given_label")[scored] != truth[rows][scored].astype(str)
    unlabelled = ~audit.column("is_labelled")
    suggestions = audit.column("suggested_label") == truth[rows].astype(str)
    return metrics(
        corrupted, audit.column("p_mislabeled")[scored], audit.column("is_label_issue")[scored]
    ) | {
        "suggestions_correct": float(suggestions[unlabelled].mean()) if unlabelled.any() else None,
        "seconds": round(seconds, 1),
    }


def metrics(corrupted: Any, score: Any, flagged: Any) -> dict[str, Any]:
    """AP, F1 at the tool's own cut-off, and F1 at the best possible cut-off of the same ranking."""
    precision, recall, _ = precision_recall_curve(corrupted, score)
    oracle = np.max(2 * precision * recall / np.maximum(precision + recall, 1e-12))
    return {
        "ap": float(average_precision_score(corrupted, score)),
        "f1": float(f1_score(corrupted, flagged.astype(bool))),
        "oracle_f1": float(oracle),
    }


def run_peer(images: Path, given: list[str], truth: np.ndarray[Any, Any], seed: int) -> dict[str, Any]:
    """cleanlab on 5-fold probabilities: its best setting of the grid by AP, and all of them beside it."""
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores
    from peer import cross_validated_probabilities, load

    labels = np.array([int(label) for label in given])
    corrupted = labels != truth
    tried: list[dict[str, Any]] = []
    started = time.perf_counter()
    x = load(images)
    loading = time.perf_counter() - started
    for jitter in (0.0, 1.0):
        for epochs, probs, training in cross_validated_probabilities(x, labels, PEER_EPOCHS, jitter, seed):
            started = time.perf_counter()
            flagged = find_label_issues(labels, probs, n_jobs=1)
            quality = get_label_quality_scores(labels, probs)
            seconds = loading + training + time.perf_counter() - started
            tried.append({"epochs": epochs, "jitter": jitter} | metrics(corrupted, -quality, flagged)
                         | {"seconds": round(seconds, 1)})  # fmt: skip
    best = max(tried, key=lambda cell: cell["ap"])
    return best | {"tried": tried}


def run_cell(work: Path, cell: dict[str, Any], seed: int, truth: np.ndarray[Any, Any]) -> dict[str, Any]:
    noisy, given = corrupt(work, cell["noise"], seed)
    if cell["system"] == "cleanlab":
        return run_peer(work / "images", given, truth, seed)
    if cell["labels"] < 1:
        noisy = keep_some(noisy, cell["labels"], seed, drop_rows=cell["system"].endswith("only"))
    return run_scan(work, noisy, seed, truth)


def run(seeds: list[int]) -> None:
    """Run every cell that has no line yet."""
    from noiseaudit.versions import versions

    RESULTS.parent.mkdir(exist_ok=True)
    done = {json.dumps([r["noise"], r["labels"], r["system"], r["seed"]]) for r in read_results()}
    hardware = {"cores": os.cpu_count(), "threads": torch.get_num_threads(), "device": "cpu"}
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        truth = write_images(work / "images")
        for seed in seeds:
            for cell in CELLS:
                if json.dumps([cell["noise"], cell["labels"], cell["system"], seed]) in done:
                    continue
                line = cell | {"seed": seed} | run_cell(work, cell, seed, truth)
                line |= {"hardware": hardware, "versions": versions()}
                with RESULTS.open("a") as file:
                    file.write(json.dumps(line) + "\n")
                print(
                    json.dumps({k: v for k, v in line.items() if k not in ("tried", "versions")}), flush=True
                )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=["run", "table"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    args = parser.parse_args()
    if args.action == "run":
        run(args.seeds)
    text = table()
    RESULTS.with_suffix(".md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()

"""Time to equal average precision: `noiseaudit scan` beside cross-validation and cleanlab, MNIST's 60,000 images.

30 % symmetric noise, PNG files, one thread each, in turns on one machine. Ours is the whole command: start-up, images,
training, scores, evidence, audit, cleaned file and report, at each of EPOCHS. The peer is 5-fold cross-validation of
the same encoder and classifier (benchmarks/peer.py) and cleanlab's find_label_issues and label quality, at each of
PEER_EPOCHS, with and without our image jitter; its images are decoded by our loader. Its seconds are those of each
setting alone, without its start-up. "Best" is the setting of the highest mean AP, chosen on the truth, for each side;
"equal" is ours with the least seconds whose mean AP is no lower than the peer's best.

NOISEAUDIT_DATA=... python benchmarks/equal_ap.py run --seeds 0 1 2 3 4    # resumable; half an hour a seed
python benchmarks/equal_ap.py table                                      # benchmarks/results/equal_ap.md
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
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from equal_ap_table import OURS, PEER, RESULTS, Line, lines, table
from mnist import metrics
from peer import cross_validated_probabilities

from noiseaudit import read_audit
from noiseaudit.labels.read import read_labels
from noiseaudit.load_samples import SampleOptions, load_samples
from noiseaudit.versions import versions

EPOCHS = (3, 6, 12, 18, 30)
PEER_EPOCHS = {0.0: (2, 5, 10), 1.0: (5, 10, 20, 40)}  # by strength of the jitter; without, AP falls after 5
RATE, CLASSES = 0.3, 10
Truth = np.ndarray[Any, Any]


def write_images(folder: Path) -> Truth:
    """MNIST's training images as PNG files; returns their labels (n,)."""
    from PIL import Image
    from torchvision.datasets import MNIST

    mnist = MNIST(os.environ["NOISEAUDIT_DATA"], train=True, download=False)
    folder.mkdir()
    for i, image in enumerate(mnist.data.numpy()):
        Image.fromarray(image).save(folder / f"{i:05d}.png")
    return np.asarray(mnist.targets.numpy())


def corrupt(truth: Truth, seed: int) -> Truth:
    """Labels (n,), a share RATE of which is one of the other classes."""
    rng = np.random.default_rng(seed)
    wrong = rng.permutation(len(truth))[: round(RATE * len(truth))]
    given = truth.copy()
    given[wrong] = (truth[wrong] + rng.integers(1, CLASSES, len(wrong))) % CLASSES
    return given


def write_labels(path: Path, given: Truth) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "label"])
        writer.writerows((f"{i:05d}.png", int(label)) for i, label in enumerate(given))


def ours(work: Path, labels: Path, truth: Truth, given: Truth, epochs: int, seed: int) -> Line:
    """One whole command."""
    command = [sys.executable, "-m", "noiseaudit_cli.main", "scan", labels, "--images", work / "images"]
    command += ["--out", work / "run", "--seed", seed, "--epochs", epochs, "--device", "cpu", "--force"]
    started = time.perf_counter()
    subprocess.run([*map(str, command)], check=True, capture_output=True)
    seconds = time.perf_counter() - started
    audit = read_audit(work / "run")
    found = metrics(given != truth, audit.column("p_mislabeled"), audit.column("is_label_issue"))
    return {"system": OURS, "epochs": epochs, "jitter": 1.0, **found, "seconds": round(seconds, 1)}


def peers(work: Path, labels: Path, truth: Truth, given: Truth, seed: int) -> Iterator[Line]:
    """A line of each setting."""
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    started = time.perf_counter()
    options = SampleOptions(images=work / "images", workers=1)
    x = load_samples(read_labels(labels), options, image_size=None, cache_dir=work).x.float() / 255
    loading = time.perf_counter() - started
    for jitter, counts in PEER_EPOCHS.items():
        for epochs, probs, training in cross_validated_probabilities(x, given, counts, jitter, seed):
            started = time.perf_counter()
            flagged = find_label_issues(given, probs, n_jobs=1)
            quality = get_label_quality_scores(given, probs)
            seconds = loading + training + time.perf_counter() - started
            found = metrics(given != truth, -quality, flagged)
            yield {"system": PEER, "epochs": epochs, "jitter": jitter, **found, "seconds": round(seconds, 1)}


def run(seeds: list[int], epochs: list[int]) -> None:
    torch.set_num_threads(1)
    os.environ["OMP_NUM_THREADS"] = "1"
    done = {(line["seed"], line["system"], line["epochs"]) for line in lines()}
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        truth = write_images(work / "images")
        for seed in seeds:
            given, labels = corrupt(truth, seed), work / "labels.csv"
            write_labels(labels, given)
            for count in epochs:
                if (seed, OURS, count) not in done:
                    keep(seed, ours(work, labels, truth, given, count, seed))
            if (seed, PEER, 40) not in done:
                for line in [*peers(work, labels, truth, given, seed)]:
                    keep(seed, line)


def keep(seed: int, line: Line) -> None:
    line = {"seed": seed, **line, "cores": os.cpu_count(), "versions": versions()}
    with RESULTS.open("a") as file:
        print(json.dumps(line), file=file)
    print(
        seed,
        line["system"],
        line["epochs"],
        line["jitter"],
        round(line["ap"], 4),
        line["seconds"],
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=["run", "table"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--epochs", type=int, nargs="+", default=list(EPOCHS), help="of ours")
    args = parser.parse_args()
    if args.action == "run":
        run(args.seeds, args.epochs)
    text = table()
    RESULTS.with_suffix(".md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()

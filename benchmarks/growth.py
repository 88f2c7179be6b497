"""How a scan's time and memory grow with the number of images: MNIST's first 5,000, 15,000 and 60,000, one thread.

Each scan is `run_audit` in a process of its own, on PNG files with 30 % planted labels. "fixed" is a given number of
epochs of batches of 256, so that steps grow with rows; "default" the schedule that a user gets. The exponent is the
slope of log seconds over log images, by least squares, with Student's interval. Memory is the process's peak, beside

    what the process takes before it reads anything  +  n (d + 16 C + 8 Za + ROW_BYTES)

of n images of d bytes, C classes (four floats each: noiseaudit.plan) and Za dimensions of latent space (two floats).

NOISEAUDIT_DATA=... python benchmarks/growth.py run     # writes benchmarks/results/growth.{jsonl,md}; about ten minutes
python benchmarks/growth.py table
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import t

RESULTS = Path(__file__).parent / "results" / "growth.jsonl"
COUNTS, RATE = (5_000, 15_000, 60_000), 0.3
IMAGE_BYTES, CLASSES, LATENT = 784, 10, 32
ROW_BYTES = (
    3_000  # of a row: paths, ids, the batches' order, what scores and evidence are made of, its audit row
)
MOST, OFF = 1.05, 0.15  # asked of the exponent, and of the formula


def write_images(folder: Path) -> None:
    """All images as PNG files, and a label file of each size."""
    from PIL import Image
    from torchvision.datasets import MNIST

    mnist = MNIST(os.environ["NOISEAUDIT_DATA"], train=True, download=False)
    rng = np.random.default_rng(0)
    wrong = rng.random(len(mnist.targets)) < RATE
    given = np.where(
        wrong, (mnist.targets.numpy() + rng.integers(1, CLASSES, len(wrong))) % CLASSES, mnist.targets
    )
    for i, image in enumerate(mnist.data.numpy()):
        Image.fromarray(image).save(folder / f"{i:05d}.png")
    for n in COUNTS:
        with (folder / f"{n}.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["image", "label"])
            writer.writerows((f"{i:05d}.png", int(label)) for i, label in enumerate(given[:n]))


def one(labels: Path, epochs: int | None) -> dict[str, float]:
    """One scan in this process: seconds, bytes at the peak and before."""
    from noiseaudit import run_audit
    from noiseaudit.config import AuditConfig

    batch = None if epochs is None else 256
    before = peak_bytes()
    started = time.perf_counter(), time.process_time()
    run_audit(labels, labels.parent, config=AuditConfig(device="cpu", epochs=epochs, batch_size=batch))
    return {"seconds": time.perf_counter() - started[0], "cpu_seconds": time.process_time() - started[1],
            "peak": peak_bytes(), "before": before}  # fmt: skip


def peak_bytes() -> int:
    """Of this process; Linux counts in KiB, macOS in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def run(repeats: int, schedules: list[str], epochs: int) -> None:
    from noiseaudit.versions import versions

    with tempfile.TemporaryDirectory() as name:
        write_images(Path(name))
        for repeat in range(repeats):
            for schedule in schedules:
                for n in COUNTS:
                    command = [sys.executable, __file__, "one", "--labels", str(Path(name) / f"{n}.csv")]
                    command += ["--epochs", str(epochs)] if schedule == "fixed" else []
                    done = subprocess.run(
                        command,
                        check=True,
                        capture_output=True,
                        text=True,
                        env={**os.environ, "OMP_NUM_THREADS": "1"},
                    )
                    line: dict[str, Any] = {"schedule": schedule, "n": n, "repeat": repeat}
                    line |= {"epochs": epochs if schedule == "fixed" else None} | json.loads(done.stdout)
                    line |= {"cores": os.cpu_count(), "versions": versions()}
                    with RESULTS.open("a") as file:
                        print(json.dumps(line), file=file)
                    print(schedule, n, round(line["seconds"], 1), line["peak"] >> 20, "MiB", flush=True)


def exponent(counts: list[int], seconds: list[float]) -> tuple[float, float]:
    """The slope in logs, and half of its 95 % interval; infinite for two points."""
    x, y = np.log(counts), np.log(seconds)
    slope, level = np.polyfit(x, y, 1)
    free = len(x) - 2
    if free < 1:
        return float(slope), math.inf
    error = math.sqrt(float(((y - slope * x - level) ** 2).sum()) / free / float(((x - x.mean()) ** 2).sum()))
    return float(slope), float(t.ppf(0.975, free)) * error


def formula(n: int, before: float) -> float:
    return before + n * (IMAGE_BYTES + 16 * CLASSES + 8 * LATENT + ROW_BYTES)


def table() -> str:
    lines = [json.loads(text) for text in RESULTS.read_text().splitlines()]
    rows = [
        f"Asked: an exponent of at most {MOST}, memory within {OFF:.0%} of the formula. Processor seconds leave out "
        "waiting for other programs.", "",
        "| schedule | images | runs | seconds, median | processor seconds, median | peak, MiB | formula, MiB | ratio |",
        "|---" * 8 + "|",
    ]  # fmt: skip
    slopes = []
    for schedule in dict.fromkeys(line["schedule"] for line in lines):
        of_schedule = [line for line in lines if line["schedule"] == schedule]
        for n in COUNTS:
            found = [line for line in of_schedule if line["n"] == n]
            if not found:
                continue
            peak, expected = max(line["peak"] for line in found), formula(n, found[0]["before"])
            middle = [statistics.median(line[key] for line in found) for key in ("seconds", "cpu_seconds")]
            rows.append(
                f"| {schedule} | {n:,} | {len(found)} | {middle[0]:.1f} | {middle[1]:.1f} | {peak / 2**20:.0f} "
                f"| {expected / 2**20:.0f} | {peak / expected:.2f} |"
            )
        for key in ("seconds", "cpu_seconds"):
            slope, half = exponent([line["n"] for line in of_schedule], [line[key] for line in of_schedule])
            slopes.append(f"- {schedule}, {key.replace('_', ' ')}: exponent {slope:.2f} ± {half:.2f}")
    return "\n".join([*rows, "", *slopes]) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=["run", "one", "table"])
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--schedules", nargs="+", choices=["fixed", "default"], default=["fixed", "default"])
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--labels", type=Path)
    args = parser.parse_args()
    if args.action == "one":
        print(json.dumps(one(args.labels, args.epochs)))
        return
    if args.action == "run":
        run(args.repeats, args.schedules, args.epochs or 6)
    text = table()
    RESULTS.with_suffix(".md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()

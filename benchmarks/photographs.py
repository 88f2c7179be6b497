"""Seconds of `noiseaudit scan` on 5,000 photographs of 200-500 px, features made anew and then from the cache.

The photographs are CIFAR-10's first training images, enlarged; the labels are people's (CIFAR-10N, random1).

NOISEAUDIT_DATA=... python benchmarks/photographs.py run --repeats 3     # writes benchmarks/results/photographs.md
python benchmarks/photographs.py table
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from PIL import Image

from noiseaudit.bench.stats import summary
from noiseaudit.versions import versions

RESULTS = Path(__file__).parent / "results" / "photographs.jsonl"
N, SIDES = 5_000, (200, 501)
CLASSES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


def write_photographs(folder: Path) -> Path:
    """N JPEG files of random sizes, and their label file."""
    data = Path(os.environ["NOISEAUDIT_DATA"]) / "cifar10"
    cells = pq.read_table(data / "train.parquet", columns=["image"])["image"].slice(0, N).to_pylist()
    codes = pq.read_table(data / "cifar10n.parquet", columns=["random1"])["random1"].to_pylist()
    sides = np.random.default_rng(0).integers(*SIDES, size=(N, 2)).tolist()
    file = folder / "labels.csv"
    with file.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["image", "label"])
        for i, (cell, (width, height)) in enumerate(zip(cells, sides, strict=True)):
            image = Image.open(io.BytesIO(cell)).convert("RGB")
            image.resize((width, height), Image.Resampling.BICUBIC).save(folder / f"{i:04d}.jpg", quality=90)
            writer.writerow([f"{i:04d}.jpg", CLASSES[codes[i]]])
    return file


def scan(labels: Path, cache: Path) -> float:
    """Seconds of a whole scan, as a user runs it."""
    command = [sys.executable, "-m", "noiseaudit_cli.main", "scan", labels, "--images", labels.parent]
    command += [
        "--out",
        labels.parent / "run",
        "--feature-cache",
        cache,
        "--device",
        "cpu",
        "--force",
        "--quiet",
    ]
    started = time.perf_counter()
    subprocess.run([str(word) for word in command], check=True)
    return time.perf_counter() - started


def run(repeats: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        labels = write_photographs(Path(name))
        for repeat in range(repeats):
            cache = Path(name) / f"cache-{repeat}"
            line: dict[str, Any] = {"repeat": repeat, "images": N}
            line |= {when: round(scan(labels, cache), 1) for when in ("new", "cached")}
            line |= {"cores": os.cpu_count(), "versions": versions()}
            with RESULTS.open("a") as file:
                print(json.dumps(line), file=file)
            print(line, flush=True)


def table() -> str:
    lines = [json.loads(line) for line in RESULTS.read_text().splitlines()]
    cells = [summary([line[when] for line in lines]).text(0) for when in ("new", "cached")]
    return (
        "| images | cores | features made, s | features cached, s |\n|---|---|---|---|\n"
        f"| {N:,} of {SIDES[0]}-{SIDES[1] - 1} px | {lines[0]['cores']} | {' | '.join(cells)} |\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=["run", "table"])
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    if args.action == "run":
        run(args.repeats)
    text = table()
    RESULTS.with_suffix(".md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()

"""What overlapping could win: seconds of a scan before its first step, beside all of it, and how long a network waits.

NOISEAUDIT_DATA=... python benchmarks/overlap.py --images 5000      # writes benchmarks/results/overlap.md
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import decode
import torch

from noiseaudit import pretrained
from noiseaudit.config import AuditConfig
from noiseaudit.load_samples import SampleOptions
from noiseaudit.scan import scan
from noiseaudit.scan_options import ScanOptions

RESULTS = Path(__file__).parent / "results" / "overlap.md"


class Clock:
    """A watcher that notes when it was called."""

    def __init__(self) -> None:
        self.at: dict[str, float] = {}

    def __getattr__(self, name: str) -> Any:
        return lambda *_: self.at.setdefault(name, time.perf_counter())


def timed(labels: Path, out: Path, config: AuditConfig) -> dict[str, float]:
    clock, busy, started = Clock(), [0.0], time.perf_counter()
    load = pretrained.load_extractor

    def watched(*arguments: Any) -> Any:
        extractor = load(*arguments)

        def extract(pixels: Any) -> Any:
            begun = time.perf_counter()
            found = extractor.extract(pixels)
            busy[0] += time.perf_counter() - begun
            return found

        return type(extractor)(extract, extractor.width, extractor.side, extractor.version)

    pretrained.load_extractor = watched
    try:
        scan(ScanOptions(labels, out, SampleOptions(images=labels.parent), config), clock, lambda *_: None)
    finally:
        pretrained.load_extractor = load
    whole = time.perf_counter() - started
    return {"reading": clock.at["on_plan"] - clock.at["on_table"], "network": busy[0], "whole": whole}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=5_000)
    n = parser.parse_args().images
    rows = [
        "| backbone | images | cores | reading, s | of it the network, s | whole scan, s | reading / whole |"
    ]
    rows.append("|" + "---|" * 7)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        names = decode.write_images(folder, n)
        lines = [f"{each},{i % 10}" for i, each in enumerate(names)]  # labels do not change the time
        (folder / "labels.csv").write_text("\n".join(["image,label", *lines]) + "\n")
        for backbone in ("pretrained", "mlp"):
            with tempfile.TemporaryDirectory() as out:
                found = timed(
                    folder / "labels.csv", Path(out) / "run", AuditConfig(backbone=backbone, device="cpu")
                )
            share = found["reading"] / found["whole"]
            cells = (backbone, n, os.cpu_count(), *(f"{found[key]:.1f}" for key in found), f"{share:.2f}")
            rows.append(f"| {' | '.join(map(str, cells))} |")
            print(rows[-1], flush=True)
            RESULTS.write_text("\n".join([*rows, "", f"torch {torch.__version__}"]) + "\n")


if __name__ == "__main__":
    main()

"""noiseaudit's average precision minus each peer's on resampled rows: a paired bootstrap beside that over seeds.

It works on the scores that benchmarks/detection.py keeps of its runs.

python benchmarks/detection_resamples.py --sets cifar10n_aggre cifar10n_random1
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

import numpy as np
from detection import RESULTS, SCORES
from sklearn.metrics import average_precision_score

OURS = "noiseaudit"
Values = np.ndarray[Any, Any]
Gap = tuple[float, float, float]  # on the rows as they are; 2.5 and 97.5 % of the resamples


def gap(wrong: Values, ours: Values, theirs: Values, resamples: int) -> Gap:
    """Of n rows, (n,) each, drawn n times with replacement: both tools are measured on the same draw."""
    rng = np.random.default_rng(0)
    weights = [np.ones(len(wrong))] + [
        np.bincount(rng.integers(len(wrong), size=len(wrong)), minlength=len(wrong)) for _ in range(resamples)
    ]
    gaps = [
        average_precision_score(wrong, ours, sample_weight=weight)
        - average_precision_score(wrong, theirs, sample_weight=weight)
        for weight in weights
    ]
    low, high = np.quantile(gaps[1:], (0.025, 0.975))
    return float(gaps[0]), float(low), float(high)


def gaps(name: str, resamples: int) -> Iterator[tuple[str, str, Gap]]:
    """Seed, peer and gap of every run of the set whose scores are there."""
    for ours in sorted(SCORES.glob(f"{name}-*-{OURS}.npz")):
        seed = ours.stem.split("-")[1]
        kept = np.load(ours)
        for theirs in sorted(SCORES.glob(f"{name}-{seed}-*.npz")):
            tool = theirs.stem.rsplit("-", 1)[1]
            if tool != OURS:
                other = np.load(theirs)
                if not np.array_equal(kept["wrong"], other["wrong"]):
                    raise SystemExit(
                        f"{theirs} is of other rows than {ours}: run benchmarks/detection.py again"
                    )
                yield seed, tool, gap(kept["wrong"], kept["scores"], other["scores"], resamples)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sets", nargs="+", required=True)
    parser.add_argument("--resamples", type=int, default=500)
    args = parser.parse_args()
    text = [
        f"Paired bootstrap over rows, {args.resamples} resamples, 95 % intervals.",
        "",
        "| set | seed | peer | noiseaudit's AP minus it |",
        "|---" * 4 + "|",
    ]
    for name in args.sets:
        for seed, tool, (mean, low, high) in gaps(name, args.resamples):
            text.append(f"| {name} | {seed} | {tool} | {mean:+.4f} [{low:.4f}, {high:.4f}] |")
            print(text[-1], flush=True)
    (RESULTS.parent / "detection_resamples.md").write_text("\n".join(text) + "\n")


if __name__ == "__main__":
    main()

"""Simulated audits by hand: how often the intervals of `sample` and `estimate` hold the truth, and how wide they are
beside those of as many rows that are drawn simply at random (Wilson's intervals).

It works on the p_mislabeled that benchmarks/detection.py keeps of its runs.

python benchmarks/verified.py run --audits 200 --answers 200      # writes benchmarks/results/verified.md
python benchmarks/verified.py table
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from detection import SCORES
from scipy.stats import binomtest

from noiseaudit.audit_meta import AuditMeta
from noiseaudit.estimate import estimate
from noiseaudit.result import AuditResult
from noiseaudit.sample import draw_sample
from noiseaudit.threshold import choose_cutoff
from noiseaudit.versions import versions

RESULTS = Path(__file__).parent / "results" / "verified.jsonl"
MEASURES = ("noise_rate", "precision", "recall")
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


def audit_of(scores: Floats) -> AuditResult:
    """What `sample` and `estimate` read of an audit, with the default cut-off."""
    flagged, cutoff = choose_cutoff("auto", scores, None)
    ids = [str(row) for row in range(len(scores))]
    table = pa.table(
        {
            "sample_id": ids,
            "given_label": ["a"] * len(ids),
            "p_mislabeled": scores,
            "is_label_issue": flagged,
        }
    )
    return AuditResult(table, AuditMeta(("a", "b"), "string", {}, {}, 0, "cpu", 1, cutoff, "sha256:0"))


def simulate(scores: Floats, wrong: Flags, audits: int, answers: int) -> dict[str, Any]:
    """Of each measure: the share of intervals that hold the truth, their mean width, and a simple sample's."""
    audit = audit_of(scores)
    flagged = audit.suspects()
    truth = {
        "noise_rate": wrong.mean(),
        "precision": wrong[flagged].mean(),
        "recall": flagged[wrong].mean(),
    }
    held, width, simple = (dict.fromkeys(MEASURES, 0.0) for _ in range(3))
    for seed in range(audits):
        drawn = draw_sample(audit, answers, seed)
        told = [
            dataclasses.replace(
                each, decision="relabel", new_label="b" if wrong[int(each.sample_id)] else "a"
            )
            for each in drawn
        ]
        found = estimate(audit, told)
        rows = np.random.default_rng((seed, 1)).choice(len(wrong), answers, replace=False)
        apart = simple_widths(wrong[rows], flagged[rows])
        for name in MEASURES:
            each = getattr(found, name)
            held[name] += each.low <= truth[name] <= each.high
            width[name] += each.width
            simple[name] += apart[name]
    return {
        name: {"held": held[name] / audits, "width": width[name] / audits, "simple": simple[name] / audits}
        for name in MEASURES
    }


def simple_widths(wrong: Flags, flagged: Flags) -> dict[str, float]:
    both = int((wrong & flagged).sum())
    counts = {
        "noise_rate": (int(wrong.sum()), len(wrong)),
        "precision": (both, int(flagged.sum())),
        "recall": (both, int(wrong.sum())),
    }
    return {name: wilson_width(*pair) for name, pair in counts.items()}


def wilson_width(hits: int, n: int) -> float:
    if not n:
        return 1.0
    found = binomtest(hits, n).proportion_ci(method="wilson")
    return float(found.high - found.low)


def read() -> list[dict[str, Any]]:
    return [json.loads(line) for line in RESULTS.read_text().splitlines()] if RESULTS.exists() else []


def table() -> str:
    """Markdown: per run and measure, coverage and widths."""
    text = [
        "| set | seed | answers | audits | measure | hold the truth | width | a simple sample's width |",
        "|---" * 8 + "|",
    ]
    for line in sorted(read(), key=lambda line: (line["set"], line["seed"], line["answers"])):
        for name in MEASURES:
            of, run = line[name], " | ".join(str(line[key]) for key in ("set", "seed", "answers", "audits"))
            shown = f"{of['held']:.1%} | {of['width']:.3f} | {of['simple']:.3f}"
            text.append(f"| {run} | {name.replace('_', ' ')} | {shown} |")
    return "\n".join(text) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=["run", "table"])
    parser.add_argument("--audits", type=int, default=200)
    parser.add_argument("--answers", type=int, default=200)
    args = parser.parse_args()
    if args.action == "run" and not any(SCORES.glob("*-noiseaudit.npz")):
        parser.error(f"{SCORES} holds no scores: benchmarks/detection.py run keeps those of its runs there")
    for file in sorted(SCORES.glob("*-noiseaudit.npz")) if args.action == "run" else ():
        name, seed, _ = file.stem.rsplit("-", 2)
        kept = np.load(file)
        if (
            not choose_cutoff("auto", kept["scores"], None).flagged.any()
            or len(kept["wrong"]) <= args.answers
        ):
            print(f"{file.stem}: nothing is flagged, or all of it would be checked: left out", flush=True)
            continue
        line = {"set": name, "seed": int(seed), "answers": args.answers, "audits": args.audits}
        if line in [{key: old[key] for key in line} for old in read()]:
            continue
        found = simulate(kept["scores"], kept["wrong"], args.audits, args.answers)
        with RESULTS.open("a") as out:
            print(json.dumps(line | found | {"versions": versions()}), file=out)
        print(name, seed, found, flush=True)
    text = table()
    RESULTS.with_suffix(".md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()

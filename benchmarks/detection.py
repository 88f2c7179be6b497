"""Detection on all sets at hand: noiseaudit and its peers on the same x, encoder and folds; calibration and cut-offs.

CIFAR-10N informed the design (docs/method.md), so its figures are of a development set.

NOISEAUDIT_DATA=... python benchmarks/detection.py run --sets mnist_symmetric_0.3 chars_asymmetric --seeds 0 1 2 3 4
NOISEAUDIT_DATA=... python benchmarks/detection.py run --sets mnist_test --folds 0 --tools noiseaudit
python benchmarks/detection.py measure   # what follows from the scores that were kept, again, without training
python benchmarks/detection.py table     # writes benchmarks/results/detection.md
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from detection_measures import Values, at_target, by_class, within
from detection_sets import SETS
from detection_table import table
from sklearn.metrics import average_precision_score

from noiseaudit.bench.run_group import hardware
from noiseaudit.calibration import calibration
from noiseaudit.compare.case import Case
from noiseaudit.compare.run import judged, measured
from noiseaudit.compare.tools import TOOLS, usable
from noiseaudit.config import AuditConfig
from noiseaudit.versions import versions

RESULTS = Path(__file__).parent / "results" / "detection.jsonl"
SCORES = RESULTS.parent / "scores"  # every tool's scores and the truth of each run, not committed
CPU = torch.device("cpu")


def run(name: str, seed: int, tools: list[str], folds: int | None) -> Iterator[dict[str, Any]]:
    """A line for each tool that can run; `folds` as `scan --folds` has it."""
    data, truth, backbone = SETS[name](seed)
    case = Case(data, backbone, AuditConfig(folds=folds), seed, CPU)
    wrong = case.given != truth[case.labelled]
    for tool in tools:
        if not usable(TOOLS[tool], len(data.shape) == 1):
            continue
        verdict, _ = judged(case, tool)
        line = {"set": named(name, folds), "seed": seed, "tool": tool}
        line |= {"n": len(wrong), "wrong": int(wrong.sum())}
        line |= measured(verdict, wrong, np.ones(len(wrong), np.bool_))
        line["top_100"] = int(wrong[np.argsort(-verdict.scores, kind="stable")[:100]].sum())
        SCORES.mkdir(exist_ok=True)
        kept = SCORES / f"{line['set']}-{seed}-{tool}.npz"
        np.savez_compressed(kept, scores=verdict.scores, wrong=wrong, given=case.given)
        if tool == "noiseaudit":
            line |= of_scores(verdict.scores, wrong, case.given)
        yield line | {"threads": case.threads, "hardware": hardware(CPU), "versions": versions()}


def of_scores(scores: Values, wrong: Values, given: Values) -> dict[str, Any]:
    """What noiseaudit's lines have beside those of the other tools; all are (n,)."""
    found = dataclasses.asdict(calibration(scores, wrong)) | at_target(scores, wrong)
    return found | by_class(scores, wrong, given) | within(scores, wrong, given)


def measured_again(line: dict[str, Any]) -> dict[str, Any]:
    """A line with what follows from its scores, if they were kept and are of this very run."""
    kept = SCORES / f"{line['set']}-{line['seed']}-noiseaudit.npz"
    if line["tool"] != "noiseaudit" or not kept.exists():
        return line
    scores, wrong, given = (np.load(kept)[name] for name in ("scores", "wrong", "given"))
    if not np.isclose(average_precision_score(wrong, scores), line["average_precision"], rtol=1e-12):
        raise SystemExit(f"{kept} is not of the run in {RESULTS}")
    return line | of_scores(scores, wrong, given)


def named(name: str, folds: int | None) -> str:
    return name if folds is None else f"{name}_folds_{folds}"


def read() -> list[dict[str, Any]]:
    return [json.loads(line) for line in RESULTS.read_text().splitlines()] if RESULTS.exists() else []


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=["run", "measure", "table"])
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=list(SETS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2, 3, 4])
    parser.add_argument("--tools", nargs="+", default=list(TOOLS), choices=list(TOOLS))
    parser.add_argument("--folds", type=int, help="of scan; its own choice where this is left out")
    args = parser.parse_args()
    for seed in args.seeds if args.action == "run" else ():
        for name in args.sets:
            kept = (named(name, args.folds), seed)
            done = {line["tool"] for line in read() if (line["set"], line["seed"]) == kept}
            if left := [tool for tool in args.tools if tool not in done]:
                for line in run(name, seed, left, args.folds):
                    with RESULTS.open("a") as file:
                        print(json.dumps(line), file=file)
                    print(
                        *kept,
                        line["tool"],
                        line["average_precision"],
                        line["f1"],
                        line["oracle_f1"],
                        flush=True,
                    )
    if args.action == "measure":
        RESULTS.write_text("".join(json.dumps(measured_again(line)) + "\n" for line in read()))
    text = table(read())
    RESULTS.with_suffix(".md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()

"""Detection on all sets at hand: noiseaudit and its peers on the same x, encoder and folds; calibration and cut-offs.

CIFAR-10N informed the design (docs/method.md), so its figures are of a development set.

NOISEAUDIT_DATA=... python benchmarks/detection.py run --sets mnist_symmetric_0.3 chars_asymmetric --seeds 0 1 2 3 4
python benchmarks/detection.py table                       # writes benchmarks/results/detection.md
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
from detection_sets import SETS

from noiseaudit.bench.stats import paired_difference, summary
from noiseaudit.calibration import calibration
from noiseaudit.compare.case import Case
from noiseaudit.compare.run import judged, measured
from noiseaudit.compare.tools import TOOLS, usable
from noiseaudit.config import AuditConfig
from noiseaudit.plan import versions
from noiseaudit.threshold import choose_cutoff

RESULTS = Path(__file__).parent / "results" / "detection.jsonl"
SCORES = RESULTS.parent / "scores"  # p_mislabeled and the truth of each run, not committed
CPU = torch.device("cpu")
TARGET = 0.9  # of --target-precision
RAREST = 3  # classes
Values = np.ndarray[Any, Any]


def run(name: str, seed: int, tools: list[str]) -> Iterator[dict[str, Any]]:
    """A line for each tool that can run."""
    data, truth, backbone = SETS[name](seed)
    case = Case(data, backbone, AuditConfig(), seed, CPU)
    wrong = case.given != truth[case.labelled]
    for tool in tools:
        if not usable(TOOLS[tool], len(data.shape) == 1):
            continue
        verdict, _ = judged(case, tool)
        line = {"set": name, "seed": seed, "tool": tool, "n": len(wrong), "wrong": int(wrong.sum())}
        line |= measured(verdict, wrong, np.ones(len(wrong), np.bool_))
        line["top_100"] = int(wrong[np.argsort(-verdict.scores, kind="stable")[:100]].sum())
        if tool == "noiseaudit":
            SCORES.mkdir(exist_ok=True)
            kept = SCORES / f"{name}-{seed}.npz"
            np.savez_compressed(kept, scores=verdict.scores, wrong=wrong, given=case.given)
            line |= dataclasses.asdict(calibration(verdict.scores, wrong)) | at_target(verdict.scores, wrong)
            line |= by_class(verdict.scores, wrong, case.given)
        yield line | {"threads": case.threads, "versions": versions()}


def at_target(scores: Values, wrong: Values) -> dict[str, float | None]:
    """What --target-precision realises, and its recall against that of the best cut with this precision."""
    flagged = choose_cutoff(f"precision={TARGET}", scores, None).flagged
    hits = np.cumsum(wrong[np.argsort(-scores, kind="stable")])
    reached = np.flatnonzero(hits / np.arange(1, len(hits) + 1) >= TARGET)
    best = hits[reached[-1]] if len(reached) else 0
    return {
        "target_precision": float(wrong[flagged].mean()) if flagged.any() else None,
        "target_recall_share": float(wrong[flagged].sum() / best) if best else None,
    }


def by_class(scores: Values, wrong: Values, given: Values) -> dict[str, float | None]:
    """Mean F1 over the given classes that hold errors, at the own cut-off and at the best one for all together;
    and how much more often a right label of the three rarest classes is flagged than one of any class.
    """
    order = np.argsort(-scores, kind="stable")
    f1 = 2 * np.cumsum(wrong[order]) / (np.arange(1, len(order) + 1) + wrong.sum())
    best = np.zeros(len(order), np.bool_)
    best[order[: int(f1.argmax()) + 1]] = True
    flagged = choose_cutoff("auto", scores, None).flagged
    rare = np.isin(given, np.argsort(np.bincount(given), kind="stable")[:RAREST])
    overall = float(flagged[~wrong].mean())
    return {
        "macro_f1": _macro_f1(flagged, wrong, given),
        "oracle_macro_f1": _macro_f1(best, wrong, given),
        "rare_false_flags": float(flagged[rare & ~wrong].mean()) / overall if overall else None,
    }


def _macro_f1(flagged: Values, wrong: Values, given: Values) -> float:
    of_class = [given == label for label in np.unique(given[wrong])]
    counts = [((flagged & wrong)[c].sum(), flagged[c].sum() + wrong[c].sum()) for c in of_class]
    return float(np.mean([2 * hits / total for hits, total in counts]))


def read() -> list[dict[str, Any]]:
    return [json.loads(line) for line in RESULTS.read_text().splitlines()] if RESULTS.exists() else []


def table() -> str:
    """Markdown: every set and tool, noiseaudit's calibration, rare classes, and what unlabelled images are worth."""
    lines = read()
    found: Found = {}
    for line in lines:
        found.setdefault((line["set"], line["tool"]), []).append(line)
    text = [
        "| set | tool | AP | F1, own cut-off | F1, best cut-off | noiseaudit's AP minus it |",
        "|---" * 6 + "|",
    ]
    for (name, tool), own in sorted(found.items()):
        shown = [
            summary([line[key] for line in own]).text(3) for key in ("average_precision", "f1", "oracle_f1")
        ]
        ours, theirs = ({line["seed"]: line["average_precision"] for line in each}
                        for each in (found.get((name, "noiseaudit"), []), own))  # fmt: skip
        gap = paired_difference(ours, theirs) if tool != "noiseaudit" else None
        text.append(f"| {name} | {tool} | {' | '.join(shown)} | {gap.text(4) if gap else '-'} |")
    keys = ("ece", "count_ratio", "target_precision", "target_recall_share")
    head = "set | ECE | expected / true count | Brier / best | log loss / best | precision at target | recall / best"
    text += ["", f"| {head} |", "|---" * 7 + "|"]
    for (name, tool), own in sorted(found.items()):
        if tool == "noiseaudit":
            ece, count, precision, recall = (
                summary([line[key] for line in own if line[key] is not None]).text(3) for key in keys
            )
            ratios = [
                summary([line[key] / line[f"best_{key}"] for line in own]).text(2)
                for key in ("brier", "log_loss")
            ]
            text.append(f"| {name} | {ece} | {count} | {' | '.join(ratios)} | {precision} | {recall} |")
    return "\n".join([*text, *_by_class_table(found), *_unlabelled_table(found)]) + "\n"


Found = dict[tuple[str, str], list[dict[str, Any]]]


def _by_class_table(found: Found) -> list[str]:
    text = [
        "",
        "| set | mean F1 over classes, own cut-off | best cut-off | false flags, rarest / all |",
        "|---" * 4 + "|",
    ]
    for (name, tool), own in sorted(found.items()):
        if tool == "noiseaudit" and "tail" in name:
            shown = [
                summary([line[key] for line in own if line[key] is not None]).text(3)
                for key in ("macro_f1", "oracle_macro_f1", "rare_false_flags")
            ]
            text.append(f"| {name} | {' | '.join(shown)} |")
    return text


def _unlabelled_table(found: Found) -> list[str]:
    text = [
        "",
        "| labels kept | AP with the unlabelled images | without | gain | gain in F1 |",
        "|---" * 5 + "|",
    ]
    for share in (0.1, 0.25, 0.5):
        used, left = (found.get((f"mnist_{kind}_{share}", "noiseaudit"), []) for kind in ("part", "only"))
        if used and left:
            values = [
                summary([line["average_precision"] for line in lines]).text(4) for lines in (used, left)
            ]
            gains = [
                paired_difference(*({line["seed"]: line[key] for line in lines} for lines in (used, left)))
                for key in ("average_precision", "f1")
            ]
            shown = [gain.text(4) if gain else "-" for gain in gains]
            text.append(f"| {share:.0%} | {' | '.join(values + shown)} |")
    return text


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=["run", "table"])
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=list(SETS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2, 3, 4])
    parser.add_argument("--tools", nargs="+", default=list(TOOLS), choices=list(TOOLS))
    args = parser.parse_args()
    for seed in args.seeds if args.action == "run" else ():
        for name in args.sets:
            done = {line["tool"] for line in read() if (line["set"], line["seed"]) == (name, seed)}
            if left := [tool for tool in args.tools if tool not in done]:
                for line in run(name, seed, left):
                    with RESULTS.open("a") as file:
                        print(json.dumps(line), file=file)
                    print(
                        name,
                        seed,
                        line["tool"],
                        line["average_precision"],
                        line["f1"],
                        line["oracle_f1"],
                        flush=True,
                    )
    text = table()
    RESULTS.with_suffix(".md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()

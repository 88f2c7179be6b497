"""Can suspects that show none of the classes be told from other wrong labels? Planted foreign images, 10 % noise.

The kind of issue `unsure`, and the distance in the Guider's latent space to rows that are surely of the nearest class,
are measured among flagged rows. Distances are those to the fifth nearest, as a share of a quantile of the same distance
among rows of the class: 99 % (lengths), and the median (angles). `far` is 1 and more of the first.
One training a set, without `scan`'s folds. The distances were chosen on seeds 0 and 1 of these sets, out of some twenty
measures, so that theirs are figures of development sets.

NOISEAUDIT_DATA=... python benchmarks/out_of_class.py run --seeds 0 1 2
python benchmarks/out_of_class.py table                   # writes benchmarks/results/out_of_class.md
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from detection_sets import CPU, Codes
from out_of_class_sets import FOREIGN, SETS, SHARE, Set
from sklearn.metrics import average_precision_score
from sklearn.neighbors import NearestNeighbors

from noiseaudit.bench.stats import summary
from noiseaudit.compare.case import Case
from noiseaudit.config import AuditConfig
from noiseaudit.crossfit import believe_folds, not_crossed
from noiseaudit.evidence import issue_kind
from noiseaudit.judge import suggestions
from noiseaudit.neighbours import Believed
from noiseaudit.runtime import training_runtime
from noiseaudit.threshold import choose_cutoff
from noiseaudit.versions import versions

RESULTS = Path(__file__).parent / "results" / "out_of_class.jsonl"
NEAREST, LEAST_OF_CLASS = 5, 20
SURE, WRONG_AT_MOST = 0.9, 0.05  # of a surely labelled row: p_given at least, p_mislabeled at most
UNDECIDED = 0.9  # no class has more
Floats = np.ndarray[Any, np.dtype[np.float64]]


def run(name: str, share: float, seed: int) -> dict[str, Any]:
    """Train on a set; a line of what is measured among its flagged rows."""
    drawn = SETS[name](seed, share)
    given = drawn.data.codes.numpy()
    with training_runtime():
        fitted = Case(drawn.data, drawn.backbone, AuditConfig(), seed, CPU).train("umn_plus", given)
    believed = believe_folds(not_crossed(fitted), given, drawn.data.inputs.kind)
    line = {"set": name, "foreign_share": share, "seed": seed, **measured(drawn, believed)}
    return line | {"threads": torch.get_num_threads(), "versions": versions()}


def measured(drawn: Set, believed: Believed) -> dict[str, Any]:
    """Counts of flagged and of foreign rows; of each criterion the rows named, and the foreign ones among these."""
    given, p = drawn.data.codes.numpy(), believed.p_mislabeled
    flagged, rows = choose_cutoff("auto", p, None).flagged, np.arange(len(p))
    probs = believed.fitted.guider_mean
    p_given, p_suggested = probs[rows, given], probs[rows, suggestions(probs, given, flagged)]
    best = np.maximum(p_given, p_suggested).astype(float)
    sure = ~flagged & (p_given >= SURE) & (p < WRONG_AT_MOST)
    latent = believed.fitted.latent.astype(float)
    far = distance(latent, given, sure, 0.99)
    angle = distance(latent / np.linalg.norm(latent, axis=1, keepdims=True), given, sure, 0.5)
    unsure = np.array([issue_kind(*pair, []) == "unsure" for pair in zip(p_given, p_suggested, strict=True)])
    named = {"unsure": unsure, "far": far >= 1, "far_undecided": (far >= 1) & (best < UNDECIDED)}
    foreign = drawn.truth == FOREIGN
    found: dict[str, Any] = {
        "flagged": int(flagged.sum()),
        "foreign": int(foreign.sum()),
        "foreign_flagged": int((foreign & flagged).sum()),
        "named": {key: int((said & flagged).sum()) for key, said in named.items()},
        "right": {key: int((said & flagged & foreign).sum()) for key, said in named.items()},
    }
    if foreign.any():
        orders = {"doubt": 1 - best, "far": far, "angle": angle}
        found["average_precision"] = {
            key: float(average_precision_score(foreign[flagged], score[flagged]))
            for key, score in orders.items()
        }
    return found


def distance(places: Floats, given: Codes, sure: np.ndarray[Any, Any], quantile: float) -> Floats:
    """How far each of n rows, (n, d), is from the sure rows of the class that it is nearest to: (n,).

    1 is the quantile of what the class's sure rows are from one another; inf where no class has enough of these.
    """
    nearest = np.full(len(places), np.inf)
    for c in np.unique(given[sure]):
        own = places[sure & (given == c)]
        if len(own) >= LEAST_OF_CLASS:
            search = NearestNeighbors(n_neighbors=NEAREST).fit(own)
            usual = np.quantile(search.kneighbors()[0][:, -1], quantile)  # itself left out
            nearest = np.minimum(nearest, search.kneighbors(places)[0][:, -1] / max(usual, 1e-12))
    return nearest


def read() -> list[dict[str, Any]]:
    return [json.loads(line) for line in RESULTS.read_text().splitlines()] if RESULTS.exists() else []


def table() -> str:
    """Criteria by set, all seeds together; then how well each order finds the foreign among flagged rows."""
    found: dict[tuple[str, float], list[dict[str, Any]]] = {}
    for line in read():
        found.setdefault((line["set"], line["foreign_share"]), []).append(line)
    text = [
        "| set | seeds | flagged | of these foreign | criterion | named | right | precision | recall |",
        "|---" * 9 + "|",
    ]
    for (name, share), lines in sorted(found.items(), reverse=True):
        flagged, foreign = (sum(line[key] for line in lines) for key in ("flagged", "foreign_flagged"))
        for key in lines[0]["named"]:
            named, right = (sum(line[part][key] for line in lines) for part in ("named", "right"))
            rates = f"{right / named:.2f} | {right / foreign:.2f}" if named and foreign else "- | -"
            text.append(
                f"| {name}, {share:.0%} foreign | {len(lines)} | {flagged} | {foreign} | {key.replace('_', ', ')} "
                f"| {named} | {right} | {rates} |"
            )
    text += ["", "| set | AP by doubt (1 - p) | by distance | by angle | by chance |", "|---" * 5 + "|"]
    for (name, share), lines in sorted(found.items(), reverse=True):
        if share:
            scores = [
                summary([line["average_precision"][key] for line in lines]).text(2)
                for key in ("doubt", "far", "angle")
            ]
            chance = summary([line["foreign_flagged"] / line["flagged"] for line in lines]).text(2)
            text.append(f"| {name} | {' | '.join(scores)} | {chance} |")
    return "\n".join(text) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=["run", "table"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    args = parser.parse_args()
    cells = [(name, share, seed) for seed in args.seeds for share in (SHARE, 0.0) for name in SETS]
    for cell in cells if args.action == "run" else ():
        if cell not in {(line["set"], line["foreign_share"], line["seed"]) for line in read()}:
            line = run(*cell)
            with RESULTS.open("a") as file:
                print(json.dumps(line), file=file)
            print(line, flush=True)
    RESULTS.with_suffix(".md").write_text(table())
    print(table())


if __name__ == "__main__":
    main()

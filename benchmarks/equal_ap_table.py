"""The lines of equal_ap.py, and their table: means over seeds, and the differences between the settings compared."""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

from limits import operations_ratio, read_limits

from noiseaudit.bench.stats import paired_difference

RESULTS = Path(__file__).parent / "results" / "equal_ap.jsonl"
JITTER = 1.0
PEER_SHARE = 4  # rows that the peer trains on, to ours
CASE = "images, batch 256"  # of limits.py: what a scan of these images does
OURS, PEER = "noiseaudit", "cleanlab"
Line = dict[str, Any]
Setting = tuple[str, int, float]  # system, epochs, strength of the jitter


def lines() -> list[Line]:
    return [json.loads(text) for text in RESULTS.read_text().splitlines()] if RESULTS.exists() else []


def table() -> str:
    """Means over seeds, and the differences between the settings that are compared."""
    found: dict[Setting, dict[int, Line]] = {}
    for line in lines():
        found.setdefault((line["system"], line["epochs"], line["jitter"]), {})[line["seed"]] = line
    rows = [
        "| system | epochs | jitter | n | AP | F1, own cut-off | F1, best cut-off | seconds |",
        "|---" * 8 + "|",
        *(f"| {system} | {epochs} | {'yes' if jitter else 'no'} | {len(of)} | {mean(of, 'ap'):.4f} "
          f"| {mean(of, 'f1'):.4f} | {mean(of, 'oracle_f1'):.4f} | {mean(of, 'seconds'):.0f} |"
          for (system, epochs, jitter), of in sorted(found.items())),
    ]  # fmt: skip
    peer = max((key for key in found if key[0] == PEER), key=lambda key: mean(found[key], "ap"))
    most = max(map(len, found.values()))
    own = [key for key in found if key[0] == OURS and len(found[key]) == most]
    best = max(own, key=lambda key: mean(found[key], "ap"))
    as_good = [key for key in own if mean(found[key], "ap") >= mean(found[peer], "ap")]
    rows += ["", compared("best", found, best, peer)]
    if as_good:
        rows += [compared("equal", found, min(as_good, key=lambda key: mean(found[key], "seconds")), peer)]
    rows += ["", per_epoch(found)]
    return "\n".join(rows) + "\n"


def operations() -> float:
    """Of our step, to one of cross-entropy, as limits.py counted them."""
    return next(operations_ratio(line) for line in read_limits() if line["case"] == CASE)


def per_epoch(found: dict[Setting, dict[int, Line]]) -> str:
    """Both sides at equal epochs: what one epoch more takes, by the settings that have the most seeds."""
    seconds, counted = {}, operations()
    for system in (OURS, PEER):
        of = {key[1]: lines for key, lines in found.items() if (key[0], key[2]) == (system, JITTER)}
        most = max(map(len, of.values()))
        few, many = (pick(count for count in of if len(of[count]) == most) for pick in (min, max))
        seconds[system] = (mean(of[many], "seconds") - mean(of[few], "seconds")) / (many - few)
    return (
        f"- One epoch more: ours {seconds[OURS]:.1f} s, the peer's {seconds[PEER]:.1f} s with jitter (5 folds of four "
        f"fifths), {seconds[OURS] / seconds[PEER]:.2f} times; counted operations (limits.md): "
        f"{counted:.2f} times a step, {counted / PEER_SHARE:.2f} times an epoch."
    )


def compared(name: str, found: dict[Setting, dict[int, Line]], own: Setting, peer: Setting) -> str:
    by_seed = {key: {seed: line["ap"] for seed, line in found[key].items()} for key in (own, peer)}
    gap = paired_difference(by_seed[own], by_seed[peer])
    seeds = found[own].keys() & found[peer].keys()
    ratios = [found[own][seed]["seconds"] / found[peer][seed]["seconds"] for seed in seeds]
    return (
        f"- {name}: ours at {own[1]} epochs, the peer at {peer[1]} with{'' if peer[2] else 'out'} jitter: "
        f"AP {gap.text(4) if gap else '-'}; seconds, ours / the peer's: {statistics.mean(ratios):.2f} "
        f"[{min(ratios):.2f}, {max(ratios):.2f}]."
    )


def mean(of: dict[int, Line], key: str) -> float:
    return statistics.mean(line[key] for line in of.values())

"""The tables of detection.py."""

from __future__ import annotations

from collections import Counter
from typing import Any

from noiseaudit.bench.stats import paired_difference, summary

SHOWN_VERSIONS = ("noiseaudit", "torch")
Found = dict[tuple[str, str], list[dict[str, Any]]]  # lines of each set and tool


def table(lines: list[dict[str, Any]]) -> str:
    """Markdown of all lines: every set and tool, noiseaudit's calibration, rare classes, what unlabelled images
    add, and what a person finds who looks at the first hundred of the test images.
    """
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
    parts = (_by_class_table, _within_table, _unlabelled_table, _top_table, _versions)
    return "\n".join([*text, *(row for part in parts for row in part(found))]) + "\n"


def _by_class_table(found: Found) -> list[str]:
    text = [
        "",
        "| set | mean F1 over classes, own cut-off | best cut-off | `even` | false flags, rarest / all | with `even` |",
        "|---" * 6 + "|",
    ]
    for (name, tool), own in sorted(found.items()):
        if tool == "noiseaudit" and "tail" in name:
            shown = [
                summary([line[key] for line in own if line.get(key) is not None]).text(3)
                for key in (
                    "macro_f1",
                    "oracle_macro_f1",
                    "even_macro_f1",
                    "rare_false_flags",
                    "even_rare_false_flags",
                )
            ]
            text.append(f"| {name} | {' | '.join(shown)} |")
    return text


def _within_table(found: Found) -> list[str]:
    text = [
        "",
        "Truth within the intervals that an audit states (with the plain doubt; a scan's may be wider), of n seeds:",
        "",
        "| set | n | noise rate | precision | recall | noise rates of classes |",
        "|---" * 6 + "|",
    ]
    for (name, tool), own in sorted(found.items()):
        held = [line["within"] for line in own if "within" in line]
        if tool != "noiseaudit" or not held:
            continue
        shown = [
            str(sum(each.get(key, True) for each in held)) for key in ("noise_rate", "precision", "recall")
        ]
        inside, total = (sum(each["by_class"][i] for each in held) for i in (0, 1))
        text.append(f"| {name} | {len(held)} | {' | '.join(shown)} | {inside} of {total} |")
    return text


def _versions(found: Found) -> list[str]:
    """Which lines are of which versions, as some were run again."""
    lines = [line for own in found.values() for line in own]
    told = Counter(", ".join(f"{name} {line['versions'][name]}" for name in SHOWN_VERSIONS) for line in lines)
    return ["", "Lines by version: " + "; ".join(f"{n:,} of {name}" for name, n in told.most_common()) + "."]


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


def _top_table(found: Found) -> list[str]:
    text = ["", "| set | tool | wrong | of these in the first 100 |", "|---" * 4 + "|"]
    for (name, tool), own in sorted(found.items()):
        if name.startswith("mnist_test"):
            text.append(
                f"| {name} | {tool} | {own[0]['wrong']} | {summary([line['top_100'] for line in own]).text(1)} |"
            )
    return text

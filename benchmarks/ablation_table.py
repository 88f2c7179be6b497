"""The tables of ablation.py."""

from __future__ import annotations

from typing import Any

from noiseaudit.bench.stats import paired_difference, summary

MEASURES = {"AP": "average_precision", "F1": "f1"}
CALIBRATION = {"ECE": "ece", "expected / true count": "count_ratio"}
Values = dict[int, float]  # by seed


def table(lines: list[dict[str, Any]]) -> str:
    """Markdown: for each set the settings by scan's score, and the scores of its default settings."""
    text: list[str] = []
    for name in dict.fromkeys(line["set"] for line in lines):
        own = [line for line in lines if line["set"] == name]
        default = own[0]["variant"]
        by_setting = {
            variant: {
                line["seed"]: next(iter(line["scores"].values()))
                for line in own
                if line["variant"] == variant
            }
            for variant in dict.fromkeys(line["variant"] for line in own)
        }
        of_default = [line for line in own if line["variant"] == default]
        by_score = {
            way: {line["seed"]: line["scores"][way] for line in of_default if way in line["scores"]}
            for way in of_default[0]["scores"]
        }
        text += [
            f"## {name}",
            "",
            *_rows("settings", by_setting),
            "",
            *_rows(f"score, `{default}`", by_score),
            "",
        ]
    return "\n".join(text)


def _rows(title: str, found: dict[str, dict[int, dict[str, float | None]]]) -> list[str]:
    """A table of `found`, measures by row and seed; differences are to the first row, over the seeds of both."""
    heads = [title, "n", *(f"{each} | minus the first's" for each in MEASURES), *CALIBRATION]
    rows = [f"| {' | '.join(heads)} |", "|---" * (2 + 2 * len(MEASURES) + len(CALIBRATION)) + "|"]
    first = next(iter(found.values()))
    for name, seeds in found.items():
        cells = [name, str(len(seeds))]
        for key in MEASURES.values():
            own = _values(seeds, key)
            gap = None if seeds is first else paired_difference(own, _values(first, key))
            cells += [_mean(own, 4), f"{gap.mean:+.4f} [{gap.low:.4f}, {gap.high:.4f}]" if gap else "-"]
        cells += [_mean(_values(seeds, key), 3) for key in CALIBRATION.values()]
        rows.append(f"| {' | '.join(cells)} |")
    return rows


def _values(seeds: dict[int, dict[str, float | None]], key: str) -> Values:
    return {seed: value for seed, line in seeds.items() if (value := line.get(key)) is not None}


def _mean(values: Values, digits: int) -> str:
    found = summary(list(values.values())).mean
    return "-" if found is None else f"{found:.{digits}f}"

"""The table of survive.py's lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from survive_scans import SAME, SCANS


def table(lines: Sequence[dict[str, Any]]) -> str:
    cut = [line for line in lines if "scan" in line]
    full = [line for line in lines if "disk" in line]
    known, machine = lines[-1]["versions"], lines[-1]["hardware"]
    places = Counter(place(line["scan"], kill["at"]) for line in cut for kill in line["kills"])
    rows = [
        "# Scans that were cut off",
        "",
        f"`python benchmarks/survive.py`: {machine['name']}, {machine['cores']} cores, torch "
        f"{known['torch']}, noiseaudit {known['noiseaudit']}. Every kill is a SIGKILL at a "
        "moment uniform over the wall time of the same scan without one. Identical: "
        f"{', '.join(SAME)}, byte for byte, and no file more or less in the folder.",
        "",
        "| scan | n | kills | identical |",
        "|---|---|---|---|",
    ]
    for name in SCANS:
        mine = [line for line in cut if line["scan"] == name]
        kills = sum(len(line["kills"]) for line in mine)
        rows.append(f"| {name} | {len(mine)} | {kills} | {identical(mine)} |")
    rows.append(f"| all | {len(cut)} | {sum(places.values())} | {identical(cut)} |")
    rows += ["", "| killed while at | kills |", "|---|---|"]
    rows += [f"| {at} | {count} |" for at, count in places.most_common()]
    rows += [
        "",
        "Disks (tmpfs) of a size drawn at random, then enlarged and resumed; exit code 0: it was large enough.",
        "",
        "| bytes | exit code | lines said | at | identical |",
    ]
    rows += ["|---|---|---|---|---|"]
    rows += [
        f"| {line['disk']} | {line['code']} | {len(line['said'])} | {line['at']} | {identical([line])} |"
        for line in sorted(full, key=lambda line: line["disk"])
    ]
    said = sorted({line for disk in full for line in disk["said"]})
    return "\n".join([*rows, "", *(f"- `{line}`" for line in said)]) + "\n"


def place(scan: str, at: str) -> str:
    """Over a finished run, the folder alone does not tell a scan that has hardly begun from one that is done."""
    return "start-up or end, over a finished run" if at == "end" and "--force" in SCANS[scan] else at


def identical(lines: Sequence[dict[str, Any]]) -> str:
    return f"{sum(not line['different'] and not line['left_over'] for line in lines)} of {len(lines)}"

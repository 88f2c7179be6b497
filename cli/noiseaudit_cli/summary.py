"""What a scan says when it is done."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from noiseaudit.expected import found_and_missed, self_test_sentence, sentence
from noiseaudit.manifest import decided_command
from noiseaudit.percent import cutoff_text
from noiseaudit.relabelling import relabelling_text
from noiseaudit_cli.console import fitted, visible
from noiseaudit_cli.earlier import after_scan

SHOWN = 5  # unread rows and warnings
TO_CHECK = 200  # rows by eye


def scan_summary(run: Mapping[str, Any], out: Path) -> str:
    """A few lines for people: what was found, what was chosen and why, what to look at, what to do next."""
    counts, chosen, cutoff = run["counts"], run["config"]["chosen"], run["cutoff"]
    is_chosen = cutoff["rule"].startswith(
        ("budget", "rate", "recall")
    )  # by the user: not all need look wrong
    verdict = "labels are listed for review" if is_chosen else "labels look wrong"
    shown_cutoff = cutoff_text(cutoff["score"], cutoff["threshold"], counts["suspects"])
    lines = [
        "",
        f"{counts['suspects']:,} of {counts['checked']:,} {verdict}.",
        _on_screen(
            found_and_missed(
                counts["suspects"], run["expected"]["precision"]["value"], counts["expected_mislabeled"]
            ),
            0,
        ),
        _field("expects", sentence(run["expected"], counts["checked"])),
        *([_field("self-test", tested)] if (tested := self_test_sentence(chosen.get("self_test"))) else []),
        _field("backbone", chosen["backbone"]),
        _field("cut-off", f"{shown_cutoff}: {cutoff['reason']}"),
        *([_on_screen(f"  {pair_note(pair)}", 2)] if (pair := run["dominant_pair"]) else []),
        *_unlabelled(counts["suggested"], out),
        _field("cleaned", _cleaned(run["cleaned"], run["relabelling"])),
        *_section("warnings", run["warnings"]),
        *_section("rows, from 0, whose image could not be used", [_unread(row) for row in run["unread"]]),
        "",
        f"Open {out / 'report.html'} and look at some suspects before you use {run['cleaned']['file']}, or go on with",
        *(f"  {command}" for command in _next(run, out)),
        *after_scan(out),
    ]
    return "\n".join(lines)


def _field(name: str, text: str) -> str:
    return _on_screen(f"  {name:<9} {text}", 12)


def _on_screen(line: str, hang: int) -> str:
    return fitted(line, sys.stdout, hang)


def pair_note(pair: Mapping[str, Any]) -> str:
    """One line on the `dominant_pair` of an audit."""
    given, suggested = visible(pair["given_label"]), visible(pair["suggested_label"])
    return (
        f"{pair['count']:,} suspects, more than half, are {given} -> {suggested}: "
        "possibly a systematic confusion, worth a look before cleaning."
    )


def _unlabelled(n: int, out: Path) -> list[str]:
    command = f"noiseaudit rank {shlex.quote(str(out))} --unlabelled"
    return [f"  {n:,} unlabelled rows have a suggested label: {command}"] if n else []


def _cleaned(cleaned: Mapping[str, Any], relabelling: Mapping[str, Any]) -> str:
    text = f"{cleaned['file']}: {cleaned['changed']:,} relabelled"
    if cleaned["protected"]:
        text += f", {cleaned['protected']:,} suspects in test or validation splits left alone"
    return (
        f"{text}; it expects of all suspects {relabelling_text(relabelling)}" if cleaned["changed"] else text
    )


def _section(title: str, items: list[str]) -> list[str]:
    if not items:
        return []
    more = [f"    ... and {len(items) - SHOWN:,} more in run.json"] if len(items) > SHOWN else []
    return [
        f"  {title}: {len(items):,}",
        *(_on_screen(f"    {visible(item)}", 6) for item in items[:SHOWN]),
        *more,
    ]


def _unread(row: Mapping[str, Any]) -> str:
    name = "" if row["sample_id"] == str(row["row"]) else f", {row['sample_id']}"
    return f"row {row['row']}{name}: {row['status']}, {row['reason']}"


def _next(run: Mapping[str, Any], out: Path) -> list[str]:
    folder = shlex.quote(str(out))
    checks = f"noiseaudit sample {folder} --n {min(TO_CHECK, run['counts']['checked'])} --out checks.csv"
    return [f"noiseaudit review {folder}", decided_command(run, out), f"noiseaudit rank {folder}", checks]

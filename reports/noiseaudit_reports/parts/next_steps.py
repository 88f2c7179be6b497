"""The commands that follow a scan, and what relabelling without looking would cost."""

from __future__ import annotations

import shlex
from pathlib import Path

from noiseaudit.estimate import Estimate
from noiseaudit.evaluation import Relabelling
from noiseaudit.expected import Expected
from noiseaudit_reports.text import count

MODELS = "by the model's own estimate"
TO_CHECK = 200  # rows by eye


def review_command(folder: Path) -> str:
    """The command that opens the review page of the run in `folder`."""
    return f"noiseaudit review {shlex.quote(str(folder))}"


def sample_command(folder: Path, n_scored: int) -> str:
    """The command that draws rows for people to check, which tell how good the audit of the run in `folder` is."""
    return f"noiseaudit sample {shlex.quote(str(folder))} --n {min(TO_CHECK, n_scored)} --out checks.csv"


def unlabelled_command(folder: Path) -> str:
    """The command that lists the suggestions for all rows without a label."""
    return f"noiseaudit rank {shlex.quote(str(folder))} --unlabelled --all"


def besides(command: str, decisions: Path | None) -> str:
    """A command that cleans; what stands in the file `decisions` goes before its policy."""
    return f"{command} --decisions {shlex.quote(str(decisions))}" if decisions else command


def spoiled(
    expected: Expected,
    n_suspects: int,
    checked: Estimate | None = None,
    known: Relabelling | None = None,
) -> str:
    """A warning: how many right labels relabelling all suspects spoils, or is expected to. "" without suspects.

    By the truth where it is `known`, by what people `checked` where they did, else by what the audit expects of itself.
    """
    if not n_suspects:
        return ""
    if known:
        return (
            f"By the truth that was given it mends {count(known.mended, 'label')}, leaves {known.still_wrong:,} "
            f"wrong in another way and spoils {known.spoilt:,} right ones."
        )
    precision = (checked or expected).precision.value
    if precision is None:
        return "It also spoils the suspects whose label is right."
    right = round(n_suspects * (1 - precision))
    number = f"about {count(right, 'right label')}" if right else "fewer than one right label"
    source = "by what people checked" if checked else MODELS
    return f"Of {count(n_suspects, 'suspect')} it is expected to spoil {number}, {source}."

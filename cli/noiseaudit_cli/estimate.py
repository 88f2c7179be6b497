"""noiseaudit estimate: how good an audit is, from the answers to a random sample."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from noiseaudit_cli.options import Audit, Json, option

if TYPE_CHECKING:
    from noiseaudit.estimate import Estimate
    from noiseaudit.result import AuditResult

SHARES = ("noise_rate", "precision", "recall")  # that an audit has expectations of
EXAMPLES = """
noiseaudit estimate run checks.csv
noiseaudit estimate run checks.csv more.csv --width 0.05
"""


def estimate(
    audit: Audit,
    decisions: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="Files of `noiseaudit sample` with answers.",
            show_default=False,
            show_envvar=False,
        ),
    ],
    width: Annotated[
        float,
        option(
            min=0.001,
            max=1.0,
            metavar="W",
            help="How wide an interval of precision and recall may be, as a share.",
        ),
    ] = 0.1,
    json: Json = False,
) -> None:
    """Estimate precision, recall and noise rate from answers to a random sample.

    With 95 % intervals, without any other truth, and whether enough has been checked. Rows that were not drawn by
    `noiseaudit sample` are left out: they would bias the figures.
    """
    from noiseaudit.decisions import read_decisions
    from noiseaudit.estimate import estimate as from_answers
    from noiseaudit.expected import as_json, expect
    from noiseaudit.result import read_audit
    from noiseaudit_cli.console import print_json

    result = read_audit(audit)
    answers = [decision for file in decisions for decision in read_decisions(file)]
    found = from_answers(result, answers, width=width)
    if json:
        print_json(found.to_dict() | {"expected": as_json(expect(result))})
    else:
        _show(found)
        _confront(result, found)


def _show(found: Estimate) -> None:
    from noiseaudit_cli.console import print_rows, say

    shares = ("precision", "recall", "f1", "noise_rate")
    rows = [
        {
            "measure": name.replace("_", " "),
            "estimate": "-" if each.value is None else f"{each.value:.3f}",
            "low": f"{each.low:.3f}",
            "high": f"{each.high:.3f}",
        }
        for name in shares
        for each in [getattr(found, name)]
    ]
    wrong = found.mislabeled
    rows.append(
        {
            "measure": "wrong labels",
            "estimate": f"{wrong.value:.0f}",
            "low": f"{wrong.low:.0f}",
            "high": f"{wrong.high:.0f}",
        }
    )
    print_rows(rows, ("measure", "estimate", "low", "high"))
    say(
        f"95 % intervals from {found.n_answers:,} answers about {found.n_scored:,} labels, {found.n_flagged:,} of them "
        f"suspects; {found.n_ambiguous:,} ambiguous and {found.n_open:,} open rows count as not asked."
    )
    if found.n_not_drawn:
        say(f"{found.n_not_drawn:,} rows were not drawn by `noiseaudit sample` and are left out.")
    if found.is_enough:
        say(f"Enough: precision and recall are known to {found.wanted_width:g} or better.")
    else:
        say(
            f"For intervals no wider than {found.wanted_width:g}, check about {found.more_answers:,} more rows."
        )


def _confront(audit: AuditResult, found: Estimate) -> None:
    """Say where the answers contradict what the audit expected of itself."""
    from noiseaudit.expected import contradicted, expect, sentence_of
    from noiseaudit_cli.console import say

    expected = expect(audit)
    say(f"Without the answers, the audit expected {sentence_of(audit, expected)}.")
    if names := contradicted(expected, {name: getattr(found, name) for name in SHARES}):
        shown = " and ".join(name.replace("_", " ") for name in names)
        say(f"The answers contradict it about {shown}: believe the answers, not p_mislabeled.")

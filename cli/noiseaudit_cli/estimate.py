"""noiseaudit estimate: how good an audit is, from the answers to a random sample."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from noiseaudit_cli.option_values import share
from noiseaudit_cli.options import Audit, Json, option

if TYPE_CHECKING:
    from noiseaudit.estimate import Estimate
    from noiseaudit.expected import Expected
    from noiseaudit.result import AuditResult

LEAST_WIDTH = 0.001
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
            parser=share,
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
    from noiseaudit.checked import estimate_from
    from noiseaudit.errors import ConfigError
    from noiseaudit.expected import as_json, expect
    from noiseaudit.result import read_audit
    from noiseaudit_cli.console import print_json

    if not LEAST_WIDTH <= width <= 1:
        raise ConfigError(
            f"--width {width:g} is out of range", fix=f"It must be {LEAST_WIDTH:g} to 1, as 0.1 or 10%."
        )
    result = read_audit(audit)
    found = estimate_from(result, decisions, width=width)
    if json:
        print_json(found.to_dict() | {"expected": as_json(expect(result))})
    else:
        _show(found)
        _go_on(found, audit, decisions)
        _confront(result, found)
        _forward(audit, decisions)


def _show(found: Estimate) -> None:
    from noiseaudit.checked import agreed_text, unjudged_text
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
    for text in filter(None, (unjudged_text(found), agreed_text(found))):
        say(text)
    if found.n_not_drawn:
        say(
            f"{found.n_not_drawn:,} answers have no sampling_weight, as those about rows that `noiseaudit sample` did "
            "not draw, and are left out."
        )


def _go_on(found: Estimate, audit: Path, files: Sequence[Path]) -> None:
    """Whether enough was checked, or how to check more."""
    from noiseaudit_cli.console import say

    if found.is_enough:
        known = "recall is" if found.has_unjudged_suspects else "precision and recall are"
        say(f"Enough: {known} known to {found.wanted_width:g} or better.")
        return
    drawn = found.n_answers + found.n_ambiguous + found.n_open
    wanted = f"intervals no wider than {found.wanted_width:g}"
    if n := min(found.more_answers, found.n_scored - drawn):
        first = f"answer the {found.n_open:,} open rows first, or " if found.n_open else ""
        say(f"For {wanted}, {first}check about {found.more_answers:,} more rows:")
        say(f"  {_sample_command(audit, files, n)}")
    elif found.n_open:
        say(f"For {wanted}, answer the {found.n_open:,} open rows: all others were drawn.")
    else:
        ones = "ambiguous one leaves" if found.n_ambiguous == 1 else "ambiguous ones leave"
        say(f"All labels were drawn; {found.n_ambiguous:,} {ones} no {wanted}.")


def _sample_command(audit: Path, files: Sequence[Path], n: int) -> str:
    """What draws `n` rows that none of `files` has, to a file that is not there yet."""
    from noiseaudit.tally import new_name

    words = [str(audit), "--n", str(n)]
    for file in files:
        words += ["--without", str(file)]
    return f"noiseaudit sample {shlex.join(words)} --out {new_name()}"


def _confront(audit: AuditResult, found: Estimate) -> None:
    """Say where the answers contradict what the audit expected of itself."""
    from noiseaudit.checked import contradictions, in_words
    from noiseaudit.expected import expect, sentence_of
    from noiseaudit_cli.console import say

    expected = expect(audit)
    say(f"Without the answers, the audit expected {sentence_of(audit, expected)}.")
    if compared := _compared(expected, found):
        say(f"Measured against expected: {compared}.")
    if names := contradictions(expected, found):
        say(f"The answers contradict it about {in_words(names)}: believe the answers, not p_mislabeled.")
    else:
        say("The answers do not contradict it.")


def _forward(audit: Path, files: Sequence[Path]) -> None:
    """What puts these figures into the report."""
    from noiseaudit_cli.console import say

    words = [str(audit), *(word for file in files for word in ("--checked", str(file)))]
    say(f"With these figures in the report:\n  noiseaudit report {shlex.join(words)}")


def _compared(expected: Expected, found: Estimate) -> str:
    """`precision 81 % against 93 %, recall 60 % against 75 %`, of those that both know."""
    from noiseaudit.percent import counted, percent

    pairs = {
        name: (getattr(found, name).value, getattr(expected, name).value) for name in ("precision", "recall")
    }
    return ", ".join(
        f"{name} {counted(measured)} against {percent(own)}"
        for name, (measured, own) in pairs.items()
        if measured is not None and own is not None
    )

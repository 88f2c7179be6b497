"""noiseaudit diff: what changed between two audits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from noiseaudit_cli.gate import FAILED
from noiseaudit_cli.options import Json, option

if TYPE_CHECKING:
    from noiseaudit.diff import Difference
    from noiseaudit.interval import Range

EXAMPLES = """
noiseaudit diff run-before run-after
noiseaudit diff run-before run-after --json | jq '.newly_suspect[].sample_id'
noiseaudit diff run-before run-after --fail-on-new-suspects 0
"""


def _run(which: str) -> typer.models.ArgumentInfo:
    info: typer.models.ArgumentInfo = typer.Argument(
        metavar=which,
        help="The --out folder of a scan, or its audit.parquet.",
        show_default=False,
        show_envvar=False,
    )
    return info


def diff(
    before: Annotated[Path, _run("RUN_A")],
    after: Annotated[Path, _run("RUN_B")],
    top: Annotated[int, option("--top", min=0, metavar="N", help="How many new suspects to list.")] = 10,
    fail_on_new_suspects: Annotated[
        int | None,
        option(
            min=0,
            metavar="N",
            help="Exit code 3 if more than N suspects of RUN_B were none in RUN_A.",
            show_default=False,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Say what changed from one audit to another.

    Rows are matched by sample_id: rows added and removed, labels changed, rows that became suspects or are none any
    more, how alike the two rankings and sets of suspects are, the expected noise rate, and which settings and versions
    differ.
    """
    from noiseaudit.diff import NEWLY, difference
    from noiseaudit.errors import DataError
    from noiseaudit.result import read_audit
    from noiseaudit_cli.console import print_json, print_rows, say

    found = difference(read_audit(before), read_audit(after))
    if not found.n_common:
        raise DataError(
            f"no sample of {after} is in {before}, by sample_id",
            fix="Give two audits of one data set; where file names changed, name an id column to scan.",
        )
    if json:
        print_json(found.to_dict())
    else:
        print_rows(_summary(found), ("what", "RUN_A", "RUN_B", "change"))
        if top and found.newly_suspect.num_rows:
            say(
                f"Newly suspect, {min(top, found.newly_suspect.num_rows)} of {found.newly_suspect.num_rows:,}:"
            )
            print_rows(found.newly_suspect.slice(0, top).to_pylist(), NEWLY)
        if found.settings:
            say("Settings and versions that differ:")
            print_rows([vars(setting) for setting in found.settings], ("name", "before", "after"))
    if fail_on_new_suspects is not None and found.n_new_suspects > fail_on_new_suspects:
        say(f"{found.n_new_suspects:,} new suspects, more than {fail_on_new_suspects:,}")
        raise typer.Exit(FAILED)


def _summary(found: Difference) -> list[dict[str, Any]]:
    relabelled = f"{found.n_relabelled:,} changed, {found.n_labelled:,} new, {found.n_unlabelled:,} gone"
    newly = (
        f"{found.newly_suspect.num_rows:,} more of the same rows, {found.n_added_suspects:,} of added ones"
    )
    gone = f"{len(found.no_longer_suspect):,} fewer, {found.n_removed_suspects:,} of removed ones"
    return [
        _line("rows", *found.n_rows, f"{found.n_added:,} added, {found.n_removed:,} removed"),
        _line("labels", "", "", relabelled),
        _line("suspects", *found.n_suspects, f"{newly}; {gone}"),
        _line("expected noise rate", _range(found.noise_rate[0]), _range(found.noise_rate[1]), ""),
        _line("suspects in both, of all (Jaccard)", "", "", _number(found.jaccard)),
        _line(
            "rank correlation of p_mislabeled",
            "",
            "",
            f"{_number(found.rank_correlation)} over {found.n_scored:,}",
        ),
    ]


def _line(what: str, before: object, after: object, change: str) -> dict[str, Any]:
    return {"what": what, "RUN_A": before, "RUN_B": after, "change": change}


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"


def _range(rate: Range) -> str:
    return "undefined" if rate.value is None else f"{rate.value:.3f} ({rate.low:.3f} to {rate.high:.3f})"

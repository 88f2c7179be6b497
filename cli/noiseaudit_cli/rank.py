"""noiseaudit rank: the rows of an audit, most suspicious first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from noiseaudit_cli.options import Audit, Json, option

if TYPE_CHECKING:
    from noiseaudit.audit_file import AuditFile

EXAMPLES = """
noiseaudit rank run
noiseaudit rank run --class cat --top 50
noiseaudit rank run --all > ranked.tsv
noiseaudit rank run --json | jq '.[].sample_id'
"""
NAMES = ("sample_id", "given_label", "suggested_label")
COLUMNS = ("rank", "row", *NAMES, "p_mislabeled", "epsilon", "is_label_issue")
JSON_COLUMNS = (*COLUMNS, "image", "p_given", "p_suggested", "issue_kind", "why", "evidence")


class Score(StrEnum):
    P_MISLABELED = "p_mislabeled"
    EPSILON = "epsilon"


def rank(
    audit: Audit,
    by: Annotated[
        Score, option("--by", help="Score to sort by, highest first; ties by row.")
    ] = Score.P_MISLABELED,
    top: Annotated[int, option("--top", min=1, metavar="N", help="How many rows to list.")] = 20,
    everything: Annotated[
        bool,
        option("--all", envvar="NOISEAUDIT_RANK_ALL", help="List every ranked row, whatever --top says."),
    ] = False,
    only_class: Annotated[
        str | None,
        option(
            "--class",
            envvar="NOISEAUDIT_RANK_CLASS",
            metavar="C",
            help="Only rows with this given label.",
            show_default=False,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """List the rows of an audit, most suspicious first.

    A table on a terminal, tab-separated values in a pipe. Rows without a label, or whose image could not be
    read, have no rank and are not listed.
    """
    from noiseaudit.audit_file import open_audit
    from noiseaudit.ranking import ranked_tables
    from noiseaudit.why import records, stored
    from noiseaudit_cli.console import on_terminal, print_objects, print_table_rows

    opened = open_audit(audit)
    columns = JSON_COLUMNS if json else COLUMNS
    limit = None if everything else top
    tables = ranked_tables(opened, stored(columns), by=by.value, top=limit, only_class=only_class)
    if json:
        print_objects(row for table in tables for row in records(table, columns))
    elif on_terminal():
        _show(opened, [row for table in tables for row in records(table, columns)], by)
    else:
        print_table_rows(tables, columns)


def _show(audit: AuditFile, rows: Sequence[Mapping[str, Any]], by: Score) -> None:
    from dataclasses import asdict

    from noiseaudit.percent import percent
    from noiseaudit.ranking import dominant_pair
    from noiseaudit_cli.console import print_table
    from noiseaudit_cli.summary import pair_note

    shown = [
        {
            **row,
            "rank": f"{row['rank']}{'*' if row['is_label_issue'] else ' '}",
            "p_mislabeled": percent(row["p_mislabeled"]),
        }
        for row in rows
    ]
    print_table(shown, ("rank", "row", *NAMES, by.value), NAMES)
    estimate = "; p_mislabeled is the model's own estimate" if by is Score.P_MISLABELED else ""
    pair = dominant_pair(audit)
    typer.echo("\n".join([f"* suspect{estimate}", *([pair_note(asdict(pair))] if pair else [])]))

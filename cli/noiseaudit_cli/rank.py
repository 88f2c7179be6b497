"""noiseaudit rank: the rows of an audit, most suspicious first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from itertools import chain, islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from noiseaudit_cli.environment import one_a_line
from noiseaudit_cli.options import Audit, Json, option

if TYPE_CHECKING:
    from noiseaudit.audit_file import AuditFile

EXAMPLES = """
noiseaudit rank run
noiseaudit rank run --class cat --class lynx --suggested dog --top 50
noiseaudit rank run --all > ranked.tsv
noiseaudit rank run --json | jq '.[].sample_id'
noiseaudit rank run --unlabelled --top 50
"""
NAMES = ("sample_id", "given_label", "suggested_label")
COLUMNS = ("rank", "row", *NAMES, "p_mislabeled", "epsilon", "is_label_issue")
JSON_COLUMNS = (*COLUMNS, "image", "p_given", "p_suggested", "issue_kind", "why", "evidence")
SUGGESTED = ("row", "sample_id", "suggested_label", "p_suggested")  # of rows without a label
JSON_SUGGESTED = (*SUGGESTED, "image")


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
        option("--all", envvar="NOISEAUDIT_RANK_ALL", help="List every such row, whatever --top says."),
    ] = False,
    only_class: Annotated[
        list[str] | None,
        option(
            "--class",
            envvar="NOISEAUDIT_RANK_CLASS",
            callback=one_a_line,
            metavar="C",
            help="Only rows with this given label (repeatable; in NOISEAUDIT_RANK_CLASS one a line).",
            show_default=False,
        ),
    ] = None,
    suggested: Annotated[
        list[str] | None,
        option(
            callback=one_a_line,
            metavar="C",
            help="Only rows for which this label is suggested (repeatable; in NOISEAUDIT_RANK_SUGGESTED one a line).",
            show_default=False,
        ),
    ] = None,
    unlabelled: Annotated[
        bool,
        option("--unlabelled", help="List the rows without a label instead, surest suggestion first."),
    ] = False,
    json: Json = False,
) -> None:
    """List the rows of an audit, most suspicious first.

    A table on a terminal, tab-separated values with six significant digits in a pipe (--json has all). Rows whose image
    could not be read are not listed. Rows without a label have no rank: --unlabelled lists them, by the probability of
    the label that is suggested.
    """
    from noiseaudit.audit_file import open_audit
    from noiseaudit.errors import ConfigError
    from noiseaudit.ranking import ranked_tables
    from noiseaudit.why import records, stored
    from noiseaudit_cli.console import on_terminal, print_objects, print_table_rows

    if unlabelled and by is not Score.P_MISLABELED:
        raise ConfigError(
            f"--by {by.value}: rows without a label have no such score", fix="Leave out --by or --unlabelled."
        )
    if unlabelled and only_class:
        raise ConfigError(
            "--class: rows without a label have no given one",
            fix="Use --suggested, or leave out --unlabelled.",
        )
    opened = open_audit(audit)
    limit = None if everything else top
    if unlabelled:
        _list_unlabelled(opened, limit, suggested or (), json=json)
        return
    columns = JSON_COLUMNS if json else COLUMNS
    tables = ranked_tables(
        opened,
        stored(columns),
        by=by.value,
        top=limit,
        given=only_class or (),
        suggested=suggested or (),
    )
    if json:
        print_objects(row for table in tables for row in records(table, columns))
    elif on_terminal():
        _show(opened, [row for table in tables for row in records(table, columns)], by)
    else:
        print_table_rows(tables, columns)


def _list_unlabelled(audit: AuditFile, top: int | None, suggested: Sequence[str], *, json: bool) -> None:
    """The rows without a label; on a terminal, where there is none, one line says so in place of a table."""
    from noiseaudit.percent import percent
    from noiseaudit.unlabelled import unlabelled_tables
    from noiseaudit_cli.console import on_terminal, print_objects, print_table, print_table_rows, say, visible

    tables = unlabelled_tables(audit, JSON_SUGGESTED if json else SUGGESTED, top=top, suggested=suggested)
    if json:
        print_objects(row for table in tables for row in table.to_pylist())
        return
    first = list(islice(tables, 1))
    if not first:
        which = f" for which {' or '.join(map(visible, suggested))} is suggested" if suggested else ""
        say(f"The audit has no row without a label{which}.")
    if not on_terminal():
        print_table_rows(chain(first, tables), SUGGESTED)
    elif first:
        rows = [row for table in chain(first, tables) for row in table.to_pylist()]
        shown = [row | {"p_suggested": percent(row["p_suggested"])} for row in rows]
        print_table(shown, SUGGESTED, SUGGESTED[1:3])
        typer.echo("p_suggested is the model's own estimate")


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

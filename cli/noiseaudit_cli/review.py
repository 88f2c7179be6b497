"""noiseaudit review: people judge the suspects, on a local page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from noiseaudit_cli.options import Audit, Force, option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from noiseaudit.labels.table import Source

EXAMPLES = """
noiseaudit review run
noiseaudit review run --reviewer Ann --port 8000 --no-browser
noiseaudit review run --export decisions.parquet
noiseaudit review run --rows checks.csv
noiseaudit clean run --decisions run/decisions.csv --out labels.checked.csv
"""


def review(
    audit: Audit,
    label_file: Annotated[
        Path | None,
        typer.Argument(
            metavar="LABEL_FILE",
            help="The scanned label file or data set, if it moved.",
            show_default=False,
            show_envvar=False,
        ),
    ] = None,
    images: Annotated[
        Path | None, option(metavar="DIR", help="The images, if they moved.", show_default=False)
    ] = None,
    rows: Annotated[
        Path | None,
        option(
            metavar="FILE",
            help="Ask about the rows of this file of `noiseaudit sample`, without saying what the audit thinks.",
            show_default=False,
        ),
    ] = None,
    reviewer: Annotated[
        str | None,
        option(
            metavar="NAME",
            help="Who decides; the page has a box for it, too. Default: the login's name.",
            show_default=False,
        ),
    ] = None,
    db: Annotated[
        Path | None,
        option(
            metavar="FILE",
            help="Where decisions are kept. Default: decisions.sqlite beside the audit; with --rows checks.csv, "
            "checks.answers.sqlite beside that.",
            show_default=False,
        ),
    ] = None,
    carry_over: Annotated[
        bool,
        option(
            "--carry-over",
            help="First take over what was decided about other audits in the database, such as the one before --force: "
            "where the sample still has the given label and the image, by its name, that it had then.",
        ),
    ] = False,
    port: Annotated[
        int, option(min=0, max=65535, metavar="N", help="Of 127.0.0.1, where the page is; 0: a free one.")
    ] = 0,
    no_browser: Annotated[bool, option("--no-browser", help="Only print the page's address.")] = False,
    export: Annotated[
        Path | None,
        option(
            metavar="FILE",
            help="Write the decisions to this .csv or .parquet file and stop, without a page.",
            show_default=False,
        ),
    ] = None,
    force: Force = False,
) -> None:
    """Judge the suspects on a local page: keep a label, change it, or say that it cannot be told.

    Rows without a label can be given one there, too (Filters, Rows).

    The page is for this machine alone and needs no network. Each decision is on the disk before the page counts it, and
    when the server stops (Ctrl-C) all of them are in decisions.csv beside the database, for `noiseaudit clean
    --decisions`. Needs the extra `review`, but for --export. docs/review.md says more.
    """
    from noiseaudit.decisions import check_kind
    from noiseaudit.errors import ConfigError
    from noiseaudit.manifest import run_folder
    from noiseaudit.outputs import DECISIONS_FILE, check_file
    from noiseaudit.review.agreement import agreement_text
    from noiseaudit.review.export import export_decisions
    from noiseaudit_cli.console import say, visible
    from noiseaudit_cli.earlier import before_review, decisions, taken_over

    _settle(audit)
    of_rows = rows and rows.with_name(f"{rows.stem}.answers.sqlite")
    place = db or of_rows or run_folder(audit) / DECISIONS_FILE
    never = [*_never_written(audit, label_file), *filter(None, [rows])]
    _check_database(place, never)
    if carry_over and rows:
        raise ConfigError(
            "--carry-over does not go with --rows: these are to be judged anew", fix="Leave out one of them."
        )
    if export is not None:
        check_kind(export)
        check_file(
            export,
            force=force,
            inputs=[place, *never],
            option="--export",
            answered="Choose another --export, or give --force, which keeps what is not in the new file aside.",
        )
        if carry_over:
            say(taken_over(audit, place))
        exported = export_decisions(audit, place, export, rows)
        if exported.note:
            say(visible(exported.note))
        told, unlabelled = agreement_text(exported.agreement), agreement_text(exported.unlabelled)
        agreed = f"{told and f'; {told}'}{unlabelled and f'; without a label: {unlabelled}'}"
        made = decisions(exported.n_decisions, exported.n_skipped)
        say(f"{made} in {visible(str(export))}{agreed}")
        return
    _check_extra()
    from noiseaudit_cli.serving import serve_until_stopped
    from noiseaudit_review.asked import checked_reviewer
    from noiseaudit_review.review import Places, open_review
    from noiseaudit_review.server import listening

    who = checked_reviewer(reviewer or "")
    with listening(port) as listener:
        places = Places(audit, place, place.with_suffix(".csv"), images, _moved(audit, label_file), rows)
        if rows is None and (told := (taken_over if carry_over else before_review)(audit, place)):
            say(told)
        serve_until_stopped(open_review(places, who), listener, opens_browser=not no_browser)


def _check_extra() -> None:
    from importlib import import_module

    from noiseaudit.errors import ConfigError

    try:
        for name in ("fastapi", "uvicorn"):
            import_module(name)
    except ImportError as error:
        raise ConfigError(
            f"review needs the extra `review` ({error.name} is not installed)",
            fix="pip install 'noiseaudit[review]'",
        ) from error


def _settle(audit: Path) -> None:
    """A scan's swap that was cut off is ended first: the decisions may lie in the hidden folder of the old run."""
    import os.path

    from noiseaudit.swap import settle

    is_folder = audit.is_dir() or audit.suffix != ".parquet"
    folder = Path(os.path.realpath(audit if is_folder else audit.parent))
    if folder.name:
        settle(folder)


def _check_database(place: Path, never: Sequence[Path]) -> None:
    """The decisions are written beside the database, to a file that must be another one, and none of `never`."""
    import os.path

    from noiseaudit.errors import ConfigError

    out = os.path.realpath(place.with_suffix(".csv"))
    if place.suffix.lower() in (".csv", ".parquet") or os.path.realpath(place) == out:
        raise ConfigError(
            f"--db {place}: the database cannot be the file that decisions are written to",
            fix="Give a name that ends in .sqlite.",
        )
    if out in map(os.path.realpath, never):
        raise ConfigError(
            f"--db {place}: the decisions would be written to {place.with_suffix('.csv')}, read by the scan or --rows",
            fix="Give another name.",
        )


def _never_written(audit: Path, label_file: Path | None) -> list[Path]:
    """What a scan read, and what it wrote."""
    from noiseaudit.manifest import run_folder
    from noiseaudit.never_written import never_written
    from noiseaudit.runfiles import scan_files

    return [*never_written(audit, label_file), *scan_files(run_folder(audit))]


def _moved(audit: Path, label_file: Path | None) -> Source | None:
    from noiseaudit.manifest import find_source

    return None if label_file is None else find_source(audit, label_file)

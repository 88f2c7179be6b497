"""noiseaudit bench table and bench plot: what the kept runs of `bench run` come to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from noiseaudit_cli.options import option

EXAMPLES = """
noiseaudit bench table table1
noiseaudit bench table table3 --scale paper
noiseaudit bench plot figure2
noiseaudit bench plot table3
"""
_FIGURES = {"figure2": "svhn", "table3": "mnist"}  # and the paper's data sets
Table = Annotated[
    str,
    typer.Argument(
        metavar="TABLE",
        help="table1, table2, table3, figure2 or high-noise.",
        show_default=False,
        show_envvar=False,
    ),
]
Results = Annotated[
    Path, option(metavar="DIR", help="Folder of the results, a file for each table and data set.")
]
Scale = Annotated[str | None, option(metavar="NAME", help="Of this scale only.", show_default=False)]
Epochs = Annotated[int | None, option(metavar="N", help="Of this number of epochs only.", show_default=False)]


def table(
    table: Table,
    dataset: Annotated[
        str | None, option(metavar="NAME", help="Of this data set only.", show_default=False)
    ] = None,
    scale: Scale = None,
    epochs: Epochs = None,
    out: Results = Path("bench-results"),
) -> None:
    """Print a table in Markdown: ours beside the published numbers.

    Means and standard deviations over seeds, the better of the two marked, and differences between methods over the
    seeds that they share.
    """
    from noiseaudit.bench.tables import table_text

    typer.echo(
        table_text(_kept_in(table), _lines(table, dataset, out, scale, epochs), scale=scale, epochs=epochs)
    )


def plot(
    table: Annotated[
        str,
        typer.Argument(
            metavar="FIGURE",
            help="figure2: test errors at 20, 30 and 40 % corruption. table3: how well corrupt labels are found.",
            show_default=False,
            show_envvar=False,
        ),
    ],
    dataset: Annotated[
        str | None,
        option(
            metavar="NAME",
            help="The paper's by default: svhn for Figure 2, mnist for Table 3.",
            show_default=False,
        ),
    ] = None,
    scale: Scale = None,
    epochs: Epochs = None,
    noise: Annotated[
        str, option(metavar="KIND", help="symmetric (the paper's), uniform, asymmetric or instance.")
    ] = "symmetric",
    out: Results = Path("bench-results"),
) -> None:
    """Draw what the kept runs did over their epochs, as a static SVG file in --out."""
    from noiseaudit.atomic import write_text
    from noiseaudit.bench.grids import LABELS
    from noiseaudit.bench.sections import sections
    from noiseaudit.config import one_of
    from noiseaudit.errors import ConfigError
    from noiseaudit.noise import KINDS
    from noiseaudit_reports.bench_figure import detection_curves, error_curves

    one_of("FIGURE", table, tuple(_FIGURES))
    one_of("--noise", noise, KINDS)
    dataset = dataset or _FIGURES[table]
    lines = _lines(table, dataset, out, scale, epochs)
    if table == "figure2":  # not Table 3's few labels
        lines = [line for line in lines if line["labels"] == LABELS.get(line["dataset"])]
    found = sections(lines, _kept_in(table), scale=scale, epochs=epochs, noise=noise)
    if not found:
        raise _no_runs(f"{table} with {noise} noise", table, out)
    if len(found) > 1:
        titles = "; ".join(section.title for section in found)
        raise ConfigError(
            f"several sets of runs are there ({titles})",
            fix="Choose with --scale and --epochs; move other data's runs to another --out.",
        )
    drawn = (error_curves if table == "figure2" else detection_curves)(found[0])
    if not drawn:
        raise _no_runs(f"{table} at the figure's rates", table, out)
    file = out / f"{table}_{found[0].dataset}.svg"
    write_text(file, drawn)
    typer.echo(str(file))


def _kept_in(table: str) -> str:
    return "table1" if table == "figure2" else table


def _lines(
    table: str, dataset: str | None, out: Path, scale: str | None, epochs: int | None
) -> list[dict[str, Any]]:
    from noiseaudit.bench.grids import SCALES, TABLES
    from noiseaudit.bench.own import name_of
    from noiseaudit.bench.results import read_lines
    from noiseaudit.bench.sections import sections
    from noiseaudit.config import one_of

    one_of("TABLE", table, TABLES)
    if scale is not None:
        one_of("--scale", scale, tuple(SCALES))
    if dataset is not None:
        dataset = name_of(dataset)
    names = ("table1", table) if table == "table3" else (_kept_in(table),)
    files = [file for name in names for file in sorted(out.glob(f"{name}_{dataset or '*'}.jsonl"))]
    lines = [line for file in files for line in read_lines(file)]
    if not sections(lines, names[-1], scale=scale, epochs=epochs):
        raise _no_runs(table if dataset is None else f"{table} on {dataset}", table, out)
    return lines


def _no_runs(what: str, table: str, out: Path) -> Exception:
    from noiseaudit.errors import DataError

    kept = _kept_in(table)
    others = sorted(file.stem.removeprefix(f"{kept}_") for file in out.glob(f"{kept}_*.jsonl"))
    there = (
        f", or choose by --dataset, --scale and --epochs from what is there: {', '.join(others)}"
        if others
        else ""
    )
    return DataError(
        f"no such runs of {what}", file=out, fix=f"Start them: noiseaudit bench run {table}{there}"
    )

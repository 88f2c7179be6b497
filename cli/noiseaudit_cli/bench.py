"""noiseaudit bench: run the paper's comparisons again, here and now, and print them beside its numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from noiseaudit_cli.bench_show import Results, Table, plot, table
from noiseaudit_cli.environment import one_a_line
from noiseaudit_cli.option_values import listed, named_values, numbers, seed_list
from noiseaudit_cli.options import (
    Encoding,
    ImageColumn,
    LabelColumn,
    MissingLabel,
    SplitColumn,
    TrueLabelColumn,
    option,
)
from noiseaudit_cli.training_options import Device

HELP = "Run the paper's comparisons again, or the same on your own data, and print them beside its numbers."
EXAMPLES = """
noiseaudit bench run table1 --dataset mnist --data DATA --download
noiseaudit bench run table3 --scale paper --methods umn,umn_plus --device cuda
noiseaudit bench run table1 --dataset labels.csv --images photos --rates 0.1,0.3
"""
_MACHINE = "Machine"

Dataset = Annotated[
    str | None,
    option(
        metavar="NAME|FILE",
        help="mnist, svhn, cifar10, or a label file (default: all of the table). Also a folder of images by class, or "
        "one with train.parquet and test.parquet.",
        show_default=False,
    ),
]
Epochs = Annotated[int | None, option(metavar="N", help="In place of the scale's.", show_default=False)]


def run(
    table: Table,
    dataset: Dataset = None,
    methods: Annotated[
        str | None,
        option(
            metavar="LIST",
            help="Methods, or METHOD:VARIANT, with commas between (default: all of the table).",
            show_default=False,
        ),
    ] = None,
    rates: Annotated[
        str | None,
        option(
            metavar="LIST",
            help="Shares of corrupted labels, with commas between (default: the table's).",
            show_default=False,
        ),
    ] = None,
    seeds: Annotated[
        str | None,
        option(metavar="LIST", help="As in 0,1,2 or 0-4 (default: the scale's).", show_default=False),
    ] = None,
    scale: Annotated[
        str,
        option(
            metavar="NAME",
            help="paper (350 epochs, 5 seeds), medium (60 epochs, 3 seeds) or smoke (2 epochs, 1 seed, few rows).",
        ),
    ] = "medium",
    epochs: Epochs = None,
    noise: Annotated[
        str, option(metavar="KIND", help="symmetric (the paper's), uniform, asymmetric or instance.")
    ] = "symmetric",
    recipe: Annotated[
        str,
        option(
            metavar="NAME",
            help="searched: the same perturbations for all methods, and what a search of equal size chose, where it is "
            "complete; own: each method's own settings. Where no label is left out, always own.",
        ),
    ] = "searched",
    setting: Annotated[
        list[str] | None,
        option(
            "--set",
            envvar="NOISEAUDIT_BENCH_RUN_SET",
            callback=one_a_line,
            metavar="NAME=VALUE",
            help="Change a setting of the methods (repeatable, in NOISEAUDIT_BENCH_RUN_SET one a line); shown with "
            "their names.",
            show_default=False,
        ),
    ] = None,
    out: Results = Path("bench-results"),
    data: Annotated[
        Path | None,
        option(
            envvar="NOISEAUDIT_DATA",
            metavar="DIR",
            help="Folder of the data sets, as torchvision lays it out (default: NOISEAUDIT_DATA).",
            show_default=False,
        ),
    ] = None,
    download: Annotated[
        bool, option("--download", help="Fetch a data set that is not in --data; else nothing is fetched.")
    ] = False,
    images: Annotated[
        Path | None,
        option(
            metavar="DIR",
            help="Folder that a label file's image paths are relative to (default: its own).",
            show_default=False,
        ),
    ] = None,
    device: Annotated[
        Device, option(help="Where to train; auto takes a GPU if there is one.", rich_help_panel=_MACHINE)
    ] = Device.AUTO,
    jobs: Annotated[
        int | None,
        option(
            min=1,
            metavar="N",
            help="Groups of runs at a time (default: one; on Ray, as many as it has cores).",
            show_default=False,
            rich_help_panel=_MACHINE,
        ),
    ] = None,
    backend: Annotated[
        str,
        option(
            metavar="NAME",
            help="local, or ray: the Ray cluster of RAY_ADDRESS, else one that is started here.",
            rich_help_panel=_MACHINE,
        ),
    ] = "local",
    no_stack: Annotated[
        bool,
        option("--no-stack", help="Train every run by itself.", rich_help_panel=_MACHINE),
    ] = False,
    encoding: Encoding = "utf-8",
    missing_label: MissingLabel = None,
    image_column: ImageColumn = None,
    label_column: LabelColumn = None,
    true_label_column: TrueLabelColumn = None,
    split_column: SplitColumn = None,
    quiet: Annotated[bool, option("--quiet", "-q", help="Say nothing but errors.")] = False,
) -> None:
    """Run what a table lacks.

    Each run adds a line to a file in --out, with its settings, curves, seconds, hardware and versions. Runs that have
    their line are passed over, so a grid that was stopped goes on where it was.

    Of a label file, the rows whose split is test are tested on, or else a fifth of each class; all others keep their
    labels, but for the share that is corrupted.
    """
    from noiseaudit.bench.grids import Choices
    from noiseaudit.bench.own import Reading
    from noiseaudit.bench.runner import Machine, Place, run_table
    from noiseaudit.labels.columns import ColumnNames
    from noiseaudit_cli.bench_progress import BenchProgress

    choices = Choices(
        dataset=dataset,
        methods=listed(methods),
        rates=numbers("--rates", rates, float),
        seeds=seed_list(seeds),
        scale=scale,
        epochs=epochs,
        noise=noise,
        recipe=recipe,
        settings=named_values(setting),
    )
    columns = ColumnNames(
        image=image_column, label=label_column, true_label=true_label_column, split=split_column
    )
    reading = Reading(columns, missing_label, encoding)
    place = Place(out=out, root=data, images=images, reading=reading, download=download)
    machine = Machine(device=device.value, jobs=jobs, backend=backend, stack=not no_stack)
    with BenchProgress(quiet=quiet) as progress:
        run_table(table, choices, place, machine, progress)


COMMANDS: dict[str, Callable[..., None]] = {"run": run, "table": table, "plot": plot}

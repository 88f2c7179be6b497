"""noiseaudit score: judge other rows by the model of a finished scan."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from noiseaudit.data.limits import DEFAULT_MAX_MEMORY_TEXT, DEFAULT_MAX_PIXELS
from noiseaudit_cli.option_values import check_places, sample_options
from noiseaudit_cli.options import (
    AllowRoot,
    AnnotatorColumn,
    BatchColumn,
    Data,
    Embeddings,
    Encoding,
    FeatureCache,
    IdColumn,
    ImageColumn,
    Images,
    Json,
    LabelColumn,
    MaxPixels,
    MissingLabel,
    SplitColumn,
    Strict,
    TrueLabelColumn,
    Workers,
    option,
)
from noiseaudit_cli.training_options import Device

EXAMPLES = """
noiseaudit score new.csv --images photos --checkpoint run --out scored
noiseaudit score new.parquet --embeddings clip.npy --checkpoint run --out scored --cutoff budget=500
noiseaudit score new.csv --images /shared/photos --checkpoint /shared/run --out scored --backend ray
"""


class Backend(StrEnum):
    LOCAL = "local"
    RAY = "ray"


def score(
    data: Data,
    checkpoint: Annotated[
        Path, option(metavar="RUN", help="The --out folder of a finished scan, or its model.safetensors.")
    ],
    out: Annotated[Path, option(metavar="DIR", help="Run folder to create.")],
    images: Images = None,
    cutoff: Annotated[
        str | None,
        option(
            metavar="RULE",
            help="Where suspects begin among these rows, as in scan (default: the scan's rule).",
            show_default=False,
        ),
    ] = None,
    device: Annotated[
        Device, option(help="Where the networks predict; auto takes a GPU if there is one.")
    ] = Device.AUTO,
    backend: Annotated[
        Backend,
        option(
            help="local, or ray: a Ray Data job on the cluster of RAY_ADDRESS, else on one that is started here."
        ),
    ] = Backend.LOCAL,
    actors: Annotated[
        int | None,
        option(
            min=1,
            metavar="N",
            help="Ray actors, each with the model (default: one a CPU, or GPU, of the cluster).",
            show_default=False,
        ),
    ] = None,
    force: Annotated[bool, option("--force", help="Replace the run folder of an earlier run.")] = False,
    json: Json = False,
    quiet: Annotated[bool, option("--quiet", "-q", help="Say nothing but errors.")] = False,
    embeddings: Embeddings = None,
    feature_cache: FeatureCache = None,
    allow_root: AllowRoot = None,
    max_pixels: MaxPixels = DEFAULT_MAX_PIXELS,
    strict: Strict = False,
    workers: Workers = None,
    encoding: Encoding = "utf-8",
    missing_label: MissingLabel = None,
    image_column: ImageColumn = None,
    label_column: LabelColumn = None,
    id_column: IdColumn = None,
    true_label_column: TrueLabelColumn = None,
    split_column: SplitColumn = None,
    annotator_column: AnnotatorColumn = None,
    batch_column: BatchColumn = None,
) -> None:
    """Judge other rows by the model of a finished scan, without training.

    Every labelled row gets a p_mislabeled, every row a suggestion. Labels must be among the classes of the scan. Writes
    what scan writes, but for the dynamics and the model.
    """
    check_places(data, images, embeddings)

    from noiseaudit.labels.columns import ColumnNames
    from noiseaudit.rescore import ScoreOptions
    from noiseaudit.rescore import score as run_score
    from noiseaudit_cli.console import print_json
    from noiseaudit_cli.progress import ScoreProgress
    from noiseaudit_cli.reporting import write_run_reports
    from noiseaudit_cli.summary import scan_summary

    options = ScoreOptions(
        data=data,
        checkpoint=checkpoint,
        out=out,
        samples=sample_options(
            data,
            images,
            embeddings,
            feature_cache,
            allow_root=allow_root,
            max_pixels=max_pixels,
            strict=strict,
            workers=workers,
            max_memory=DEFAULT_MAX_MEMORY_TEXT,  # it holds a block of rows at a time
        ),
        cutoff=cutoff,
        device=device.value,
        backend="ray" if backend is Backend.RAY else "local",
        actors=actors,
        columns=ColumnNames(
            image=image_column,
            label=label_column,
            id=id_column,
            true_label=true_label_column,
            split=split_column,
            annotator=annotator_column,
            batch=batch_column,
        ),
        missing_label=missing_label,
        encoding=encoding,
        force=force,
    )
    with ScoreProgress(quiet=quiet or json) as progress:
        run = run_score(options, progress, write_run_reports(out))
    if json:
        print_json({"run": str(out), **run})
    elif not quiet:
        typer.echo(scan_summary(run, out))

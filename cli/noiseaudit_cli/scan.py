"""noiseaudit scan: train on the labels, doubt them, and write down which look wrong."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from noiseaudit.data.limits import DEFAULT_MAX_MEMORY_TEXT, DEFAULT_MAX_PIXELS
from noiseaudit.outputs import check_output
from noiseaudit_cli.cutoff_options import Cutoff, ReviewBudget, TargetPrecision, TargetRecall, cutoff_rule
from noiseaudit_cli.option_values import check_places, named_values, sample_options
from noiseaudit_cli.options import (
    READING,
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
    MaxMemory,
    MaxPixels,
    MissingLabel,
    SplitColumn,
    Strict,
    TrueLabelColumn,
    Workers,
    option,
)
from noiseaudit_cli.training_options import (
    Backbone,
    BatchSize,
    Device,
    Epochs,
    FineTune,
    Folds,
    Method,
    NoiseRate,
    OnDevice,
    SelfTest,
    Setting,
    Trusted,
)

EXAMPLES = """
noiseaudit scan labels.csv --images photos --out run
noiseaudit scan photos --out run
noiseaudit scan 'shards-{000..012}.tar' --out run
noiseaudit scan labels.parquet --embeddings clip.npy --out run
noiseaudit scan labels.csv --images photos --out run --review-budget 500
noiseaudit scan labels.csv --images photos --out run --target-precision 0.9
noiseaudit scan labels.csv --images photos --out run --resume
"""


def scan(
    data: Data,
    out: Annotated[Path, option(metavar="DIR", help="Run folder to create.")],
    images: Images = None,
    seed: Annotated[int, option(metavar="N", help="The same seed gives the same audit.")] = 0,
    cutoff: Cutoff = "auto",
    target_precision: TargetPrecision = None,
    target_recall: TargetRecall = None,
    review_budget: ReviewBudget = None,
    fine_tune: FineTune = False,
    folds: Folds = None,
    self_test: SelfTest = False,
    force: Annotated[bool, option("--force", help="Replace the run folder of an earlier scan.")] = False,
    resume: Annotated[
        bool,
        option(
            "--resume",
            help="Go on with a scan that was cut off, after its last epoch, to the same result; where there is none, "
            "start. With --force, start again where options or data are not the same.",
        ),
    ] = False,
    json: Json = False,
    quiet: Annotated[bool, option("--quiet", "-q", help="Say nothing but errors.")] = False,
    method: Method = "umn_plus",
    backbone: Backbone = "auto",
    device: OnDevice = Device.AUTO,
    epochs: Epochs = None,
    batch_size: BatchSize = None,
    setting: Setting = None,
    noise_rate: NoiseRate = None,
    trusted: Trusted = None,
    image_size: Annotated[
        int | None,
        option(
            metavar="PX",
            help="Side to which images are resized (default: by their sizes).",
            show_default=False,
            rich_help_panel=READING,
        ),
    ] = None,
    embeddings: Embeddings = None,
    feature_cache: FeatureCache = None,
    allow_root: AllowRoot = None,
    max_pixels: MaxPixels = DEFAULT_MAX_PIXELS,
    max_memory: MaxMemory = DEFAULT_MAX_MEMORY_TEXT,
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
    """Find the labels that look wrong.

    Trains on the given labels and the images, unlabelled rows included, and scores how probable it is that each
    label is wrong. Writes audit.parquet, suspects.csv, a cleaned label file, report.html, .md and .json, and more
    to the run folder.
    """
    rule = cutoff_rule(cutoff, precision=target_precision, recall=target_recall, budget=review_budget)
    check_places(data, images, embeddings)
    if "WORLD_SIZE" not in os.environ:  # else another process may have begun it
        check_output(out, force=force, resume=resume)

    from noiseaudit.config import AuditConfig
    from noiseaudit.distributed import launched_processes, launched_rank
    from noiseaudit.labels.columns import ColumnNames
    from noiseaudit.scan import scan as run_scan
    from noiseaudit.scan_options import ScanOptions
    from noiseaudit_cli.console import print_json
    from noiseaudit_cli.progress import ScanProgress
    from noiseaudit_cli.reporting import write_run_reports
    from noiseaudit_cli.summary import scan_summary

    options = ScanOptions(
        data=data,
        out=out,
        samples=sample_options(
            data,
            images,
            embeddings,
            feature_cache,
            allow_root=allow_root,
            max_pixels=max_pixels,
            max_memory=max_memory,
            strict=strict,
            workers=workers,
        ),
        config=AuditConfig(
            method=method,
            backbone=backbone,
            image_size=image_size,
            epochs=epochs,
            batch_size=batch_size,
            device=device.value,
            seed=seed,
            cutoff=rule,
            fine_tune=fine_tune,
            folds=folds,
            self_test=self_test,
            noise_rate=noise_rate,
            settings=named_values(setting),
        ),
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
        trusted=trusted,
        force=force,
        resume=resume,
    )
    with ScanProgress(quiet=quiet or json or launched_rank() > 0) as progress:
        if launched_processes() > 1:
            from noiseaudit.scan_together import scan_together

            run = scan_together(options, progress, write_run_reports(out))
        else:
            run = run_scan(options, progress, write_run_reports(out))
    if launched_rank() > 0:
        return
    if json:
        print_json({"run": str(out), **run})
    elif not quiet:
        typer.echo(scan_summary(run, out))

"""noiseaudit compare: ways to find wrong labels, side by side on the same data."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from noiseaudit.data.limits import DEFAULT_MAX_MEMORY_TEXT, DEFAULT_MAX_PIXELS
from noiseaudit_cli.option_values import check_places, listed, sample_options, seed_list, share
from noiseaudit_cli.options import (
    AllowRoot,
    AnnotatorColumn,
    BatchColumn,
    Data,
    Embeddings,
    Encoding,
    FeatureCache,
    Force,
    IdColumn,
    ImageColumn,
    Images,
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
from noiseaudit_cli.training_options import Device

EXAMPLES = """
noiseaudit compare labels.csv --images photos --truth truth.csv --out compared.jsonl
noiseaudit compare labels.csv --embeddings clip.npy --plant asymmetric --rate 0.2 --out compared.jsonl
"""


def compare(
    data: Data,
    out: Annotated[Path, option(metavar="FILE", help="Results, a JSON line for each tool and seed.")],
    images: Images = None,
    truth: Annotated[
        Path | None,
        option(
            metavar="FILE",
            help="Which labels are wrong, as for evaluate (default: the label file's true_label).",
            show_default=False,
        ),
    ] = None,
    plant: Annotated[
        str | None,
        option(
            metavar="KIND",
            help="symmetric, uniform or asymmetric: take the labels for right, and corrupt some with every seed.",
            show_default=False,
        ),
    ] = None,
    rate: Annotated[
        float | None,
        option(
            parser=share,
            metavar="R",
            help="Share of the labels that --plant corrupts (default: 0.2).",
            show_default=False,
        ),
    ] = None,
    tools: Annotated[
        str | None,
        option(
            metavar="LIST",
            help="noiseaudit, guider, cleanlab, cleanlab_logistic (embeddings or features), aum, small_loss, knn "
            "(default: all that can run).",
            show_default=False,
        ),
    ] = None,
    seeds: Annotated[str, option(metavar="LIST", help="As in 0,1,2 or 0-4.")] = "0-2",
    epochs: Annotated[
        int | None,
        option(metavar="N", help="Of every network (default: as for scan).", show_default=False),
    ] = None,
    backbone: Annotated[str, option(metavar="NAME", help="As for scan; of every network.")] = "auto",
    image_size: Annotated[int | None, option(metavar="PX", help="As for scan.", show_default=False)] = None,
    device: Annotated[Device, option(help="Where networks train.")] = Device.AUTO,
    force: Force = False,
    quiet: Annotated[bool, option("--quiet", "-q", help="Say nothing but errors and the table.")] = False,
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
    """Compare ways to find wrong labels on your own data.

    Every tool gets the same features, encoder, perturbations and folds, and trains as many steps as scan would, or
    --epochs (aum on features or embeddings: a quarter). Prints average precision, AUROC, F1 at the tool's own cut-off
    and at the best one, and seconds, with paired differences over the seeds: with known truth their intervals cover
    the training, not other rows. Until it is done, results are in OUT.partial.
    """
    import tempfile

    check_places(data, images, embeddings)

    from noiseaudit.choose import choose_device
    from noiseaudit.compare.question import check_has_truth, pose
    from noiseaudit.compare.run import compare as run
    from noiseaudit.compare.run import keep, tools_for
    from noiseaudit.config import AuditConfig
    from noiseaudit.labels.columns import ColumnNames
    from noiseaudit.labels.read import read_labels
    from noiseaudit.load_samples import load_samples
    from noiseaudit.outputs import check_file
    from noiseaudit.runtime import training_runtime
    from noiseaudit_cli.console import say
    from noiseaudit_cli.progress import ScanProgress

    check_file(out, force=force, inputs=[file for file in (data, truth, embeddings) if file])
    seed_numbers, asked = seed_list(seeds) or [], listed(tools)
    config = AuditConfig(backbone=backbone, epochs=epochs, device=device.value, image_size=image_size)
    options = sample_options(
        data,
        images,
        embeddings,
        feature_cache,
        allow_root=allow_root,
        max_pixels=max_pixels,
        max_memory=max_memory,
        strict=strict,
        workers=workers,
    )
    # Decoded images may not fit where temporary files usually go.
    beside = out.absolute().parent
    with tempfile.TemporaryDirectory(dir=beside, prefix=".noiseaudit-") as cache, training_runtime():
        labels = read_labels(
            data,
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
            images_required=embeddings is None,
        )
        if truth is None and plant is None:
            check_has_truth(labels)
        with ScanProgress(quiet=quiet) as progress:
            samples = load_samples(
                labels, options, image_size=image_size, cache_dir=Path(cache), backbone=backbone,
                device=choose_device(device.value), on_features=progress.on_features,
            )  # fmt: skip
        question, where = pose(labels, samples, config, truth=truth, plant=plant, rate=rate)
        told: Callable[[str], None] = (lambda text: None) if quiet else say
        for note in (*labels.warnings, *samples.warnings, *question.notes):
            told(f"note: {note}")
        chosen = tools_for(question, asked)
        lines = run(
            question, chosen, seed_numbers, config, where, lambda seed, name: told(f"seed {seed}, {name} ...")
        )
        _show(keep(lines, out), told)


def _show(lines: Iterable[dict[str, Any]], told: Callable[[str], None]) -> None:
    """Tell of each line as it comes, and print the table of those that came, however it ends."""
    from noiseaudit.compare.table import table
    from noiseaudit_cli.live import duration

    done: list[dict[str, Any]] = []
    try:
        for line in lines:
            done.append(line)
            told(f"seed {line['seed']}, {line['tool']}: {duration(line['seconds'])}")
    finally:
        if done:
            typer.echo(table(done), nl=False)

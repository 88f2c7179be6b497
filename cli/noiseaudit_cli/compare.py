"""noiseaudit compare: ways to find wrong labels, side by side on the same data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from noiseaudit_cli.options import Data, Force, feature_folder, listed, option, seed_list
from noiseaudit_cli.scan import Device

EXAMPLES = """
noiseaudit compare labels.csv --images photos --truth truth.csv --out compared.jsonl
noiseaudit compare labels.csv --embeddings clip.npy --plant asymmetric --rate 0.2 --out compared.jsonl
"""


def compare(
    data: Data,
    out: Annotated[Path, option(metavar="FILE", help="Results, a JSON line for each tool and seed.")],
    images: Annotated[
        Path | None,
        option(metavar="DIR", help="Folder that image paths are relative to.", show_default=False),
    ] = None,
    embeddings: Annotated[
        Path | None,
        option(
            metavar="FILE",
            help="In place of images: .npy in row order, or .parquet with sample_id.",
            show_default=False,
        ),
    ] = None,
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
            help="symmetric or asymmetric: take the labels for right, and corrupt some with every seed.",
            show_default=False,
        ),
    ] = None,
    rate: Annotated[float, option(metavar="R", help="Share of the labels that --plant corrupts.")] = 0.2,
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
    feature_cache: Annotated[
        str | None, option(metavar="DIR|none", help="As for scan.", show_default=False)
    ] = None,
    device: Annotated[Device, option(help="Where networks train.")] = Device.AUTO,
    force: Force = False,
    quiet: Annotated[bool, option("--quiet", "-q", help="Say nothing but errors and the table.")] = False,
) -> None:
    """Compare ways to find wrong labels on your own data.

    Every tool gets the same features, encoder, number of epochs and folds. Prints average precision, AUROC, F1 at the
    tool's own cut-off and at the best one, and seconds, with paired differences over the seeds.
    """
    import tempfile
    from json import dumps

    from noiseaudit.choose import choose_device
    from noiseaudit.compare.question import pose
    from noiseaudit.compare.run import compare as run
    from noiseaudit.compare.run import tools_for
    from noiseaudit.compare.table import table as as_table
    from noiseaudit.config import AuditConfig
    from noiseaudit.labels.read import read_labels
    from noiseaudit.outputs import check_file
    from noiseaudit.runtime import training_runtime
    from noiseaudit.samples import SampleOptions, load_samples
    from noiseaudit_cli.console import say

    check_file(out, force=force, inputs=[data, *([truth] if truth else [])])
    seed_numbers = seed_list(seeds) or [0]
    config = AuditConfig(backbone=backbone, epochs=epochs, device=device.value)
    options = SampleOptions(
        images=images if images or embeddings or not data.is_dir() else data,
        embeddings=embeddings,
        feature_cache=feature_folder(feature_cache),
    )
    with tempfile.TemporaryDirectory(prefix="noiseaudit-") as cache, training_runtime():
        labels = read_labels(data, images_required=embeddings is None)
        samples = load_samples(
            labels, options, image_size=None, cache_dir=Path(cache), backbone=backbone,
            device=choose_device(device.value),
        )  # fmt: skip
        question, where = pose(labels, samples, config, truth=truth, plant=plant, rate=rate)
        names, lines = tools_for(question, listed(tools)), []
        with out.open("w", encoding="utf-8") as file:
            for line in run(question, names, seed_numbers, config, where):
                lines.append(line)
                print(dumps(line), file=file, flush=True)
                if not quiet:
                    say(f"seed {line['seed']}, {line['tool']}: {line['seconds']:.0f} s")
    typer.echo(as_table(lines), nl=False)

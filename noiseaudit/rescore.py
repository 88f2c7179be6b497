"""score(): other rows, judged by the model of a finished scan. Nothing is trained.

The networks are those of the scan's last epoch, the noise is what the scan learnt (noiseaudit.unseen), so p_mislabeled
of a row depends on the row alone; rank, cut-off and evidence are among the rows that are scored together. Pictures that
stand twice are not looked for: a scan does that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from noiseaudit.choose import choose_device
from noiseaudit.data.embeddings import load_embeddings
from noiseaudit.data.paths import resolve_images
from noiseaudit.describe_run import RunInputs, describe_run
from noiseaudit.distributed import launched_processes
from noiseaudit.errors import ConfigError, DataError
from noiseaudit.labels.columns import FIND_ALL, ColumnNames
from noiseaudit.labels.read import read_labels
from noiseaudit.labels.table import LabelTable
from noiseaudit.load_samples import SampleOptions
from noiseaudit.methods import METHODS
from noiseaudit.model_file import read_model
from noiseaudit.runfolder import RunFolder
from noiseaudit.runtime import training_runtime
from noiseaudit.saved_model import SavedModel
from noiseaudit.scan import WriteReports, write_results
from noiseaudit.score_blocks import Block, Scorer, Scores, block_rows, cut_blocks
from noiseaudit.score_checks import Shown, check_read, strict_errors
from noiseaudit.scored import audit_scores, gather
from noiseaudit.threshold import check_cutoff


class Watcher(Protocol):
    """Who is told how scoring gets on."""

    def on_table(self, table: LabelTable) -> None: ...

    def on_rows(self, done: int, total: int) -> None: ...


@dataclass(frozen=True)
class ScoreOptions:
    """What to score, by which model, and where to."""

    data: Path
    checkpoint: Path  # run folder of a scan, or its model.safetensors
    out: Path
    samples: SampleOptions
    cutoff: str | None = None  # None: the scan's rule
    device: str = "auto"
    backend: Literal["local", "ray"] = "local"
    actors: int | None = None  # of Ray; None = as many as there are CPUs, or GPUs
    columns: ColumnNames = field(default=FIND_ALL)
    missing_label: str | None = None
    encoding: str = "utf-8"
    force: bool = False


def score(options: ScoreOptions, watcher: Watcher, write_reports: WriteReports) -> dict[str, Any]:
    """Score the rows of a label file and fill the run folder `options.out`; return the content of its run.json.

    Raises ConfigError, DataError or OutputError for what the user can mend; no output folder is left then.
    """
    model = read_model(options.checkpoint)
    check_options(options, model)
    samples = options.samples
    read = [path for path in (options.data, options.checkpoint, samples.images, samples.embeddings) if path]
    with RunFolder(options.out, force=options.force, inputs=read, can_go_on=False) as run, training_runtime():
        table = read_labels(
            options.data,
            columns=options.columns,
            missing_label=options.missing_label,
            encoding=options.encoding,
            images_required=samples.embeddings is None,
            classes=model.meta.classes,
        )
        assert table.source
        if table.pictures is not None:
            raise DataError(
                "score does not read data sets that hold their images",
                file=options.data,
                fix="Give a label file with --images or --embeddings.",
            )
        watcher.on_table(table)
        blocks = _blocks(table, options, model)
        folder, shown = run.start(), _shown(table, options)
        found = gather(
            _map(options, model, blocks),
            len(table),
            on_rows=watcher.on_rows,
            refused=strict_errors(shown) if samples.strict else None,
        )
        check_read(found, shown, options.checkpoint)
        rule = options.cutoff or model.meta.cutoff.rule
        result, embeddings = audit_scores(table, model, found, rule, device=choose_device(options.device))
        cleaned = write_results(result, embeddings, table.source, folder)
        roots, limit = tuple(samples.allow_roots), samples.max_pixels
        inputs = RunInputs(table.source, samples.images, samples.embeddings, roots, max_pixels=limit)
        info = describe_run(result, inputs, (*table.warnings, *found.warnings), cleaned)
        info["paths"]["checkpoint"] = str(options.checkpoint.absolute())
        write_reports(result, info, folder)
        run.finish(info)
    return info


def check_options(options: ScoreOptions, model: SavedModel) -> None:
    """Raise ConfigError for what can be seen to be wrong before anything is read."""
    if launched_processes() > 1:
        raise ConfigError(
            "score is not shared by processes of a launcher", fix="Start one, or give --backend ray for many."
        )
    check_cutoff(options.cutoff or "auto")
    if options.cutoff == "epsilon" and not METHODS[model.method].has_guider:
        raise ConfigError(
            f"--cutoff epsilon: {model.method} has no Guider, so no epsilon", fix="Use --cutoff auto."
        )
    choose_device(options.device)
    given = [name for name in ("images", "embeddings") if getattr(options.samples, name) is not None]
    wanted = "embeddings" if model.intake.kind == "embeddings" else "images"
    if given != [wanted]:
        found = " and ".join(f"--{name}" for name in given) or "neither"
        raise ConfigError(
            f"the model was trained on {wanted}, and {found} is given",
            fix=f"Give --{wanted}, and nothing else.",
        )
    if options.actors is not None and options.backend != "ray":
        raise ConfigError("--actors is for --backend ray", fix="Leave it out, or add --backend ray.")


def _blocks(table: LabelTable, options: ScoreOptions, model: SavedModel) -> Iterator[Block]:
    samples, rows = options.samples, block_rows(model)
    if samples.embeddings is not None:
        vectors = load_embeddings(samples.embeddings, table, strict=samples.strict)
        (width,) = model.shape
        if vectors.shape[1] != width:
            raise DataError(
                f"has {vectors.shape[1]} numbers a row, and the model was trained on {width}",
                file=samples.embeddings,
                fix="Give embeddings of the network that made those of the scan.",
            )
        return cut_blocks(None, vectors, rows)
    assert samples.images is not None
    if table.image is None:
        raise DataError("no image column", file=options.data, fix="Name it with --image-column.")
    column = (table.source.image_column if table.source else None) or "image"
    paths = resolve_images(
        table.image, samples.images, allow_roots=samples.allow_roots, file=options.data, column=column
    )
    return cut_blocks(paths, None, rows)


def _map(options: ScoreOptions, model: SavedModel, blocks: Iterator[Block]) -> Iterable[Scores]:
    if options.backend == "ray":
        from noiseaudit.cluster import map_blocks

        return map_blocks(options.checkpoint, options.samples, options.device, blocks, options.actors)
    return map(Scorer(model, options.samples, choose_device(options.device)), blocks)


def _shown(table: LabelTable, options: ScoreOptions) -> Shown:
    names = table.sample_id if table.image is None else table.image
    if options.samples.embeddings is not None:
        return Shown("embeddings", names, options.samples.embeddings, None)
    return Shown("images", names, options.data, table.source.image_column if table.source else None)

"""scan(): a whole run, from the label file to a finished run folder."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from noiseaudit import identity
from noiseaudit.atomic import atomic_path
from noiseaudit.audit_samples import Audit, audit_samples, scored_ids
from noiseaudit.choose import choose_device
from noiseaudit.clean import CleanSummary, clean_labels
from noiseaudit.course import EpochRecord
from noiseaudit.describe_run import describe_run
from noiseaudit.dynamics import write_epoch
from noiseaudit.errors import OtherRun
from noiseaudit.keeper import Keeper
from noiseaudit.labels.read import read_labels
from noiseaudit.labels.table import WITHOUT_FILE, LabelTable, Source
from noiseaudit.load_samples import load_samples
from noiseaudit.methods import METHODS
from noiseaudit.model_file import write_model
from noiseaudit.plan import Plan, make_plan
from noiseaudit.result import AuditResult
from noiseaudit.runfolder import RunFolder
from noiseaudit.runnames import AUDIT_FILE, CACHE, CLEANED, DYNAMICS_FOLDER, EMBEDDINGS_FILE, MODEL_FILE
from noiseaudit.runtime import training_runtime
from noiseaudit.samples import Samples
from noiseaudit.scan_options import ScanOptions, check_config, run_inputs, trusted_file
from noiseaudit.trusted import with_trusted

WriteReports = Callable[[AuditResult, dict[str, Any], Path], None]


class Watcher(Protocol):
    """Who is told how a scan gets on."""

    def on_table(self, table: LabelTable) -> None: ...

    def on_features(self, done: int, total: int) -> None: ...

    def on_plan(self, table: LabelTable, samples: Samples, plan: Plan) -> None: ...

    def on_epoch(self, record: EpochRecord) -> None: ...

    def on_extra(self, name: str, record: EpochRecord) -> None: ...

    def on_folds(self, folds: int, expected: float) -> None: ...

    def on_restored(self, name: str, done: int, epochs: int) -> None: ...

    def on_note(self, text: str) -> None: ...


def scan(options: ScanOptions, watcher: Watcher, write_reports: WriteReports) -> dict[str, Any]:
    """Audit the labels and fill the run folder `options.out`; return the content of its run.json.

    `write_reports(result, run, folder)` adds the reports before the folder is moved into place.

    Raises ConfigError, DataError or OutputError for what the user can mend, TrainingDiverged if training fails;
    no output folder is left then, unless a run was gone on from. CutOff, where the disk fails, KeyboardInterrupt and
    what kills the process leave one in which the same options with `resume` go on.
    """
    check_config(options.config, has_trusted=options.trusted is not None)
    try:
        return _scan(options, watcher, write_reports)
    except OtherRun as error:
        if not options.force:
            raise
        watcher.on_note(f"Starting again, as --force says: {error}")
    return _scan(dataclasses.replace(options, resume=False), watcher, write_reports)


def _scan(options: ScanOptions, watcher: Watcher, write_reports: WriteReports) -> dict[str, Any]:
    files = (options.data, options.samples.images, options.samples.embeddings, trusted_file(options))
    inputs = [path for path in files if path]
    with (
        RunFolder(options.out, force=options.force, resume=options.resume, inputs=inputs) as run,
        training_runtime(),
    ):
        run.same_as(identity.asked(options))
        if options.resume and run.before is None:
            watcher.on_note(f"Nothing to resume in {options.out}: starting from the beginning.")
        table = _read(options)
        assert table.source
        run.same_as(identity.read(table.source.path))
        watcher.on_table(table)
        if run.is_finished:
            return _finished(run, table, options, watcher)
        audit = _audit(table, options, run, watcher)
        write_model(audit.model, run.path / MODEL_FILE)
        cleaned = write_results(audit.result, audit.embeddings, table.source, run.path)
        info = describe_run(audit.result, run_inputs(table.source, options), audit.warnings, cleaned)
        write_reports(audit.result, info, run.path)
        run.finish(info)
    return info


def _read(options: ScanOptions) -> LabelTable:
    table = read_labels(
        options.data,
        columns=options.columns,
        missing_label=options.missing_label,
        encoding=options.encoding,
        images_required=options.samples.embeddings is None,
    )
    return table if options.trusted is None else with_trusted(table, options.trusted)


@contextmanager
def _planned(
    table: LabelTable, options: ScanOptions, folder: Path, watcher: Watcher
) -> Iterator[tuple[Samples, Plan]]:
    """The samples, as long as the cache of their images in `folder` is there, and what to do with them."""
    with tempfile.TemporaryDirectory(dir=folder, prefix=CACHE, ignore_cleanup_errors=True) as cache:
        samples = load_samples(
            table,
            options.samples,
            image_size=options.config.image_size,
            cache_dir=Path(cache),
            backbone=options.config.backbone,
            device=choose_device(options.config.device),
            on_features=watcher.on_features,
            keep_originals=options.config.fine_tune,
        )
        yield samples, make_plan(table, samples, options.config)


def _finished(run: RunFolder, table: LabelTable, options: ScanOptions, watcher: Watcher) -> dict[str, Any]:
    """The run.json of a run that is whole, if it is of these samples. Raises OtherRun if it is not."""
    with _planned(table, options, run.out.parent, watcher) as (samples, plan):
        run.same_as(identity.planned(samples, plan))
    run.tidy()
    watcher.on_note(f"{options.out} is finished, with the same options and data: nothing is changed.")
    assert run.before is not None
    return run.before


def _audit(table: LabelTable, options: ScanOptions, run: RunFolder, watcher: Watcher) -> Audit:
    folder = run.start()
    # Beside the results, because the decoded images may not fit where temporary files usually go.
    with _planned(table, options, folder, watcher) as (samples, plan):
        run.same_as(identity.planned(samples, plan))
        watcher.on_plan(table, samples, plan)
        names, has_guider = scored_ids(table, samples), METHODS[options.config.method].has_guider

        def on_epoch(record: EpochRecord) -> None:
            write_epoch(folder / DYNAMICS_FOLDER, names, record, has_guider=has_guider)
            watcher.on_epoch(record)

        keeper = Keeper(run.checkpoints, watcher.on_restored)
        return audit_samples(
            table,
            samples,
            plan,
            on_epoch=on_epoch,
            on_extra=watcher.on_extra,
            on_folds=watcher.on_folds,
            keeper=keeper,
        )


def write_results(
    result: AuditResult, embeddings: npt.NDArray[np.float32], source: Source, folder: Path
) -> CleanSummary:
    """Write the audit, its rows' latent means (n, d) and the cleaned label file. Raises OutputError."""
    result.write(folder / AUDIT_FILE)
    with atomic_path(folder / EMBEDDINGS_FILE) as temporary, temporary.open("wb") as file:
        np.save(file, embeddings, allow_pickle=False)
    suffix = ".csv" if source.format in WITHOUT_FILE else source.path.suffix
    return clean_labels(result, source, folder / f"{CLEANED}{suffix}", policy="relabel")

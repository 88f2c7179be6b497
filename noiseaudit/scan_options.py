"""What a scan is asked to do, and what can be seen to be wrong with it before anything is read."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from noiseaudit.choose import choose_device
from noiseaudit.config import AuditConfig, one_of, with_overrides
from noiseaudit.data.inputs import SOME_IMAGES
from noiseaudit.describe_run import RunInputs
from noiseaudit.labels.columns import FIND_ALL, ColumnNames
from noiseaudit.labels.table import Source
from noiseaudit.load_samples import SampleOptions
from noiseaudit.methods import METHODS
from noiseaudit.models import BACKBONES
from noiseaudit.plan_checks import check_needs
from noiseaudit.pretrained import check_installed
from noiseaudit.threshold import check_cutoff


@dataclass(frozen=True)
class ScanOptions:
    """What to scan, how, and where to."""

    data: Path
    out: Path
    samples: SampleOptions
    config: AuditConfig
    columns: ColumnNames = field(default=FIND_ALL)
    missing_label: str | None = None
    encoding: str = "utf-8"
    trusted: str | None = None  # file of sample ids, else a column of the label file
    force: bool = False
    resume: bool = False  # go on with an interrupted run of the same options and data, if there is one


def check_config(config: AuditConfig, *, has_trusted: bool) -> None:
    """Raise ConfigError for what can be seen to be wrong before anything is read."""
    check_needs(config, has_trusted=has_trusted)
    one_of("--backbone", config.backbone, ("auto", *BACKBONES))
    check_cutoff(config.cutoff)
    with_overrides(METHODS[config.method].settings(SOME_IMAGES), config.settings)
    choose_device(config.device)
    if config.backbone == "pretrained":
        check_installed()


def run_inputs(source: Source, options: ScanOptions) -> RunInputs:
    """What run.json says was read: `source` and the options' files."""
    samples = options.samples
    return RunInputs(
        source,
        samples.images,
        samples.embeddings,
        tuple(samples.allow_roots),
        trusted=trusted_file(options),
        max_pixels=samples.max_pixels,
    )


def trusted_file(options: ScanOptions) -> Path | None:
    """The file of trusted sample ids; None where they are a column, or there are none."""
    return Path(options.trusted) if options.trusted and os.path.isfile(options.trusted) else None

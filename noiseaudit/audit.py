"""run_audit(): from a label file and images to an audit."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy.typing as npt

from noiseaudit.audit_samples import Audit, audit_samples
from noiseaudit.choose import choose_device
from noiseaudit.config import AuditConfig
from noiseaudit.course import EpochRecord
from noiseaudit.labels.columns import FIND_ALL, ColumnNames
from noiseaudit.labels.read import read_labels
from noiseaudit.labels.roles import Reader
from noiseaudit.labels.table import LabelTable
from noiseaudit.load_samples import SampleOptions, load_samples
from noiseaudit.plan import make_plan
from noiseaudit.plan_checks import check_needs
from noiseaudit.runtime import training_runtime
from noiseaudit.trusted import with_trusted

if TYPE_CHECKING:
    import pandas as pd


def run_audit(
    data: Path | str | LabelTable | pd.DataFrame,
    images: Path | str | None = None,
    *,
    config: AuditConfig | None = None,
    columns: ColumnNames = FIND_ALL,
    missing_label: str | None = None,
    encoding: str = "utf-8",
    trusted: npt.ArrayLike | Path | None = None,
    samples: SampleOptions | None = None,
    on_epoch: Callable[[EpochRecord], None] = lambda record: None,
) -> Audit:
    """Audit the labels of `data`: a label file, a folder tree, a LabelTable or a DataFrame.

    `images` is the folder that its image column is relative to, by default a folder tree itself. `samples` says
    more: an embedding file in place of images, other roots, limits. Column names, `missing_label` and `encoding`
    are for label files. `trusted` says which labels are known to be right, for a method that needs some: an array
    (n,) of bool, a file of sample ids, or a column of `data` (noiseaudit.trusted); these rows are scored like all
    others. Raises DataError or ConfigError for what the caller can mend, TrainingDiverged if training fails.
    """
    config, options = config or AuditConfig(), samples or SampleOptions()
    if images is not None:
        options = dataclasses.replace(options, images=Path(images))
    elif (
        options.images is None
        and options.embeddings is None
        and isinstance(data, Path | str)
        and Path(data).is_dir()
    ):
        options = dataclasses.replace(options, images=Path(data))
    with training_runtime(), tempfile.TemporaryDirectory(prefix="noiseaudit-") as cache:
        known = trusted is not None or (isinstance(data, LabelTable) and data.trusted is not None)
        check_needs(config, has_trusted=known)
        table = as_table(data, columns, missing_label, encoding, images_required=options.embeddings is None)
        if trusted is not None:
            table = with_trusted(table, trusted, _frame_reader(data))
        loaded = load_samples(
            table,
            options,
            image_size=config.image_size,
            cache_dir=Path(cache),
            backbone=config.backbone,
            device=choose_device(config.device),
            keep_originals=config.fine_tune,
        )
        return audit_samples(table, loaded, make_plan(table, loaded, config), on_epoch=on_epoch)


def as_table(
    data: Path | str | LabelTable | pd.DataFrame,
    columns: ColumnNames = FIND_ALL,
    missing_label: str | None = None,
    encoding: str = "utf-8",
    *,
    images_required: bool = True,
) -> LabelTable:
    """`data` as a LabelTable. Raises DataError if it is not usable."""
    if isinstance(data, LabelTable):
        return data
    if isinstance(data, Path | str):
        return read_labels(
            Path(data),
            columns=columns,
            missing_label=missing_label,
            encoding=encoding,
            images_required=images_required,
        )
    from noiseaudit.labels.frame import read_frame

    return read_frame(data, columns=columns, images_required=images_required)


def _frame_reader(data: Path | str | LabelTable | pd.DataFrame) -> Reader | None:
    if isinstance(data, LabelTable | Path | str):
        return None
    from noiseaudit.labels.frame import FrameReader

    return FrameReader(data)

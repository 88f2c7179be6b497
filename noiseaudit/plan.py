"""The plan of a run: every choice made before training, so that it can be shown, recorded and repeated."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from noiseaudit.audit_meta import AuditMeta, Cutoff
from noiseaudit.choose import (
    Choice,
    choose_backbone,
    choose_batch_size,
    choose_device,
    choose_epochs,
    choose_threads,
)
from noiseaudit.config import AuditConfig, Settings, with_overrides
from noiseaudit.crossfit import choose_folds
from noiseaudit.data.batches import BatchPlan, plan_batches
from noiseaudit.data.inputs import Inputs
from noiseaudit.errors import ConfigError
from noiseaudit.finetune import Tuning, plan_tuning
from noiseaudit.labels.table import LabelTable
from noiseaudit.methods import METHODS
from noiseaudit.part import current_part
from noiseaudit.plan_checks import check_classes, check_needs, check_self_test
from noiseaudit.samples import Samples
from noiseaudit.threshold import check_cutoff
from noiseaudit.trusted import check_trusted
from noiseaudit.versions import versions

# Of n rows and C classes, n x C floats each: the Guider's probabilities, their mean over epochs, and, while the next
# ones are made, those of Learner and Guider.
KEPT_PROBABILITIES = 4
MUCH_MEMORY = 2**32  # bytes of them that are told


@dataclass(frozen=True)
class Plan:
    """What a run will do."""

    config: AuditConfig  # as asked
    device: torch.device
    backbone: Choice
    settings: Settings  # of the method, with the user's overrides
    batches: BatchPlan
    epochs: int
    threads: int  # of the CPU
    folds: int  # trainings with a part of the labels hidden; 0: none
    batch_size: int
    tuning: Tuning | None  # the second stage
    warnings: tuple[str, ...]

    @property
    def all_epochs(self) -> int:
        """Of both stages."""
        return self.epochs + (self.tuning.epochs if self.tuning else 0)

    def batches_of(self, n_labelled: int, n_rows: int) -> BatchPlan:
        """Batches where so many of `n_rows` rows have a label: in a fold, hidden rows join the unlabelled ones."""
        n_unlabelled = n_rows - n_labelled if METHODS[self.config.method].uses_unlabelled else 0
        return plan_batches(n_labelled, n_unlabelled, self.batch_size, self.config.min_labelled_share)

    def meta(self, table: LabelTable, samples: Samples, cutoff: Cutoff) -> AuditMeta:
        """What the audit depends on, for its Parquet file."""
        return AuditMeta(
            classes=table.classes,
            class_type=table.class_type,
            config=self._recorded_config(table, samples),
            versions=versions(),
            seed=self.config.seed,
            device_type=self.device.type,
            threads=self.threads,
            cutoff=cutoff,
            data_fingerprint=samples.fingerprint,
        )

    def _recorded_config(self, table: LabelTable, samples: Samples) -> dict[str, Any]:
        asked = dataclasses.asdict(self.config)
        chosen = {
            "backbone": self.backbone.value,
            "backbone_reason": self.backbone.reason,
            "shape": list(samples.shape),
            "epochs": self.epochs,
            "batch": dataclasses.asdict(self.batches),
            "settings": dataclasses.asdict(self.settings),
        }
        if self.tuning:
            chosen["fine_tune"] = dataclasses.asdict(self.tuning)
        if (processes := current_part().count) > 1:
            chosen["processes"] = processes
        if table.trusted is not None:
            chosen["trusted"] = int(table.trusted.sum())
        return {"asked": asked, "chosen": chosen}


def make_plan(table: LabelTable, samples: Samples, config: AuditConfig) -> Plan:
    """Choose what `config` leaves open. Raises ConfigError or DataError before any work is done."""
    check_needs(config, has_trusted=table.trusted is not None)
    check_cutoff(config.cutoff)
    usable = samples.status == "ok"
    n_labelled = int((usable & table.is_labelled).sum())
    inputs = Inputs(samples.shape, len(table.classes), n_labelled, int(usable.sum()))
    n_unlabelled = inputs.n_rows - n_labelled if METHODS[config.method].uses_unlabelled else 0
    check_classes(table, usable)
    if config.self_test:
        check_self_test(table, usable)
    if table.trusted is not None:
        check_trusted(table, usable)
    device = choose_device(config.device)
    backbone = choose_backbone(config.backbone, samples.shape, int(usable.sum()), device, samples.features)
    settings = with_overrides(METHODS[config.method].settings(inputs), config.settings)
    batch_size = choose_batch_size(config, n_labelled + n_unlabelled)
    batches = plan_batches(n_labelled, n_unlabelled, batch_size, config.min_labelled_share)
    epochs, usual_epochs = (
        choose_epochs(each, batches.steps, samples.shape, n_labelled + n_unlabelled)
        for each in (config, dataclasses.replace(config, epochs=None))
    )
    return Plan(
        config=config,
        device=device,
        backbone=backbone,
        settings=settings,
        batches=batches,
        epochs=epochs,
        threads=choose_threads(
            backbone.value, batches.labelled + batches.unlabelled, len(table.classes), settings.hidden
        ),
        folds=choose_folds(
            config,
            inputs,
            table.codes[usable & table.is_labelled],
            None if table.trusted is None else table.trusted[usable & table.is_labelled],
        ),
        batch_size=batch_size,
        tuning=_tuning(config, samples, settings, n_labelled, n_unlabelled, batch_size),
        warnings=(*_warnings(table, usable), *_on_epochs(config.epochs, usual_epochs)),
    )


def _tuning(
    config: AuditConfig,
    samples: Samples,
    settings: Settings,
    n_labelled: int,
    n_unlabelled: int,
    batch_size: int,
) -> Tuning | None:
    if not config.fine_tune:
        return None
    if samples.originals is None:
        raise ConfigError(
            "--fine-tune trains the network behind frozen features, and these samples have none",
            fix="Add --backbone pretrained, with images, or leave --fine-tune out.",
        )
    share = config.min_labelled_share
    return plan_tuning(settings, n_labelled, n_unlabelled, batch_size, share, asked=config.settings)


def _on_epochs(asked: int | None, usual: int) -> list[str]:
    if asked is None or 2 * asked >= usual:
        return []
    return [
        f"--epochs {asked} is less than half of the {usual} that this data takes by itself: after so short a training "
        "neither p_mislabeled nor the suspects mean much"
    ]


def _warnings(table: LabelTable, usable: npt.NDArray[np.bool_]) -> list[str]:
    n_classes, found = len(table.classes), []
    counts = np.bincount(table.codes[usable & table.is_labelled], minlength=n_classes)
    rare = [name for name, count in zip(table.classes, counts, strict=True) if count < 2]
    if rare:
        shown = ", ".join(repr(name) for name in rare[:5]) + (" ..." if len(rare) > 5 else "")
        which = "a class has" if len(rare) == 1 else f"{len(rare)} classes have"
        found.append(f"{which} fewer than two usable labelled rows and cannot be judged well: {shown}")
    memory = 4 * KEPT_PROBABILITIES * int(usable.sum()) * n_classes
    if memory > MUCH_MEMORY:
        found.append(
            f"probabilities of {n_classes} classes for {int(usable.sum())} rows take about "
            f"{memory / 2**30:.0f} GiB of memory while training"
        )
    return found

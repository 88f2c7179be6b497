"""From a label file to what is compared."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import torch

from noiseaudit.compare.run import Question
from noiseaudit.config import AuditConfig, one_of, require
from noiseaudit.errors import ConfigError
from noiseaudit.labels.table import LabelTable
from noiseaudit.learn import usable_data
from noiseaudit.noise import BY_CLASS
from noiseaudit.plan import make_plan
from noiseaudit.samples import Samples
from noiseaudit.truth import read_truth, truth_from_audit

DEFAULT_RATE = 0.2


def check_has_truth(table: LabelTable) -> None:
    """Raise ConfigError unless the label file has true labels."""
    if all(label is None for label in table.column("true_label")):
        raise ConfigError(
            "it is not known which labels are wrong",
            fix="Give a file with --truth, a column true_label in the label file, or --plant symmetric.",
        )


def pose(
    table: LabelTable,
    samples: Samples,
    config: AuditConfig,
    *,
    truth: Path | None,
    plant: str | None,
    rate: float | None,
) -> tuple[Question, torch.device]:
    """What is compared, and where.

    `truth` is a file as `evaluate` takes it; without it, and without `plant`, the table's own true_label counts.
    `plant` takes the given labels for right and corrupts them anew with every seed, a share `rate` of them (None: 0.2).

    Raises ConfigError if options contradict each other or are out of range, DataError if the truth is not usable.
    """
    if truth is not None and plant is not None:
        raise ConfigError("--truth and --plant are both given", fix="Give one of them.")
    if plant is None and rate is not None:
        raise ConfigError("--rate is for --plant", fix="Add --plant symmetric, or leave --rate out.")
    plan = make_plan(table, samples, config)
    features = samples.features or f"x of shape {'x'.join(map(str, samples.shape))}"
    data = usable_data(table, samples)
    question = Question(data, plan.backbone.value, features, samples.fingerprint, None)
    if plant is not None:
        one_of("--plant", plant, tuple(BY_CLASS))
        share = DEFAULT_RATE if rate is None else rate
        require(0 < share < 1, "--rate", "a share above 0 and below 1, such as 0.2")
        return dataclasses.replace(question, plant=plant, rate=share), plan.device
    found = read_truth(truth, table) if truth else truth_from_audit(table)
    used = np.flatnonzero(samples.status == "ok")
    known = dataclasses.replace(
        question, wrong=found.is_corrupted[used], known=found.is_known[used], notes=found.notes
    )
    return known, plan.device

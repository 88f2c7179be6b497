"""From a label file to what is compared."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from noiseaudit.audit import usable_data
from noiseaudit.compare.run import PLANTED, Question
from noiseaudit.config import AuditConfig, one_of
from noiseaudit.errors import ConfigError
from noiseaudit.labels.table import LabelTable
from noiseaudit.plan import Plan, make_plan
from noiseaudit.samples import Samples
from noiseaudit.truth import Truth, read_truth, truth_from_audit


def pose(
    table: LabelTable,
    samples: Samples,
    config: AuditConfig,
    *,
    truth: Path | None,
    plant: str | None,
    rate: float,
) -> tuple[Question, torch.device]:
    """What is compared, and where.

    `truth` is a file as `evaluate` takes it; without it, and without `plant`, the table's own true_label counts.
    `plant` takes the given labels for right and corrupts them anew with every seed.

    Raises ConfigError if both are given or an option is out of range, DataError if the truth is not usable.
    """
    plan: Plan = make_plan(table, samples, config)
    data = usable_data(table, samples)
    features = samples.features or f"x of shape {'x'.join(map(str, samples.shape))}"
    if plant is None:
        found = read_truth(truth, table) if truth else truth_from_audit(table)
        return _with_truth(
            data_rows(samples), found, Question(data, plan.backbone.value, features, None)
        ), plan.device
    if truth is not None:
        raise ConfigError("--truth and --plant are both given", fix="Give one of them.")
    one_of("--plant", plant, tuple(PLANTED))
    if not 0 < rate < 1:
        raise ConfigError(
            f"--rate {rate} is out of range", fix="Give a share above 0 and below 1, such as 0.2."
        )
    return Question(data, plan.backbone.value, features, None, plant=plant, rate=rate), plan.device


def data_rows(samples: Samples) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Which of the n rows are the m that can be used."""
    return np.flatnonzero(samples.status == "ok")


def _with_truth(
    rows: np.ndarray[tuple[int], np.dtype[np.int64]], truth: Truth, question: Question
) -> Question:
    return Question(
        question.data,
        question.backbone,
        question.features,
        truth.is_corrupted[rows],
        truth.is_known[rows],
    )

"""Whole float32 runs on real digits: trained as one, they find the same wrong labels as one by one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.metrics import average_precision_score

from noiseaudit.config import with_overrides
from noiseaudit.course import Course, Fitted
from noiseaudit.data.batches import BatchPlan
from noiseaudit.data.inputs import SOME_IMAGES
from noiseaudit.data.training import TrainingData
from noiseaudit.methods.base import Setup
from noiseaudit.methods.umn_plus import UMNPlus
from noiseaudit.neighbours import believe
from noiseaudit.noise import symmetric
from noiseaudit.runtime import training_runtime
from noiseaudit.stack import fit_stack
from noiseaudit.train import Alone, fit_all

CPU, N_CLASSES, ROWS, EPOCHS = torch.device("cpu"), 10, 1_000, 30
RATES = (0.2, 0.4)
CLOSE = 0.002  # in average precision


def runs() -> tuple[list[TrainingData], list[np.ndarray]]:
    """The same digits at each rate, and which of their labels are wrong."""
    digits = load_digits()
    x = torch.from_numpy((digits.images[:ROWS] * 255 / 16).astype(np.uint8))[:, None]
    draws = np.random.default_rng(1)
    codes = [symmetric(digits.target[:ROWS], N_CLASSES, rate, draws).labels for rate in RATES]
    data = [TrainingData(x, torch.arange(len(x)), torch.from_numpy(each), N_CLASSES) for each in codes]
    return data, [each != digits.target[:ROWS] for each in codes]


@pytest.mark.slow
def test_average_precision_is_the_same() -> None:
    data, wrong = runs()
    settings = with_overrides(UMNPlus.settings(SOME_IMAGES), {"hidden": 64})
    plan = BatchPlan(50, 0, 20)

    def parts() -> tuple[list[UMNPlus], list[Course]]:
        methods = [UMNPlus(Setup(each, "mlp", seed, CPU), settings) for seed, each in enumerate(data)]
        return methods, [Course(each, plan, epochs=EPOCHS, seed=seed) for seed, each in enumerate(data)]

    def precision(fitted: Fitted, run: int) -> float:
        scores = believe(fitted, data[run].codes.numpy()).p_mislabeled
        return float(average_precision_score(wrong[run], scores))

    with training_runtime(1):
        together = fit_stack(*parts(), device=CPU, on_epoch=lambda run, record: None)
        methods, courses = parts()
        for run, (method, course) in enumerate(zip(methods, courses, strict=True)):
            (alone,) = fit_all(Alone(method), [course], device=CPU, on_epoch=lambda run, record: None)
            assert precision(together[run], run) == pytest.approx(precision(alone, run), abs=CLOSE)
            assert precision(alone, run) > 0.9

"""Folds as `scan` and `compare` have them: on the same batches and settings, and what they are worth."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch

from noiseaudit import NoiseAuditClassifier, train
from noiseaudit.compare.case import Case
from noiseaudit.compare.tools import TOOLS
from noiseaudit.config import AuditConfig
from noiseaudit.course import Fitted
from noiseaudit.data.inputs import Inputs, Kind
from noiseaudit.data.training import TrainingData
from noiseaudit.errors import ConfigError, TrainingDiverged
from noiseaudit.methods.supervised import Supervised
from noiseaudit.methods.umn_plus import UMNPlus

CLASSES = 3


def features_of(rows: int = 90) -> tuple[Any, Any]:
    rng = np.random.default_rng(1)
    true = np.arange(rows) % CLASSES
    return (rng.normal(size=(rows, 6)) + 4 * np.eye(6)[true]).astype(np.float32), true


def test_hidden_rows_teach_in_scan_and_compare_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each fold's batches hold its hidden rows, as unlabelled ones, in both."""
    x, given = features_of()
    plans: dict[str, list[Any]] = {"scan": [], "compare": []}

    def spy(where: str) -> Any:
        def fit(method: Any, data: Any, batches: Any, **more: Any) -> Fitted:
            plans[where].append((batches, more["epochs"], int((data.codes < 0).sum())))
            return train.fit(method, data, batches, **more)

        return fit

    monkeypatch.setattr("noiseaudit.learn.fit", spy("scan"))
    monkeypatch.setattr("noiseaudit.compare.case.fit", spy("compare"))
    NoiseAuditClassifier(random_state=0, epochs=2).fit(x, given)
    data = TrainingData(torch.from_numpy(x), torch.arange(len(x)), torch.from_numpy(given), CLASSES)
    TOOLS["noiseaudit"].judge(Case(data, "embeddings", AuditConfig(epochs=2), 0, torch.device("cpu")))
    assert plans["scan"] == plans["compare"]
    (whole, _, none), *folds = plans["scan"]
    assert (whole.unlabelled, none, len(folds)) == (0, 0, 5)
    assert [hidden for _, _, hidden in folds] == [18] * 5
    assert all(batches.unlabelled > 0 for batches, _, _ in folds)


def test_a_fold_that_diverges_leaves_the_first_training(monkeypatch: pytest.MonkeyPatch) -> None:
    x, given = features_of()
    calls = itertools.count()

    def fit(*words: Any, **more: Any) -> Fitted:
        if next(calls) == 2:
            raise TrainingDiverged("the loss became infinite")
        return train.fit(*words, **more)

    alone = NoiseAuditClassifier(random_state=0, epochs=2, folds=0).fit(x, given)
    monkeypatch.setattr("noiseaudit.learn.fit", fit)
    broken = NoiseAuditClassifier(random_state=0, epochs=2).fit(x, given)
    assert next(calls) > 2
    assert broken.audit_.meta.config["chosen"]["folds"] == 0
    assert broken.audit_.meta.config["chosen"]["doubt"] == pytest.approx([-np.log(2), np.log(2)])
    np.testing.assert_array_equal(broken.p_mislabeled_, alone.p_mislabeled_)


@pytest.mark.parametrize("asked", [{"folds": 1}, {"folds": 101}, {"folds": 2, "fine_tune": True}])
def test_folds_that_make_no_sense(asked: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="--folds"):
        AuditConfig(**asked)


@pytest.mark.slow
def test_labels_learnt_by_heart_are_doubted_again() -> None:
    """150 rows of 100 features, a fifth of the labels wrong: few are found without folds (2, and 9 with)."""
    rng = np.random.default_rng(0)
    true = np.arange(150) % CLASSES
    x = rng.normal(size=(150, 100)) + 2.5 * np.eye(100)[true]
    wrong = rng.random(150) < 0.2
    given = np.where(wrong, (true + 1) % CLASSES, true)
    found = {}
    for folds in (0, 5):
        model = NoiseAuditClassifier(random_state=0, folds=folds, epochs=40).fit(x, given)
        found[folds] = int((model.is_label_issue_ & wrong).sum()), int((model.is_label_issue_ & ~wrong).sum())
    low, high = model.audit_.meta.config["chosen"]["doubt"]  # of five folds
    assert min(low + np.log(2), np.log(2) - high) < -0.1
    assert found[5][0] >= 2 * found[0][0]
    assert found[5][1] <= 2


def test_folds_take_the_settings_of_all_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    """90 labels are enough to learn the noise from and no wide vectors; 72 would be neither, by themselves."""
    monkeypatch.setattr("noiseaudit.image_noise.ROWS_A_CLASS", 25)
    monkeypatch.setattr("noiseaudit.class_noise.VECTORS_A_CLASS", 25)
    for name, value in (("FEW_LABELS", 80), ("LEAST_SPARED", 6), ("MANY_VALUES", 6), ("LABELS_A_VALUE", 14)):
        monkeypatch.setattr(f"noiseaudit.data.inputs.{name}", value)
    assert Inputs((6,), CLASSES, 90, 90).kind is Kind.VECTORS
    assert Inputs((6,), CLASSES, 72, 90).kind is Kind.WIDE_VECTORS
    x, given = features_of()
    settings: dict[str, list[Any]] = {"scan": [], "compare": [], "supervised": []}

    def spy(where: str) -> Any:
        def fit(method: Any, *words: Any, **more: Any) -> Fitted:
            settings["supervised" if isinstance(method, Supervised) else where].append(method.values)
            return train.fit(method, *words, **more)

        return fit

    monkeypatch.setattr("noiseaudit.learn.fit", spy("scan"))
    monkeypatch.setattr("noiseaudit.compare.case.fit", spy("compare"))
    NoiseAuditClassifier(random_state=0, epochs=2, folds=5).fit(x, given)
    data = TrainingData(torch.from_numpy(x), torch.arange(len(x)), torch.from_numpy(given), CLASSES)
    case = Case(data, "embeddings", AuditConfig(epochs=2, folds=5), 0, torch.device("cpu"))
    TOOLS["noiseaudit"].judge(case)
    case.out_of_fold()
    assert settings["scan"] == settings["compare"] == [UMNPlus.settings(data.inputs)] * 6
    assert settings["scan"][0].noise_weight == 25.0
    assert [found.input_dropout for found in settings["scan"] + settings["supervised"]] == [0.3] * 11

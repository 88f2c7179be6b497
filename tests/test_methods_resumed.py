"""A training that is cut off after any epoch goes on to the bits of one that was not: every method, every state."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from noiseaudit.config import with_overrides
from noiseaudit.course import EpochRecord, Fitted
from noiseaudit.data.batches import plan_batches
from noiseaudit.data.training import TrainingData
from noiseaudit.keeper import FORGETFUL, Keeper, Stage
from noiseaudit.methods import METHODS
from noiseaudit.methods.base import Method, Setup
from noiseaudit.runtime import training_runtime
from noiseaudit.train import fit
from tests.test_methods import N_CLASSES, ROWS, toy

CPU = torch.device("cpu")
EPOCHS = 4
SMALL: dict[str, Any] = {"hidden": 32, "latent_a": 6}
# A restart after the second epoch, labels from the first on, averages over two.
RESTARTS = {"relabel_from": 0.25, "second_stage": 0.5, "average_epochs": 2}
CASES: list[tuple[str, str, tuple[int, ...], dict[str, Any]]] = [
    *((method, "mlp", (1, 6, 6), {}) for method in METHODS),
    ("umn_plus", "embeddings", (8,), {"noise_weight": 5.0}),
    ("umn_plus", "resnet18", (3, 8, 8), {}),
    ("supervised", "resnet18", (3, 8, 8), {}),
    ("joint_optimization", "mlp", (1, 6, 6), RESTARTS),
    ("joint_optimization", "mlp", (1, 6, 6), {**RESTARTS, "labels": "hard"}),
    ("mentornet", "mlp", (1, 6, 6), {"mentor": "learned"}),
]


class Cut(Exception):
    """The process ends here."""


@pytest.fixture(autouse=True)
def _quick() -> Iterator[None]:
    with training_runtime(threads=1):
        yield


def data_of(shape: tuple[int, ...]) -> TrainingData:
    """Every fifth row has no label."""
    x, given, rows = toy(shape)
    given = torch.where(rows % 5 == 4, -1, given)
    return TrainingData(x, torch.arange(ROWS), given, N_CLASSES, trusted=rows < 2 * N_CLASSES)


def train(
    case: tuple[str, str, tuple[int, ...], dict[str, Any]], stage: Stage, *, cut_in: int = 0
) -> tuple[Method, Fitted, list[EpochRecord]]:
    """A new process: untrained, but for what the stage keeps. It ends in epoch `cut_in`, before its checkpoint."""
    name, backbone, shape, settings = case
    data, kind = data_of(shape), METHODS[name]
    values = with_overrides(kind.settings(data.inputs), SMALL | settings)
    method = kind(Setup(data, backbone, 0, CPU, noise_rate=0.2), values)
    labelled = int((data.codes >= 0).sum())
    plan = plan_batches(labelled, ROWS - labelled if kind.uses_unlabelled else 0, 16, 0.25)
    records: list[EpochRecord] = []

    def on_epoch(record: EpochRecord) -> None:
        if record.epoch == cut_in:
            raise Cut
        records.append(record)

    fitted = fit(method, data, plan, epochs=EPOCHS, seed=0, device=CPU, on_epoch=on_epoch, stage=stage)
    return method, fitted, records


def assert_same(one: Any, other: Any) -> None:
    """Two dataclasses of arrays, bit by bit; clocks differ."""
    for item in dataclasses.fields(one):
        a, b = getattr(one, item.name), getattr(other, item.name)
        if isinstance(a, EpochRecord):
            assert_same(a, b)
        elif isinstance(a, np.ndarray):
            assert (item.name, a.dtype, a.tobytes()) == (item.name, b.dtype, b.tobytes())
        elif item.name != "seconds":
            assert a == b


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}-{case[1]}-{len(case[3])}")
def test_a_training_goes_on_to_the_same_bits(case: Any, tmp_path: Path) -> None:
    whole, fitted, records = train(case, FORGETFUL)
    stage = Keeper(tmp_path).stage("training")
    for epoch in range(2, EPOCHS + 1):  # a new process after every one
        with pytest.raises(Cut):
            train(case, stage, cut_in=epoch)
    method, found, last = train(case, stage)
    assert [record.epoch for record in last] == [EPOCHS]
    assert_same(found, fitted)
    assert_same(last[0], records[-1])
    x = toy(case[2], n=6).x
    for mine, theirs in zip(method.predict(x), whole.predict(x), strict=True):
        assert torch.equal(mine, theirs)


@pytest.mark.parametrize("name", METHODS)
def test_a_finished_training_is_restored_and_not_trained_again(name: str, tmp_path: Path) -> None:
    case: tuple[str, str, tuple[int, ...], dict[str, Any]] = (name, "mlp", (1, 6, 6), {})
    told: list[tuple[str, int, int]] = []
    stage = Keeper(tmp_path, lambda *words: told.append(words)).within("self-test").stage("fold 1 of 2")
    method, fitted, _ = train(case, stage)
    assert told == []
    restored, found, records = train(case, stage)
    assert (records, told) == ([], [("self-test, fold 1 of 2", EPOCHS, EPOCHS)])
    assert_same(found, fitted)
    x = toy((1, 6, 6), n=6).x
    assert torch.equal(restored.predict(x).guider, method.predict(x).guider)


def test_without_a_folder_nothing_is_kept(tmp_path: Path) -> None:
    train(CASES[0], Keeper().within("self-test").stage("training"))
    assert list(tmp_path.iterdir()) == []


def test_every_stage_has_a_file_of_its_own(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path)
    names = ["training", "second stage", "fold 1 of 12", "fold 11 of 12"]
    files = [each.stage(name).file for each in (keeper, keeper.within("self-test")) for name in names]
    assert len({*files}) == len(files)
    assert {file.parent for file in files if file} == {tmp_path}

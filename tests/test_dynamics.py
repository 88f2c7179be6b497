"""dynamics.parquet/: what is written of an epoch is what is read back."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from noiseaudit.course import EpochRecord, Floats
from noiseaudit.dynamics import SCHEMA, write_epoch
from tests.scoring import read_dynamics


def record(epoch: int) -> EpochRecord:
    def column(*values: float) -> Floats:
        return np.array([value / epoch for value in values], np.float32)

    return EpochRecord(
        epoch, {"loss": 1.0}, column(0.0, 0.25), column(0.5, 1.0), column(0.125, 0.75), column(0, 0), 1.5
    )


def test_the_schema_is_frozen() -> None:
    assert [(field.name, str(field.type), field.nullable) for field in SCHEMA] == [
        ("sample_id", "string", False),
        ("epoch", "int32", False),
        ("epsilon", "float", True),
        ("p_given_learner", "float", False),
        ("p_given_guider", "float", False),
    ]


def test_epochs_come_back_in_order(tmp_path: Path) -> None:
    folder = tmp_path / "dynamics.parquet"
    for epoch in (2, 10, 1):
        write_epoch(folder, ["a", "b"], record(epoch), has_guider=True)
    assert sorted(file.name for file in folder.iterdir()) == [
        "epoch_0001.parquet",
        "epoch_0002.parquet",
        "epoch_0010.parquet",
    ]
    table = read_dynamics(folder)
    assert table.schema == SCHEMA
    assert table.slice(0, 4).to_pydict() == {
        "sample_id": ["a", "b"] * 2,
        "epoch": [1, 1, 2, 2],
        "epsilon": [0.0, 0.25, 0.0, 0.125],
        "p_given_learner": [0.5, 1.0, 0.25, 0.5],
        "p_given_guider": [0.125, 0.75, 0.0625, 0.375],
    }
    assert table.column("epoch").to_pylist()[4:] == [10, 10]


def test_a_method_without_a_guider_has_no_epsilon(tmp_path: Path) -> None:
    write_epoch(tmp_path / "d", ["a", "b"], record(1), has_guider=False)
    assert read_dynamics(tmp_path / "d").column("epsilon").to_pylist() == [None, None]


def test_no_labelled_row_is_an_empty_epoch(tmp_path: Path) -> None:
    none = np.zeros(0, np.float32)
    write_epoch(tmp_path / "d", [], EpochRecord(1, {}, none, none, none, none, 0.0), has_guider=True)
    assert len(read_dynamics(tmp_path / "d")) == 0


def test_equal_epochs_are_equal_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_epoch(tmp_path / name, ["x", "y"], record(1), has_guider=True)
    first, second = (tmp_path / name / "epoch_0001.parquet" for name in ("a", "b"))
    assert first.read_bytes() == second.read_bytes()

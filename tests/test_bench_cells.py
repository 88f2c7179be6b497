"""Keys are stable, and change with whatever the result depends on."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from noiseaudit.bench.cells import Cell, cell_of, key_of

CELL = Cell("table1", "mnist", "umn", "default", 100, "symmetric", 0.3, 2, "paper", 350)


def test_a_key_is_the_same_on_every_machine() -> None:
    assert key_of(CELL, {"b": [1, 2], "a": 0.1}) == key_of(CELL, {"a": 0.1, "b": (1, 2)}) == "4a7b9244b2d5"


@pytest.mark.parametrize(
    "change",
    [
        {"table": "table3"},
        {"dataset": "svhn"},
        {"method": "umn_plus"},
        {"variant": "other"},
        {"labels": None},
        {"noise": "instance"},
        {"rate": 0.31},
        {"seed": 3},
        {"scale": "medium"},
        {"epochs": 349},
        {"changes": "alpha=20"},
    ],
)
def test_another_cell_has_another_key(change: dict[str, Any]) -> None:
    other = dataclasses.replace(CELL, **change)
    assert key_of(other, {}) != key_of(CELL, {})


def test_another_setting_has_another_key() -> None:
    assert key_of(CELL, {"settings": {"alpha": 1.0}}) != key_of(CELL, {"settings": {"alpha": 2.0}})


def test_a_line_gives_its_cell_back() -> None:
    assert cell_of(json.loads(json.dumps({**dataclasses.asdict(CELL), "key": "x", "seconds": 1}))) == CELL

"""Training a group: the same lines together and one by one, for every method."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from noiseaudit.bench.grids import Choices, grid
from noiseaudit.bench.groups import Group, make_groups
from noiseaudit.bench.problem import Problem, make_problem
from noiseaudit.bench.run_group import Line, has_step_epsilon, run_group
from noiseaudit.course import Fitted
from noiseaudit.methods import METHODS
from noiseaudit.methods.base import Setup
from noiseaudit.methods.umn import UMN
from noiseaudit.models.vae import UMNNetworks
from noiseaudit.neighbours import Believed, believe
from noiseaudit.runtime import training_runtime

STACKABLE = [name for name in METHODS if name not in ("mentornet", "joint_optimization")]

SLOW = ("umn", "mislabeled_vae")  # weigh a label so little beside the pixels that 80 steps teach them nothing


@pytest.fixture(autouse=True)
def _quick() -> Iterator[None]:
    with training_runtime(threads=1):
        yield


def problem(n: int = 200) -> Problem:
    """Ten classes, each with a bright pixel of its own."""
    rng, truth = np.random.default_rng(0), np.arange(n) % 10
    x = rng.integers(0, 60, (n, 1, 4, 4), dtype=np.uint8)
    x.reshape(n, 16)[np.arange(n), truth] = 255
    return make_problem("mnist", x, truth, x[:100], truth[:100], backbone="mlp", source="test")


def groups(table: str, method: str, *, stack: bool = True, **choices: Any) -> list[Group]:
    asked: dict[str, Any] = {"rates": [0.2, 0.4], "seeds": [0, 1], "scale": "smoke", **choices}
    cells = [
        cell
        for cell in grid(table, Choices("mnist", [method], **asked))
        if cell.variant not in ("S-1", "S-2")
    ]
    return make_groups(cells, {"mnist": problem()}, set(), stack=stack)


def lines(found: list[Group]) -> dict[str, Line]:
    return {line["key"]: line for group in found for line in run_group(group, "cpu")}


def numbers(value: Any) -> list[float]:
    """All numbers of a nested value, in order."""
    if isinstance(value, dict):
        return [number for key in sorted(value) for number in numbers(value[key])]
    if isinstance(value, list):
        return [number for part in value for number in numbers(part)]
    return [-1.0 if value is None else float(value)]


@pytest.mark.parametrize("method", STACKABLE)
def test_together_as_one_by_one(method: str) -> None:
    together, alone = lines(groups("table1", method)), lines(groups("table1", method, stack=False))
    assert together.keys() == alone.keys()
    for key, line in together.items():
        assert line["stacked"] == 4
        assert alone[key]["stacked"] == 1
        for name in ("curve", "epsilon_curve", "final"):
            assert numbers(line[name]) == pytest.approx(numbers(alone[key][name]), abs=0.021), name
        same = {name for name in line if name not in ("curve", "epsilon_curve", "final", "test_error")}
        for name in same - {"seconds", "stacked", "stack_seconds", "hardware"}:
            assert line[name] == alone[key][name]


def test_the_told_rate_leaves_own_classes_out() -> None:
    chosen: dict[str, Any] = {"rates": [0.5], "seeds": [3], "epochs": 1, "recipe": "own", "noise": "uniform"}
    (found,) = run_group(groups("table1", "mislabeled_vae", **chosen)[0], "cpu")
    assert found["noise_rate"] == pytest.approx(0.5 * (1 - 1 / found["classes"]))
    assert 0 < found["corrupted"] <= 25


@pytest.mark.parametrize("method", METHODS)
def test_every_method_learns_and_says_all(method: str) -> None:
    chosen: dict[str, Any] = {"rates": [0.2], "seeds": [3], "epochs": 40, "recipe": "own"}
    (found,) = run_group(groups("table1", method, **chosen)[0], "cpu")
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["rows"] == 200
    assert found["labelled"] == 50
    assert found["corrupted"] == 10
    assert found["test_rows"] == 100
    assert len(found["curve"]["guider"]) == len(found["curve"]["learner"]) == 40
    if method not in SLOW:
        assert found["test_error"]["guider"] < 0.8
    assert (found["epsilon_curve"] is not None) == METHODS[method].has_guider
    assert (found["trusted"] is not None) == ("trusted" in METHODS[method].needs)
    assert (found["noise_rate"] == 0.2) == ("noise_rate" in METHODS[method].needs)
    assert found["seconds"] > 0
    assert {"device", "name", "cores", "threads"} <= found["hardware"].keys()
    assert "torch" in found["versions"]


@pytest.mark.parametrize("method", ["supervised", "umn"])
def test_a_runs_neighbours_do_not_depend_on_its_company(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """All rows are there to be asked, whatever other seeds labelled and whether or not the method learns of them."""
    seen: list[tuple[int, int]] = []

    def spy(fitted: Fitted, given: Any) -> Believed:
        seen.append((len(fitted.guider_mean), len(given)))
        return believe(fitted, given)

    monkeypatch.setattr("noiseaudit.bench.record.believe", spy)
    for seeds in ([0], [0, 1, 2]):
        run_group(groups("table1", method, rates=[0.2], seeds=seeds, epochs=1)[0], "cpu")
    assert set(seen) == {(200, 50)}


def test_table_3_keeps_the_epsilon_of_the_last_steps() -> None:
    few, everything = (
        run_group(group, "cpu")[0] for group in groups("table3", "umn", rates=[0.4], seeds=[0])
    )
    for line, labelled in ((few, 50), (everything, 100)):
        assert line["labelled"] == labelled
        assert line["corrupted"] == round(0.4 * labelled)
        assert set(line["final"]) == {"default", "own", "epsilon", "step_epsilon"}
    assert set(run_group(groups("table1", "mean_teacher", rates=[0.4])[0], "cpu")[0]["final"]) == {
        "default",
        "own",
        "epsilon",
    }


def test_which_methods_have_an_epsilon_in_their_steps() -> None:
    assert {name for name, kind in METHODS.items() if has_step_epsilon(kind)} >= {"umn", "umn_plus"}
    assert not has_step_epsilon(METHODS["supervised"])


def test_epochs_are_counted() -> None:
    seen: list[int] = []
    for group in groups("table1", "umn", epochs=3):
        run_group(group, "cpu", lambda: seen.append(1))
    assert len(seen) == 4 * 3


def test_one_that_diverges_costs_the_others_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    (group,) = groups("table1", "umn")
    build = UMN.build

    def broken(self: UMN, setup: Setup) -> UMNNetworks:
        network = build(self, setup)
        if setup.seed == 1:
            with torch.no_grad():
                next(iter(network.parameters())).fill_(float("nan"))
        return network

    monkeypatch.setattr(UMN, "build", broken)
    found = run_group(group, "cpu")
    assert [(line["seed"], "error" in line) for line in found] == [(0, False), (1, True)] * 2
    assert "in epoch 1" in found[1]["error"]
    assert "test_error" not in found[1]
    (single,) = run_group(dataclasses.replace(group, runs=group.runs[1:2]), "cpu")
    assert single["error"] == found[1]["error"]

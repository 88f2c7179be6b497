"""Groups: what trains as one, with the paper's batches, and what the keys depend on."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from noiseaudit.bench.grids import Choices, grid
from noiseaudit.bench.groups import can_stack, make_groups, plan_steps
from noiseaudit.bench.problem import Problem, make_problem
from noiseaudit.config import with_overrides
from noiseaudit.data.batches import BatchPlan
from noiseaudit.data.inputs import SOME_IMAGES
from noiseaudit.errors import ConfigError
from noiseaudit.methods import METHODS


def problem(dataset: str, backbone: str, n: int = 400, seed: int = 0) -> Problem:
    x = np.random.default_rng(seed).integers(0, 256, (n, 1, 4, 4), dtype=np.uint8)
    truth = np.arange(n) % 10
    return make_problem(dataset, x, truth, x[:150], truth[:150], backbone=backbone, source="test")


@pytest.mark.parametrize(
    ("rows", "labelled", "all_rows", "labelled_only"),
    [
        (50_000, 100, BatchPlan(5, 95, 526), BatchPlan(100, 0, 526)),  # MNIST: 49,900 / 95
        (73_257, 500, BatchPlan(5, 95, 766), BatchPlan(100, 0, 766)),  # SVHN
        (50_000, 4_000, BatchPlan(8, 92, 500), BatchPlan(100, 0, 500)),  # CIFAR-10
        (10_000, 10_000, BatchPlan(100, 0, 100), BatchPlan(100, 0, 100)),
        (10_003, 10_000, BatchPlan(99, 1, 102), BatchPlan(100, 0, 102)),
        (300, 60, BatchPlan(20, 80, 3), BatchPlan(60, 0, 3)),
    ],
)
def test_an_epoch_is_a_pass_over_all_rows(
    rows: int, labelled: int, all_rows: BatchPlan, labelled_only: BatchPlan
) -> None:
    assert plan_steps(rows, labelled, uses_unlabelled=True) == all_rows
    assert plan_steps(rows, labelled, uses_unlabelled=False) == labelled_only


def test_rates_and_seeds_of_a_method_are_one_group() -> None:
    cells = grid("table1", Choices("mnist", rates=[0.1, 0.2], seeds=[0, 1], scale="smoke"))
    groups = make_groups(cells, {"mnist": problem("mnist", "mlp")}, set(), stack=True)
    assert sum(len(group.runs) for group in groups) == len(cells)
    for group in groups:
        method, variant = group.runs[0].cell.method, group.runs[0].cell.variant
        stackable = variant not in ("S-1", "S-2") and method not in ("mentornet", "joint_optimization")
        assert group.stacked == stackable
        assert len(group.runs) == (4 if stackable else 1)
        assert {(run.cell.method, run.cell.variant) for run in group.runs} == {(method, variant)}
        assert len(group.problem.x) == 200
        assert group.labels == 50
    networks = {group.runs[0].cell.variant: group.backbone for group in groups}
    assert networks == {
        "S-1": "conv13",
        "S-2": "resnet101",
        "mlp-784": "mlp",
        "shared": "mlp",
        "default": "mlp",
    }


def test_one_by_one_if_asked_or_on_convolutions() -> None:
    cells = grid("high-noise", Choices(scale="smoke"))
    for stack, backbone in ((False, "mlp"), (True, "conv13")):
        groups = make_groups(cells, {"svhn": problem("svhn", backbone)}, set(), stack=stack)
        assert [len(group.runs) for group in groups] == [1] * len(cells)
    assert can_stack("umn", "mlp")
    assert not can_stack("umn", "conv13")


def test_what_is_done_is_passed_over() -> None:
    cells = grid("table3", Choices(rates=[0.1, 0.2], seeds=[0, 1], scale="smoke"))
    problems = {"mnist": problem("mnist", "mlp")}
    runs = [run for group in make_groups(cells, problems, set(), stack=True) for run in group.runs]
    done = {run.key for run in runs[1:]}
    assert len(done) == len(cells) - 1
    (left,) = make_groups(cells, problems, done, stack=True)
    assert [run.key for run in left.runs] == [runs[0].key]
    assert make_groups(cells, problems, {run.key for run in runs}, stack=False) == []


def test_keys_change_with_data_and_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    cells = grid("table3", Choices(methods=["umn"], rates=[0.1], seeds=[0], scale="smoke"))

    def key(seed: int = 0) -> str:
        groups = make_groups(cells[:1], {"mnist": problem("mnist", "mlp", seed=seed)}, set(), stack=True)
        return groups[0].runs[0].key

    first = key()
    assert first == key()
    assert first != key(seed=1)
    changed = dataclasses.replace(METHODS["umn"].settings(SOME_IMAGES), hidden=99)
    monkeypatch.setattr(METHODS["umn"], "settings", staticmethod(lambda backbone: changed))
    assert first != key()


def test_results_are_those_of_the_papers_labelled_term_unless_another_is_asked_for() -> None:
    """What `scan` adds came later: keys of earlier results stay, and `noise_weight` is recorded where it is set."""

    def settings(*changes: str) -> dict[str, Any]:
        choices = Choices("mnist", ["umn_plus"], rates=[0.1], seeds=[0], scale="smoke")
        cells = [dataclasses.replace(cell, changes=" ".join(changes)) for cell in grid("table1", choices)]
        (group,) = make_groups(cells, {"mnist": problem("mnist", "mlp")}, set(), stack=True)
        recorded: dict[str, Any] = group.runs[0].record["settings"]
        assert group.settings == with_overrides(
            METHODS["umn_plus"].settings(SOME_IMAGES), {"noise_weight": 0.0} | recorded
        )
        return recorded

    assert "noise_weight" not in settings()
    assert settings("noise_weight=0") == settings()
    assert settings("noise_weight=40") == settings() | {"noise_weight": 40.0}
    assert settings("input_dropout=0.5") == settings() | {"input_dropout": 0.5}
    assert settings("noise_power=0", "input_dropout=0") == settings()


def test_all_labelled_takes_fewer_rows() -> None:
    cells = grid("table3", Choices(methods=["umn"], rates=[0.1], seeds=[0], scale="smoke"))
    groups = make_groups(cells, {"mnist": problem("mnist", "mlp")}, set(), stack=True)
    assert [(len(g.problem.x), g.labels, len(g.problem.test_x)) for g in groups] == [
        (200, 50, 100),
        (100, None, 100),
    ]
    assert groups[1].plan == BatchPlan(100, 0, 1)
    assert groups[1].runs[0].record["labelled"] == 100


def test_labels_that_a_class_has_not_are_refused_before_anything_is_trained() -> None:
    cells = grid("table2", Choices("svhn", methods=["umn"], rates=[0.1], seeds=[0]))
    with pytest.raises(ConfigError, match="class 0 has 40 rows"):
        make_groups(cells, {"svhn": problem("svhn", "mlp")}, set(), stack=False)


def test_the_version_of_the_score_is_in_the_key_where_some_rows_are_unlabelled() -> None:
    few = make_groups(
        grid("table1", Choices("mnist", ["umn"])), {"mnist": problem("mnist", "mlp")}, set(), stack=True
    )
    everything = make_groups(
        grid("table3", Choices("mnist", ["umn:fully-labelled"])),
        {"mnist": problem("mnist", "mlp")},
        set(),
        stack=True,
    )
    assert few[0].runs[0].record["score"] == 2
    assert "score" not in everything[0].runs[0].record

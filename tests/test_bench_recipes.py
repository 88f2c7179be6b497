"""The settings that the bench takes are those that the search chose, by its results in the repository."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from noiseaudit.bench.recipes import CHOSEN, SEEN, as_text, recipe, spelled_once
from noiseaudit.config import with_overrides
from noiseaudit.data.inputs import SOME_IMAGES
from noiseaudit.errors import ConfigError
from noiseaudit.methods import METHODS

RESULTS = Path(__file__).parent.parent / "benchmarks" / "results" / "recipe.jsonl"
WHOLE, LONG = 17, 30  # configurations of a method in all, and epochs of those that decide


def searched() -> dict[str, list[dict[str, Any]]]:
    """The lines of each method whose search is complete."""
    lines: dict[str, list[dict[str, Any]]] = {}
    for text in RESULTS.read_text("utf-8").splitlines():
        line = json.loads(text)
        lines.setdefault(line["method"], []).append(line)
    return {method: own for method, own in lines.items() if len(own) == WHOLE}


@pytest.mark.parametrize("method", METHODS)
def test_what_is_chosen_had_the_lowest_error(method: str) -> None:
    own = searched().get(method)
    if own is None:
        assert method not in CHOSEN["mnist"]
        pytest.skip(f"the search of {method} is not complete")
    best = min(
        (line for line in own if line["epochs"] == LONG),
        key=lambda line: float(line["validation_error"][-1][1]),
    )
    wanted = with_overrides(METHODS[method].settings(SOME_IMAGES), best["seen"] | best["settings"])
    assert with_overrides(METHODS[method].settings(SOME_IMAGES), recipe("mnist", method, "default")) == wanted


def test_networks_that_were_not_searched_differ_in_the_perturbations_alone() -> None:
    assert recipe("mnist", "supervised", "mlp-784") == recipe("mnist", "supervised", "S-1") == SEEN
    assert recipe("mnist", "supervised", "shared") == SEEN | CHOSEN["mnist"]["supervised"]


def test_a_setting_has_one_spelling() -> None:
    usual = recipe("mnist", "umn_plus", "default")
    for text in ("3e-3", "0.003", "0.0030", " .003"):
        assert spelled_once("umn_plus", {"learning_rate": text}, usual) == {"learning_rate": "0.003"}
    assert spelled_once("umn_plus", {"alpha": "5", "hidden": "064"}, usual) == {
        "alpha": "5.0",
        "hidden": "64",
    }
    assert spelled_once("umn_plus", {"alpha": "20.0", "prior": "empirical"}, usual) == {
        "alpha": "20", "prior": "empirical"
    }  # fmt: skip


@pytest.mark.parametrize("changes", [{"prior": "a b"}, {"alpha": "5 6"}, {"alhpa": "5"}, {"alpha": "-1"}])
def test_settings_that_are_none_are_refused(changes: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match=r"--set.*(alhpa|alpha|prior)"):
        spelled_once("umn_plus", changes, {})


def test_changes_as_a_cell_has_them() -> None:
    assert as_text({"b": "1", "a": "x"}) == "a=x b=1"
    assert recipe("svhn", "umn", "default") == SEEN

"""The settings that the bench takes are those that the search chose, by its results in the repository."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from noiseaudit.bench.recipes import CHOSEN, SEEN, as_text, recipe
from noiseaudit.config import with_overrides
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
    wanted = with_overrides(METHODS[method].settings("mlp"), best["seen"] | best["settings"])
    assert with_overrides(METHODS[method].settings("mlp"), recipe("mnist", method)) == wanted


def test_changes_as_a_cell_has_them() -> None:
    assert as_text({"b": "1", "a": "x"}) == "a=x b=1"
    assert recipe("svhn", "umn") == SEEN

"""A grid runs once, goes on where it was stopped, and gives the same lines in one process and in several."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from joblib._parallel_backends import LokyBackend

from noiseaudit.bench.grids import Choices, grid
from noiseaudit.bench.problem import Problem, make_problem
from noiseaudit.bench.results import read_lines
from noiseaudit.bench.runner import Machine, Place, run_cells, run_table
from noiseaudit.errors import ConfigError, DataError, OutputError

CHOICES = Choices("mnist", ["supervised:shared", "mentornet"], [0.2, 0.4], [0, 1], "smoke")
TIMES = ("seconds", "stack_seconds", "hardware")


class Watch:
    def __init__(self) -> None:
        self.started: list[tuple[int, int, int]] = []
        self.epochs = 0
        self.keys: list[str] = []

    def on_start(self, cells: int, done: int, epochs: int) -> None:
        self.started.append((cells, done, epochs))

    def on_epoch(self) -> None:
        self.epochs += 1

    def on_line(self, line: dict[str, Any]) -> None:
        self.keys.append(line["key"])


def toy_problem() -> Problem:
    rng, truth = np.random.default_rng(0), np.arange(200) % 10
    x = rng.integers(0, 256, (200, 1, 4, 4), dtype=np.uint8)
    return make_problem("mnist", x, truth, x[:50], truth[:50], backbone="mlp", source="test")


def run(out: Path, machine: Machine, choices: Choices = CHOICES) -> Watch:
    watch = Watch()
    added = run_cells(grid("table1", choices), {"mnist": toy_problem()}, out, machine, watch)
    assert added == len(watch.keys)
    return watch


def kept(out: Path) -> dict[str, dict[str, Any]]:
    lines = read_lines(out / "table1_mnist.jsonl")
    return {line["key"]: {k: v for k, v in line.items() if k not in TIMES} for line in lines}


def test_a_second_run_does_nothing(tmp_path: Path) -> None:
    first = run(tmp_path, Machine("cpu"))
    assert first.started == [(8, 0, 16)]
    assert (first.epochs, len(first.keys)) == (16, 8)
    before = (tmp_path / "table1_mnist.jsonl").read_bytes()
    second = run(tmp_path, Machine("cpu"))
    assert second.started == [(8, 8, 0)]
    assert second.keys == []
    assert (tmp_path / "table1_mnist.jsonl").read_bytes() == before


def test_a_grid_that_was_cut_goes_on(tmp_path: Path) -> None:
    run(tmp_path, Machine("cpu", stack=False))
    file = tmp_path / "table1_mnist.jsonl"
    whole = kept(tmp_path)
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(lines[:5]) + lines[5][:100])
    again = run(tmp_path, Machine("cpu", stack=False))
    assert again.started == [(8, 5, 6)]
    assert kept(tmp_path) == whole


def test_a_place_that_cannot_be_written_is_found_before_anything_is_trained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    watch = Watch()
    toy = {"mnist": toy_problem()}
    with pytest.raises(OutputError, match="--out"):
        run_cells(grid("table1", CHOICES), toy, tmp_path / "file", Machine("cpu"), watch)
    assert watch.epochs == 0


def test_another_epoch_count_is_another_run(tmp_path: Path) -> None:
    run(tmp_path, Machine("cpu"))
    longer = Choices("mnist", ["mentornet"], [0.2], [0], "smoke", epochs=3)
    assert run(tmp_path, Machine("cpu"), longer).started == [(1, 0, 3)]


@pytest.mark.slow
def test_several_processes_write_the_same_lines(tmp_path: Path) -> None:
    run(tmp_path / "one", Machine("cpu", stack=False))
    many = run(tmp_path / "two", Machine("cpu", jobs=2, stack=False))
    assert many.epochs == 0
    assert kept(tmp_path / "one") == kept(tmp_path / "two")


def test_without_ray_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ConfigError, match=r"Ray is not installed. Run pip install 'noiseaudit\[ray\]'"):
        Machine(backend="ray")


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [3, None])
def test_ray_runs_round_by_round(jobs: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a stand-in that, like Ray's backend, hands results over only when a call is done."""

    class Rounds(LokyBackend):  # type: ignore[misc]
        supports_return_generator = False

        def effective_n_jobs(self, n_jobs: int) -> int:
            return 2 if n_jobs == -1 else int(n_jobs)

    register = types.SimpleNamespace(register_ray=lambda: joblib.register_parallel_backend("ray", Rounds))
    for name in ("ray", "ray.util"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setitem(sys.modules, "ray.util.joblib", register)
    run(tmp_path / "local", Machine("cpu", stack=False))
    found = run(tmp_path / "ray", Machine("cpu", jobs=jobs, backend="ray", stack=False))
    assert len(found.keys) == 8
    assert kept(tmp_path / "ray") == kept(tmp_path / "local")


@pytest.mark.parametrize(("options", "words"), [({"jobs": 0}, "--jobs"), ({"backend": "slurm"}, "--backend")])
def test_machines_that_there_are_not(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Machine(**options)


def test_nothing_is_written_before_the_data_is_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="mnist"):
        run_table("table3", Choices(), Place(tmp_path / "out", root=tmp_path), Machine("cpu"), Watch())
    assert not (tmp_path / "out").exists()

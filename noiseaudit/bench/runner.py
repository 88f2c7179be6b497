"""Run what a grid still lacks, in this process, in several, or on a Ray cluster, and keep every result at once."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from joblib import Parallel, delayed, effective_n_jobs, parallel_config

from noiseaudit.bench.cells import Cell
from noiseaudit.bench.grids import Choices, grid
from noiseaudit.bench.groups import Group, make_groups
from noiseaudit.bench.own import AS_FOUND, Reading, name_of
from noiseaudit.bench.problem import Problem
from noiseaudit.bench.problems import load_problem
from noiseaudit.bench.results import Line, append_line, check_writable, read_lines, results_file
from noiseaudit.bench.run_group import run_group
from noiseaudit.config import one_of
from noiseaudit.errors import ConfigError
from noiseaudit.runtime import training_runtime

BACKENDS = ("local", "ray")


@dataclass(frozen=True)
class Machine:
    """What runs the cells."""

    device: str = "auto"
    jobs: int | None = None  # groups at a time; None: one, or as many as the Ray cluster has cores
    backend: str = "local"
    stack: bool = True  # train as one what can be

    def __post_init__(self) -> None:
        """Raises ConfigError if a value is out of range, or Ray is asked for and absent."""
        one_of("--backend", self.backend, BACKENDS)
        if self.jobs is not None and self.jobs < 1:
            raise ConfigError("--jobs is out of range", fix="It must be 1 or more.")
        if self.backend == "ray":
            _register_ray()


@dataclass(frozen=True)
class Place:
    """Where data is read and results are written."""

    out: Path
    root: Path | None = None  # of torchvision's data sets
    images: Path | None = None  # folder of a label file's image paths
    reading: Reading = AS_FOUND  # of a label file
    download: bool = False


class Watcher(Protocol):
    """Sees how a grid gets on."""

    def on_start(self, cells: int, done: int, epochs: int) -> None:
        """How many runs there are, how many of them were done before, and epochs of all that are to be done."""

    def on_epoch(self) -> None:
        """An epoch of a run that trains in this process has ended."""

    def on_line(self, line: Line) -> None:
        """A run has ended and its line is kept."""


def run_table(table: str, choices: Choices, place: Place, machine: Machine, watcher: Watcher) -> int:
    """Run the cells of a table that have no line yet; how many lines were added.

    Raises ConfigError or DataError for what the caller can mend before anything is trained.
    """
    name = name_of(choices.dataset) if choices.dataset is not None else None
    cells = grid(table, dataclasses.replace(choices, dataset=name))
    problems = load_problems(table, choices, place)
    with training_runtime():  # before the first parallel work of the process
        return run_cells(cells, problems, place.out, machine, watcher)


def load_problems(table: str, choices: Choices, place: Place) -> dict[str, Problem]:
    """The data sets of a table, by name."""
    names = (
        [choices.dataset]
        if choices.dataset is not None
        else list(dict.fromkeys(cell.dataset for cell in grid(table, choices)))
    )
    loaded = [
        load_problem(
            name, root=place.root, images=place.images, reading=place.reading, download=place.download
        )
        for name in names
    ]
    return {problem.dataset: problem for problem in loaded}


def run_cells(
    cells: Sequence[Cell], problems: Mapping[str, Problem], out: Path, machine: Machine, watcher: Watcher
) -> int:
    """Run the cells that have no line in `out` yet; how many lines were added."""
    files = {results_file(out, cell.table, cell.dataset) for cell in cells}
    done = {str(line["key"]) for file in files for line in read_lines(file)}
    groups = make_groups(cells, problems, done, stack=machine.stack)
    left = [run.cell for group in groups for run in group.runs]
    for file in {results_file(out, cell.table, cell.dataset) for cell in left}:
        check_writable(file)
    watcher.on_start(len(cells), len(cells) - len(left), sum(cell.epochs for cell in left))
    added = 0
    for lines in _results(groups, machine, watcher.on_epoch):
        for line in lines:
            append_line(results_file(out, line["table"], line["dataset"]), line)
            watcher.on_line(line)
            added += 1
    return added


def _results(groups: Sequence[Group], machine: Machine, on_epoch: Callable[[], None]) -> Iterator[list[Line]]:
    """Each group's lines as they are ready; this process alone writes them."""
    if machine.backend == "ray":
        yield from _on_ray(groups, machine)
    elif machine.jobs in (None, 1):
        work = (delayed(run_group)(group, machine.device, on_epoch) for group in groups)
        yield from Parallel(n_jobs=1, return_as="generator")(work)
    else:
        work = (delayed(run_group)(group, machine.device) for group in groups)
        with Parallel(
            n_jobs=machine.jobs, return_as="generator_unordered"
        ) as parallel:  # ended if interrupted
            yield from parallel(work)


def _on_ray(groups: Sequence[Group], machine: Machine) -> Iterator[list[Line]]:
    """Round by round: joblib's Ray backend hands results over when all of a call are there, and not before."""
    with parallel_config("ray", n_jobs=machine.jobs or -1), Parallel() as parallel:
        size = effective_n_jobs(machine.jobs or -1)  # Ray has started by now
        for start in range(0, len(groups), size):
            yield from parallel(
                delayed(run_group)(group, machine.device) for group in groups[start : start + size]
            )


def _register_ray() -> None:
    try:
        importlib.import_module("ray.util.joblib").register_ray()
    except ImportError as error:
        raise ConfigError(
            "--backend ray: Ray is not installed", fix="Run pip install 'noiseaudit[ray]', or leave it out."
        ) from error

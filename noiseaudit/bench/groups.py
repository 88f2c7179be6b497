"""From cells to groups of runs that can train together, each with all that its results depend on."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from noiseaudit.bench.cells import Cell, key_of
from noiseaudit.bench.draw import check_labels, check_trusted, n_labelled
from noiseaudit.bench.grids import SCALES
from noiseaudit.bench.problem import Problem, scaled
from noiseaudit.bench.systems import NETWORKS
from noiseaudit.choose import DENSE_BACKBONES
from noiseaudit.config import Settings, with_overrides
from noiseaudit.data.batches import BatchPlan, plan_batches
from noiseaudit.data.inputs import SOME_IMAGES
from noiseaudit.methods import METHODS
from noiseaudit.methods.descent import Descent

SCORE_VERSION = 2  # of the default score where some rows are unlabelled: 2 asks them (noiseaudit.neighbours)
BATCH, LABELLED_ROWS = 100, 5  # rows of a step: 5 labelled and 95 not (section 4.2)
FIXED: dict[
    str, dict[str, Any]
] = {  # of scan's settings, what is not in the paper's comparison unless asked for
    "umn_plus": {"noise_weight": 0.0}
}
CAME_LATER = {"noise_weight", "noise_power", "input_dropout"}  # settings that do nothing at 0
LEAST_LABELS_A_CLASS = 5  # at a scale that divides the label counts


@dataclass(frozen=True)
class Run:
    """A cell that is to be trained."""

    cell: Cell
    key: str
    record: Mapping[str, Any]  # what its result depends on beside the cell


@dataclass(frozen=True, eq=False)
class Group:
    """Runs of one method, with the same settings and sizes, that differ in rate and seed."""

    runs: tuple[Run, ...]
    problem: Problem  # at the scale of the runs
    labels: int | None  # labelled rows; None: all that may be
    backbone: str
    settings: Settings
    plan: BatchPlan
    stacked: bool  # whether they train as one


def make_groups(
    cells: Iterable[Cell], problems: Mapping[str, Problem], done: Collection[str], *, stack: bool
) -> list[Group]:
    """Groups of all cells whose key is not in `done`; one run each where they cannot train as one, or not `stack`.

    `problems` are by data set.
    """
    small: dict[tuple[str, str, bool], Problem] = {}
    groups: dict[object, Group] = {}
    for cell in cells:
        place = (cell.dataset, cell.scale, cell.labels is None)
        if place not in small:
            small[place] = scaled(
                problems[cell.dataset], SCALES[cell.scale], all_labelled=cell.labels is None
            )
        group = _group_of(cell, small[place], stack=stack)
        if group.runs[0].key in done:
            continue
        same = dataclasses.replace(cell, rate=0.0, seed=0) if group.stacked else cell
        earlier = groups.get(same)
        groups[same] = dataclasses.replace(group, runs=(*earlier.runs, *group.runs)) if earlier else group
    return list(groups.values())


def recorded(settings: Settings) -> dict[str, Any]:
    """Settings as results hold them: one that came later is left out where it changes nothing."""
    values = dataclasses.asdict(settings)
    return {name: value for name, value in values.items() if name not in CAME_LATER or value}


def can_stack(method: str, backbone: str) -> bool:
    """Whether noiseaudit.stack can train runs of this method as one."""
    kind = METHODS[method]
    plain = issubclass(kind, Descent) and kind.step is Descent.step and kind.end_epoch is Descent.end_epoch
    return plain and backbone in DENSE_BACKBONES


def plan_steps(n_rows: int, labelled: int, *, uses_unlabelled: bool) -> BatchPlan:
    """Batches and steps of an epoch: at least one pass over all rows.

    Where the labelled ones are at most 1 in 20, the paper's batches (section 4.2); where they are more, a batch has
    their share. A method that sees labelled rows only gets as many steps, of as many labelled rows as there are, at
    most BATCH.
    """
    unlabelled = n_rows - labelled
    if unlabelled == 0:
        return BatchPlan(min(BATCH, labelled), 0, math.ceil(labelled / BATCH))
    both = plan_batches(labelled, unlabelled, BATCH, LABELLED_ROWS / BATCH)
    return both if uses_unlabelled else BatchPlan(min(BATCH, labelled), 0, both.steps)


def _group_of(cell: Cell, problem: Problem, *, stack: bool) -> Group:
    """The group of a single cell."""
    network, own_backbone = NETWORKS.get(cell.variant, (None, None))
    backbone = own_backbone or problem.backbone
    kind = METHODS[cell.method]
    changes = dict(change.split("=", 1) for change in cell.changes.split())
    settings = with_overrides(
        kind.settings(SOME_IMAGES),
        FIXED.get(cell.method, {}) | ({"network": network} if network else {}) | changes,
    )
    labels = _labels_at_scale(cell, problem)
    check_labels(problem, labels)
    if "trusted" in kind.needs:
        check_trusted(problem, labels=labels, kind=cell.noise, rate=cell.rate, seed=cell.seed)
    count = n_labelled(problem, labels)
    plan = plan_steps(len(problem.x), count, uses_unlabelled=kind.uses_unlabelled)
    fixed: dict[str, Any] = {
        "settings": recorded(settings),
        "backbone": backbone,
        "source": problem.source,
        "data": problem.fingerprint,
    }
    if count < len(problem.x):
        fixed["score"] = SCORE_VERSION
    record = {
        **fixed,
        "batch": dataclasses.asdict(plan),
        "rows": len(problem.x),
        "labelled": count,
        "test_rows": len(problem.test_x),
        "classes": problem.n_classes,
    }
    run = Run(cell, key_of(cell, record), record)
    together = stack and can_stack(cell.method, backbone)
    return Group((run,), problem, labels, backbone, settings, plan, together)


def _labels_at_scale(cell: Cell, problem: Problem) -> int | None:
    divisor = SCALES[cell.scale].labels_divisor
    if cell.labels is None or divisor == 1:
        return cell.labels
    return max(cell.labels // divisor, LEAST_LABELS_A_CLASS * problem.n_classes)

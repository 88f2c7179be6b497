"""Train the runs of a group and describe each in a line."""

from __future__ import annotations

import dataclasses
import os
import platform
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from noiseaudit.bench.cells import Cell
from noiseaudit.bench.draw import Draw, draw_labels
from noiseaudit.bench.groups import Group, Run
from noiseaudit.bench.record import Recorder
from noiseaudit.choose import choose_device, choose_threads
from noiseaudit.course import Course, EpochRecord, Fitted
from noiseaudit.data.training import TrainingData
from noiseaudit.errors import TrainingDiverged
from noiseaudit.methods import METHODS
from noiseaudit.methods.base import Method, Setup
from noiseaudit.methods.descent import Descent
from noiseaudit.noise import wrong_share
from noiseaudit.runtime import training_runtime
from noiseaudit.stack import fit_stack
from noiseaudit.train import Alone, fit_all
from noiseaudit.versions import versions

Line = dict[str, Any]


def run_group(group: Group, device: str, on_epoch: Callable[[], None] = lambda: None) -> list[Line]:
    """A line of each run. `on_epoch` is called after every epoch of every run.

    A run whose training diverges gets a line that says so, in place of results.
    """
    with training_runtime():  # before the first parallel work of a worker process
        draws = [_draw(group, run) for run in group.runs]
    together = group.stacked and len({int(draw.trusted.sum()) for draw in draws}) == 1
    parts = [list(range(len(draws)))] if together else [[i] for i in range(len(draws))]
    trainer = _Trainer(group, draws, choose_device(device), on_epoch)
    lines: list[Line] = []
    for part in parts:
        try:
            lines += trainer.train(part)
        except TrainingDiverged as error:
            lines += [trainer.diverged(part[0], error)] if len(part) == 1 else trainer.one_by_one(part)
    return lines


class _Trainer:
    """A group with its data on the device."""

    def __init__(
        self, group: Group, draws: Sequence[Draw], device: torch.device, on_epoch: Callable[[], None]
    ) -> None:
        self.group, self.draws, self.device, self.on_epoch = group, draws, device, on_epoch
        self.kind, problem = METHODS[group.runs[0].cell.method], group.problem
        self.x = torch.tensor(problem.x, device=device)
        self.test = _data(torch.tensor(problem.test_x, device=device), problem.test_truth, problem.n_classes)

    def train(self, part: Sequence[int]) -> list[Line]:
        """The lines of runs that train together. Raises TrainingDiverged."""
        runs, group = [self.group.runs[i] for i in part], self.group
        threads = choose_threads(
            group.backbone,
            len(part) * (group.plan.labelled + group.plan.unlabelled),
            group.problem.n_classes,
            group.settings.hidden,
        )
        recorders = [
            Recorder(
                self.draws[i],
                has_guider=self.kind.has_guider,
                epochs=self.group.runs[i].cell.epochs,
                knows_trusted="trusted" in self.kind.needs,
            )
            for i in part
        ]

        def on_epoch(run: int, record: EpochRecord) -> None:
            recorders[run].on_epoch(record, courses[run].so_far)
            self.on_epoch()

        with training_runtime(threads):
            started = time.perf_counter()
            data = [self._labelled(self.draws[i]) for i in part]
            methods = [self._method(each, run) for each, run in zip(data, runs, strict=True)]
            courses = [
                Course(each, group.plan, epochs=run.cell.epochs, seed=run.cell.seed)
                for each, run in zip(data, runs, strict=True)
            ]
            fitted = self._fit(methods, courses, on_epoch)
            seconds, machine = time.perf_counter() - started, hardware(self.device)
        together = {"stacked": len(part), "stack_seconds": round(seconds, 3), "hardware": machine}
        return [
            self._line(i) | recorder.line(found) | together
            for i, recorder, found in zip(part, recorders, fitted, strict=True)
        ]

    def one_by_one(self, part: Sequence[int]) -> list[Line]:
        """The lines of runs of which one diverges: together, none of them could go on."""
        lines: list[Line] = []
        for i in part:
            try:
                lines += self.train([i])
            except TrainingDiverged as error:
                lines.append(self.diverged(i, error))
        return lines

    def diverged(self, i: int, error: TrainingDiverged) -> Line:
        """The line of a run without results."""
        return self._line(i) | {"error": str(error), "hardware": hardware(self.device)}

    def _fit(
        self,
        methods: Sequence[Method],
        courses: Sequence[Course],
        on_epoch: Callable[[int, EpochRecord], None],
    ) -> list[Fitted]:
        keep = has_step_epsilon(self.kind)
        plain = [method for method in methods if isinstance(method, Descent)]
        if len(methods) > 1:
            return fit_stack(
                plain, courses, device=self.device, on_epoch=on_epoch, test=self.test, keep_step_epsilon=keep
            )
        return fit_all(
            Alone(methods[0]),
            courses,
            device=self.device,
            on_epoch=on_epoch,
            test=self.test,
            keep_step_epsilon=keep,
        )

    def _labelled(self, draw: Draw) -> TrainingData:
        codes, trusted = np.full(len(self.x), -1), np.zeros(len(self.x), np.bool_)
        codes[draw.rows], trusted[draw.rows] = draw.given, draw.trusted
        data = _data(self.x, codes, self.group.problem.n_classes)
        needed = "trusted" in self.kind.needs
        return dataclasses.replace(data, trusted=torch.from_numpy(trusted)) if needed else data

    def _method(self, data: TrainingData, run: Run) -> Method:
        rate = self._told_rate(run.cell)
        setup = Setup(data, self.group.backbone, run.cell.seed, self.device, noise_rate=rate)
        return self.kind(setup, self.group.settings)

    def _told_rate(self, cell: Cell) -> float | None:
        told = "noise_rate" in self.kind.needs
        return wrong_share(cell.noise, self.group.problem.n_classes, cell.rate) if told else None

    def _line(self, i: int) -> Line:
        run, draw = self.group.runs[i], self.draws[i]
        trusted = int(draw.trusted.sum()) if "trusted" in self.kind.needs else None
        return {
            "key": run.key,
            **dataclasses.asdict(run.cell),
            **run.record,
            "corrupted": int(draw.corrupted.sum()),
            "trusted": trusted,
            "noise_rate": self._told_rate(run.cell),
            "versions": versions(),
        }


def has_step_epsilon(kind: type[Method]) -> bool:
    """Whether the method's steps have an epsilon."""
    if issubclass(kind, Descent) and kind.step_epsilon is Descent.step_epsilon:
        return kind.epsilon is not Descent.epsilon
    return kind.step_epsilon is not Method.step_epsilon


def hardware(device: torch.device) -> dict[str, Any]:
    """What a run computes on."""
    is_cuda = device.type == "cuda"
    return {
        "device": device.type,
        "name": torch.cuda.get_device_name(device) if is_cuda else _processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "precision": "bfloat16 autocast in training" if is_cuda else "float32",
    }


def _processor() -> str:
    """The processor's name; on Linux, Python knows only its kind."""
    about = Path("/proc/cpuinfo")
    lines = about.read_text().splitlines() if about.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _draw(group: Group, run: Run) -> Draw:
    cell = run.cell
    return draw_labels(group.problem, labels=group.labels, kind=cell.noise, rate=cell.rate, seed=cell.seed)


def _data(x: torch.Tensor, codes: Any, n_classes: int) -> TrainingData:
    return TrainingData(x, torch.arange(len(x)), torch.tensor(codes), n_classes)

"""What a scan keeps of its trainings after every epoch, so that a process that ends can be gone on from.

A scan is a row of stages: the first training, a second stage, folds, and those of a self-test again. Each has a file
of its own, which its next epoch replaces. A finished stage is one whose file is of its last epoch: it is restored like
any other, and has nothing left to do. So what stages leave behind needs no file besides.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from noiseaudit.checkpoint import load_state, save_state
from noiseaudit.course import Course
from noiseaudit.methods.base import Method
from noiseaudit.part import current_part

SUFFIX = ".safetensors"
FIRST_STAGE, SECOND_STAGE = "training", "second stage"
SEPARATOR = ", "  # between what a stage is part of and its name

OnRestored = Callable[[str, int, int], None]  # name of the training, epochs done, epochs in all


@dataclass(frozen=True)
class Stage:
    """One training's place among the checkpoints; without a file nothing is kept."""

    name: str = ""
    file: Path | None = None
    on_restored: OnRestored = lambda name, done, epochs: None

    def restore(self, method: Method, course: Course) -> int:
        """Put an untrained method and its course where the checkpoint is; return the epochs that were done.

        Of several processes the first has checkpoints, and tells the others. Raises Damaged if it is.
        """
        if self.file is None:
            return 0
        state = current_part().first_ones(load_state(self.file) if self.file.exists() else None)
        if state is None:
            return 0
        method.load_state(state["method"])
        done = course.load_state(state["course"])
        self.on_restored(self.name, done, course.epochs)
        return done

    def keep(self, method: Method, course: Course) -> None:
        """Write the checkpoint of an epoch. Raises OutputError or OSError if it cannot be written."""
        if self.file is not None and current_part().is_first:
            save_state(self.file, {"method": method.state(), "course": course.state()})


FORGETFUL = Stage()


@dataclass(frozen=True)
class Keeper:
    """A folder of checkpoints, one file a stage; without a folder nothing is kept."""

    folder: Path | None = None
    on_restored: OnRestored = lambda name, done, epochs: None
    prefix: str = ""  # of the stages' names

    def within(self, name: str) -> Keeper:
        """For trainings that are a part of `name`."""
        return dataclasses.replace(self, prefix=f"{self.prefix}{name}{SEPARATOR}")

    def stage(self, name: str) -> Stage:
        """Of a name that no other stage of the scan has."""
        if self.folder is None:
            return FORGETFUL
        full = f"{self.prefix}{name}"
        return Stage(full, self.folder / (re.sub(r"\W+", "-", full) + SUFFIX), self.on_restored)


NOWHERE = Keeper()

"""How a scan gets on, on standard error: a live line on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.progress import TaskID

from noiseaudit.keeper import FIRST_STAGE, SECOND_STAGE, SEPARATOR
from noiseaudit.percent import percent
from noiseaudit_cli.live import LiveBar, duration, is_due

if TYPE_CHECKING:
    from noiseaudit.course import EpochRecord
    from noiseaudit.labels.table import LabelTable
    from noiseaudit.plan import Plan
    from noiseaudit.samples import Samples


class Pace:
    """How long the rest takes, from the second report on: the first, whose start is not known, begins the time."""

    def __init__(self) -> None:
        self._first: tuple[float, int] | None = None

    def left(self, done: int, total: int) -> str:
        """`1 min left`, after `done` of `total`; "" while that is unknown."""
        now = time.monotonic()
        if self._first is None:
            self._first = now, done
        began, before = self._first
        return f"{duration((now - began) / (done - before) * (total - done))} left" if done > before else ""


class ScanProgress(LiveBar):
    """The Watcher of the scan command, as a context manager."""

    def __init__(self, *, quiet: bool) -> None:
        super().__init__(quiet=quiet)
        self._images: TaskID | None = None  # while features are made
        self._images_done = 0
        self._images_pace = Pace()
        self._task: TaskID | None = None
        self._epochs = 0
        self._epochs_after = 0  # of the trainings that follow this one
        self._audits = 1  # with the self-test's
        self._extra = ""  # name of this one, if it is not the first
        self._before = 0  # epochs of this training that another process did
        self._of_features = 0  # epochs before a second stage, whose epochs take much longer; 0: there is none
        self._started = time.monotonic()

    def on_table(self, table: LabelTable) -> None:
        labelled = int(table.is_labelled.sum())
        self._console.print(
            f"Read {len(table):,} rows: {labelled:,} labelled, {len(table.classes):,} classes."
        )

    def on_features(self, done: int, total: int) -> None:
        if self._images is None:
            self._images = self._bar.add_task("computing features", total=total)
        left = self._images_pace.left(done, total)
        self._bar.update(self._images, completed=done, visible=done < total, left=left)
        if not self._console.is_terminal and is_due(self._images_done, done, total):
            self._console.print(f"features of {done:,} of {total:,} images{left and f'  {left}'}")
        self._images_done = done

    def on_plan(self, table: LabelTable, samples: Samples, plan: Plan) -> None:
        self._console.print(
            f"Training {plan.config.method} with backbone {plan.backbone.value} ({plan.backbone.reason}) "
            f"on {plan.device.type}: {plan.epochs} epochs of {plan.batches.steps} steps{_more(plan)}."
        )
        self._epochs = plan.all_epochs
        self._audits = 2 if plan.config.self_test else 1
        self._epochs_after = ((1 + plan.folds) * self._audits - 1) * plan.all_epochs
        self._of_features = plan.epochs if plan.tuning else 0
        self._started = time.monotonic()
        self._task = self._bar.add_task("epoch", total=plan.all_epochs)

    def on_note(self, text: str) -> None:
        self._console.print(text)

    def on_folds(self, folds: int, expected: float) -> None:
        self._console.print(
            f"Few labels look wrong ({percent(expected)}): training {folds} times more, each without the labels of one "
            "part, so that no network only repeats them (--folds 0 leaves this out)."
        )
        self._epochs_after += folds * self._epochs * self._audits

    def on_restored(self, name: str, done: int, epochs: int) -> None:
        *extra, stage = name.split(SEPARATOR)
        extra = extra if stage in (FIRST_STAGE, SECOND_STAGE) else [*extra, stage]
        if (known := SEPARATOR.join(extra)) != self._extra:
            self._next(known)
        self._before = done + (self._of_features if stage == SECOND_STAGE else 0)
        self._started = time.monotonic()
        how_far = "was done before" if done == epochs else f"goes on after epoch {done}/{epochs}"
        self._console.print(f"{name}: {how_far}")

    def on_extra(self, name: str, record: EpochRecord) -> None:
        if name != self._extra:
            self._next(name)
            self._started = time.monotonic() - record.seconds
        self.on_epoch(record)

    def _next(self, name: str) -> None:
        """Another training begins."""
        self._extra, self._before = name, 0
        self._epochs_after -= self._epochs
        if self._task is not None:
            self._bar.update(self._task, description=name)

    def on_epoch(self, record: EpochRecord) -> None:
        # The loss can rise while the model learns: f(epsilon) is largest before Learner and Guider part.
        total = next(iter(record.losses.values()))
        losses = f"loss {total:.4g}  agrees with {record.p_given_guider.mean():.0%} of labels"
        left = self._left(record)
        if self._task is not None:
            self._bar.update(self._task, completed=record.epoch, left=left, more=losses)
        if not self._console.is_terminal and self._has_line(record.epoch):
            name = f"{self._extra}, epoch" if self._extra else "epoch"
            self._console.print(f"{name} {record.epoch}/{self._epochs}  {losses}  {left}")

    def _has_line(self, epoch: int) -> bool:
        """The first epoch, which gives an estimate of the time, and then some evenly; of a fold the last alone."""
        if "fold" in self._extra:
            return epoch == self._epochs
        return epoch == 1 or is_due(epoch - 1, epoch, self._epochs)

    def _left(self, record: EpochRecord) -> str:
        """What the rest takes at this pace; unknown before a second stage has an epoch of its own."""
        if record.epoch <= self._of_features:
            return "the second stage follows"
        if self._of_features and record.epoch == self._of_features + 1:
            self._started = time.monotonic() - record.seconds
        pace = (time.monotonic() - self._started) / (record.epoch - max(self._of_features, self._before))
        after = self._epochs_after - self._of_features if self._epochs_after else 0
        return f"{duration(pace * (self._epochs - record.epoch + after))} left"


class ScoreProgress(LiveBar):
    """The Watcher of the score command, as a context manager."""

    def __init__(self, *, quiet: bool) -> None:
        super().__init__(quiet=quiet)
        self._task: TaskID | None = None
        self._done = 0
        self._pace = Pace()

    def on_table(self, table: LabelTable) -> None:
        labelled = int(table.is_labelled.sum())
        classes = f"the model has {len(table.classes):,} classes"
        self._console.print(f"Read {len(table):,} rows: {labelled:,} labelled; {classes}.")
        self._task = self._bar.add_task("scoring rows", total=len(table))

    def on_rows(self, done: int, total: int) -> None:
        left = self._pace.left(done, total)
        if self._task is not None:
            self._bar.update(self._task, completed=done, left=left)
        if not self._console.is_terminal and is_due(self._done, done, total):
            self._console.print(f"scored {done:,} of {total:,} rows{left and f'  {left}'}")
        self._done = done


def _more(plan: Plan) -> str:
    """What follows the first stage, if anything does."""
    if plan.folds:
        return f", then {plan.folds} times more, each without the labels of one part"
    if not plan.tuning:
        return ""
    return f", then with the network behind the features {plan.tuning.epochs} of {plan.tuning.batches.steps}"

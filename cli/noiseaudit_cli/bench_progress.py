"""How a grid of runs gets on, on standard error, with the time that is left."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from noiseaudit_cli.live import LiveBar, duration, is_due

if TYPE_CHECKING:
    from noiseaudit.bench.results import Line


class BenchProgress(LiveBar):
    """The Watcher of `bench run`, as a context manager."""

    def __init__(self, *, quiet: bool) -> None:
        super().__init__(quiet=quiet)
        self._task = self._bar.add_task("epochs", total=None)
        self._started = time.monotonic()
        self._cells = self._done = 0
        self._epochs = self._seen = self._kept = 0  # of all runs to be done: in all, trained here, in lines

    def on_start(self, cells: int, done: int, epochs: int) -> None:
        self._console.print(f"{cells} runs, {done} of them done before.")
        self._cells, self._done, self._epochs = cells, done, epochs
        self._started = time.monotonic()

    def on_epoch(self) -> None:
        self._seen += 1
        self._update()
        if (
            not self._console.is_terminal
            and is_due(self._seen - 1, self._seen, self._epochs)
            and self._seen <= self._epochs  # a stack that diverged trains again, run by run
        ):
            self._console.print(f"{self._seen * 100 // self._epochs} % of all epochs  {self._left()}")

    def on_line(self, line: Line) -> None:
        self._done += 1
        self._kept += int(line["epochs"])
        result = line.get("error") or f"test error {line['test_error']['guider']:.1%}"
        self._console.print(
            f"{self._done}/{self._cells}  {line['table']} {line['dataset']} {line['method']} {line['variant']} "
            f"rate {line['rate']:g} seed {line['seed']}, scale {line['scale']} ({line['epochs']} epochs): {result}"
            f"  {self._left()}"
        )
        self._update()

    def _update(self) -> None:
        self._bar.update(self._task, total=self._epochs, completed=self._completed(), left=self._left())

    def _completed(self) -> int:
        """Epochs so far; those of other processes count when a run ends, those of a stack that diverged twice."""
        return min(max(self._seen, self._kept), self._epochs)

    def _left(self) -> str:
        seen = self._completed()
        spent = time.monotonic() - self._started
        return f"{duration(spent / seen * (self._epochs - seen))} left" if seen else ""

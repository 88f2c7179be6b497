"""What the watchers of long commands share: on standard error, a live line on a terminal, lines at times elsewhere."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, Task, TextColumn
from rich.table import Column
from rich.text import Text

LINES = 10  # of work that nobody watches live
WIDE = 120  # columns of a terminal that has room for more than how far the work is


class _Field(TextColumn):
    """A field of the task, where it has one and the terminal has `least` columns for it."""

    def __init__(self, name: str, console: Console, least: int = 0) -> None:
        super().__init__("", markup=False)
        self._name, self._console, self._least = name, console, least

    def render(self, task: Task) -> Text:
        return Text(task.fields.get(self._name, "") if self._console.width >= self._least else "")


class LiveBar:
    """What is done, how much of it, a bar and `left`, as a context manager; nothing is printed where it is `quiet`.

    Tasks may have the fields `left`, for the time, and `more`, which wide terminals show. Where there is little room,
    the bar alone gets shorter.
    """

    def __init__(self, *, quiet: bool) -> None:
        self._console = Console(stderr=True, quiet=quiet, highlight=False, markup=False, soft_wrap=True)
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            MofNCompleteColumn(table_column=Column(no_wrap=True)),
            BarColumn(),
            # Rich's own estimate needs two epochs, which can take long.
            _Field("left", self._console),
            _Field("more", self._console, WIDE),
            console=self._console,
            disable=quiet or not self._console.is_terminal,
            transient=True,
        )

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()


def is_due(before: int, done: int, total: int) -> bool:
    """Whether one of LINES evenly placed lines falls between `before` and `done` of `total`."""
    return done * LINES // total != before * LINES // total


def duration(seconds: float) -> str:
    """As people say it: seconds, minutes or hours."""
    if round(seconds) < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"

"""What the watchers of long commands share: on standard error, a live line on a terminal, lines at times elsewhere."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn

LINES = 10  # of work that nobody watches live


class LiveBar:
    """A bar with `columns` behind it, as a context manager; nothing is printed where it is `quiet`."""

    def __init__(self, *columns: ProgressColumn, quiet: bool) -> None:
        self._console = Console(stderr=True, quiet=quiet, highlight=False, markup=False, soft_wrap=True)
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            *columns,
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
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"

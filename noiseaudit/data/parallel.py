"""A thread pool over chunks: Pillow frees the GIL while it decodes, and threads need no `__main__` guard."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Done = TypeVar("Done")
CHUNK = 32


def map_chunks(work: Callable[[Sequence[Item]], Done], items: Sequence[Item], workers: int) -> Iterator[Done]:
    """`work` on consecutive chunks of `items`; results in order, whatever the number of workers."""
    chunks = [items[start : start + CHUNK] for start in range(0, len(items), CHUNK)]
    if workers <= 1:
        yield from map(work, chunks)
        return
    with ThreadPoolExecutor(workers) as pool:
        yield from pool.map(work, chunks)

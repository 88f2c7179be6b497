"""A thread pool over chunks: Pillow frees the GIL while it decodes, and threads need no `__main__` guard."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Done = TypeVar("Done")
CHUNK = 32


def map_chunks(
    work: Callable[[Sequence[Item]], Done], items: Sequence[Item], workers: int, *, chunk: int = CHUNK
) -> Iterator[Done]:
    """`work` on consecutive chunks of `items`; results in order, whatever the number of workers.

    Workers are never more than two chunks each ahead of the reader, so that results do not pile up in memory.
    """
    chunks = [items[start : start + chunk] for start in range(0, len(items), chunk)]
    if workers <= 1:
        yield from map(work, chunks)
        return
    with ThreadPoolExecutor(workers) as pool:
        ahead: deque[Future[Done]] = deque()
        for part in chunks:
            ahead.append(pool.submit(work, part))
            if len(ahead) > 2 * workers:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()

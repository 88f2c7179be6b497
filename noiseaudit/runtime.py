"""What the process must be like while networks train, restored afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

_SMALLEST_DENORMAL = 1e-45  # float32


@contextmanager
def training_runtime(threads: int | None = None) -> Iterator[None]:
    """Flush denormal floats to zero on the CPU: saturated training is eight times slower with them. Set threads.

    The flag belongs to a thread and is inherited by the threads it starts, so enter before the first parallel
    work of the process.
    """
    before, threads_before = flushes_denormals(), torch.get_num_threads()
    torch.set_flush_denormal(True)
    torch.set_num_threads(threads or threads_before)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)
        torch.set_num_threads(threads_before)


@contextmanager
def full_float32() -> Iterator[None]:
    """Keep TF32 out of CUDA's matrix products and convolutions."""
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = False
    try:
        with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            yield
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before


def flushes_denormals() -> bool:
    """Whether this thread computes with denormals flushed."""
    return float(torch.tensor(_SMALLEST_DENORMAL) * 1.0) == 0.0

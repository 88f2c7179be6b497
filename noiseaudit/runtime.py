"""What the process must be like while networks train, restored afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from operator import attrgetter
from typing import Any

import torch

_SMALLEST_DENORMAL = 1e-45  # float32
_PLACES = (  # of torch.backends with an fp32_precision, parents first; to set mkldnn's own would set that of all
    "cudnn", "cudnn.conv", "cudnn.rnn", "cuda.matmul", "mkldnn.matmul", "mkldnn.conv", "mkldnn.rnn",
)  # fmt: skip


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
    """Keep TF32 and bfloat16 out of float32 matrix products and convolutions, by the interface that torch has.

    Since 2.9 it is a tree of `fp32_precision`, and reading the older switches raises once a program has used both.
    """
    if not hasattr(torch.backends.cuda.matmul, "fp32_precision"):
        with _switches_off():
            yield
        return
    before: list[tuple[Any, str]] = []
    try:
        for place in [torch.backends, *attrgetter(*_PLACES)(torch.backends)]:
            # Its parents being "ieee", a place that reads otherwise was set by itself: what follows them is left alone.
            if (precision := place.fp32_precision) != "ieee":
                before.append((place, precision))
                place.fp32_precision = "ieee"
        yield
    finally:
        for place, precision in reversed(before):
            place.fp32_precision = precision


@contextmanager
def _switches_off() -> Iterator[None]:
    """`full_float32` before torch 2.9."""
    matmul, cudnn = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    torch.set_float32_matmul_precision("highest")
    torch.backends.cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(matmul)
        torch.backends.cudnn.allow_tf32 = cudnn


def flushes_denormals() -> bool:
    """Whether this thread computes with denormals flushed."""
    return float(torch.tensor(_SMALLEST_DENORMAL) * 1.0) == 0.0

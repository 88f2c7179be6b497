"""One seed -> independent named generators; the global generators are left alone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch  # imported where it is used: who only draws rows, or shows them, needs no half gigabyte


def derive_seed(seed: int, name: str) -> int:
    """A 63-bit seed for the stream `name`, the same on every platform."""
    digest = hashlib.sha256(f"{seed}:{name}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def torch_generator(seed: int, name: str, device: torch.device | str = "cpu") -> torch.Generator:
    """The torch generator of the stream `name`."""
    import torch

    return torch.Generator(device=device).manual_seed(derive_seed(seed, name))


@contextmanager
def seeded_init(seed: int, name: str = "init") -> Iterator[None]:
    """Make torch's parameter initialisation, which reads the global generator, a function of the seed alone."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(derive_seed(seed, name))  # torch.manual_seed reseeds the GPUs too
        yield

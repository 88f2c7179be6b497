"""What a piece of torch code computes and moves: operations of its matrix products, their shapes, bytes of all else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

ATEN = torch.ops.aten
FACTORS = {
    ATEN.mm.default: (0, 1),
    ATEN.addmm.default: (1, 2),
    ATEN.bmm.default: (0, 1),
    ATEN.baddbmm.default: (1, 2),
}
Shape = tuple[int, ...]  # m, k, n of a product (m, k) @ (k, n)


@dataclass
class Work:
    """Of one call."""

    operations: int = 0  # two for each multiplication and addition of the products
    products: Counter[Shape] = field(default_factory=Counter)
    bytes_moved: int = 0  # read and written by everything else, as if nothing stayed in a cache
    calls: int = 0  # of everything else


class _Watch(TorchDispatchMode):
    def __init__(self, work: Work) -> None:
        super().__init__()
        self.work = work

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = func(*args, **(kwargs or {}))
        if func in FACTORS:
            a, b = (args[i] for i in FACTORS[func])
            batch = a.shape[0] if a.dim() == 3 else 1
            self.work.products[a.shape[-2], a.shape[-1], b.shape[-1]] += batch
        elif not func.is_view:
            tensors = [leaf for leaf in tree_leaves((args, kwargs, found)) if isinstance(leaf, Tensor)]
            self.work.bytes_moved += sum(each.numel() * each.element_size() for each in tensors)
            self.work.calls += 1
        return found


def count(function: Callable[[], Any]) -> Work:
    """What one call of `function` does."""
    work = Work()
    with FlopCounterMode(display=False) as flops, _Watch(work):
        function()
    work.operations = flops.get_total_flops()
    return work

"""A mean over a batch's rows whose gradient is taken block by block, while a block's activations are still at hand.

The class-conditional networks see every row once for each class, so their activations are the largest of a step. Taken
whole they are written to memory in the forward pass and read again in the backward pass; a block of rows stays in the
processor's cache for both, and memory holds no more than one block of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

Function = Callable[..., Tensor]  # of blocks of rows: (b, ...) each -> (b,)


def mean_over_rows(
    function: Function, rows: Sequence[Tensor], parameters: Sequence[Tensor], block: int
) -> Tensor:
    """The mean of `function(*rows)` over the rows, a scalar; `block` rows at a time.

    `rows` are tensors of (B, ...), `parameters` all else that `function` is to be differentiated by. The gradient is
    exact and can be taken once; it is computed on the way, so that only gradients are kept.
    """
    n = len(rows[0])
    blocks = -(-n // max(1, block))
    if blocks <= 1 or not torch.is_grad_enabled():
        return function(*rows).mean()
    even = -(-n // blocks)  # so that the last block is not a small one
    mean: Tensor = _MeanOverRows.apply(function, even, len(rows), *rows, *parameters)
    return mean


class _MeanOverRows(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, function: Function, block: int, n_rows: int, *tensors: Tensor) -> Tensor:
        rows, parameters = tensors[:n_rows], tensors[n_rows:]
        wanted = ctx.needs_input_grad[3 : 3 + n_rows]
        total = rows[0].new_zeros(())
        of_rows: list[list[Tensor]] = []
        of_parameters: list[Tensor] = []
        for parts in zip(*(tensor.split(block) for tensor in rows), strict=True):
            leaves = [part.detach().requires_grad_(want) for part, want in zip(parts, wanted, strict=True)]
            with torch.enable_grad():
                value = function(*leaves).sum() / len(rows[0])
            asked = [leaf for leaf in leaves if leaf.requires_grad]
            with torch.autocast(
                value.device.type, enabled=False
            ):  # gradients take the types of the forward pass
                found = torch.autograd.grad(value, [*asked, *parameters])
            total += value.detach()
            of_rows.append(list(found[: len(asked)]))
            if of_parameters:
                torch._foreach_add_(of_parameters, list(found[len(asked) :]))
            else:
                of_parameters = list(found[len(asked) :])
        ctx.wanted = wanted
        ctx.save_for_backward(*(torch.cat(parts) for parts in zip(*of_rows, strict=True)), *of_parameters)
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        gradients = iter([gradient * upstream for gradient in ctx.saved_tensors])
        of_rows = [next(gradients) if want else None for want in ctx.wanted]
        return None, None, None, *of_rows, *gradients

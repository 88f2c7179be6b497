"""Which classes the sum over y of Eq. 4 runs over: all of them, or where they are many, some that stand for all.

With q = q(y|z_a) and cost(y) = KL(q(z_b|z_a,y) || N(0,I)) - log p(z_a|z_b,y), a step needs sum_y q(y) cost(y), and cost
takes a pass of the class-conditional networks for each y. Beyond EXACT_CLASSES the sum is estimated: with S the TOP
classes of largest q, the given one always among them, and R the others,

    sum_{y in S} q(y) cost(y)  +  1/m sum_{j=1..m} q(y_j) / p(y_j) cost(y_j),    y_j ~ p(y) = q(y) / q(R) on R

where S and p are taken as they are, without gradient. It is unbiased, in value and gradient: the expectation of the
second sum is that of q(y) cost(y) over R. So the loss remains an unbiased estimate of the bound that is Eq. 4. The
weights of a row add up to 1, so what is off is at most q(R) times the range of cost over R, with a standard deviation
of at most half of that / sqrt(m): early on, while q is flat, it averages out over a batch, and later q(R) is near 0.

Costs are tens of nats, and alike. In the exact sum what they have in common has no gradient, because q sums to 1; here
the sum of the weights has one, which is 0 on average only. So the mean cost over S is taken from all costs and added
again, without gradient: the value stays, the gradient stays unbiased (S is not drawn), and varies far less.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

TOP, SAMPLED = 16, 4  # classes of S, and m
EXACT_CLASSES = TOP + SAMPLED  # up to so many the exact sum costs no more than the estimate


class Marginal(NamedTuple):
    """sum_y q(y) cost(y) as sum_k weights[k] cost(classes[k])."""

    classes: Tensor  # (C,), the same for each row, or (B, K)
    weights: Tensor  # (B, C) or (B, K), rows of which sum to 1


def is_exact(n_classes: int) -> bool:
    """Whether the sum runs over all classes."""
    return n_classes <= EXACT_CLASSES


def all_classes(probs: Tensor) -> Marginal:
    """The exact sum, for q(y|z_a) in (B, C)."""
    return Marginal(torch.arange(probs.shape[1], device=probs.device), probs)


def some_classes(probs: Tensor, given: Tensor, uniform: Tensor, top: int) -> Marginal:
    """The estimate with so many classes in S.

    `probs` is q(y|z_a), (B, C), `given` (B,) the given classes, -1 where there is none, `uniform` on [0, 1), (B, m).
    """
    q = probs.detach()
    labelled, observed = (given >= 0)[:, None], given.clamp_min(0)[:, None]
    first = q.scatter(
        1, observed, torch.where(labelled, 2.0, q.gather(1, observed))
    )  # the given one before all
    best = first.topk(top, dim=1, sorted=False).indices
    rest = q.scatter(1, best, 0.0)
    cumulative = rest.cumsum(1)
    mass = cumulative[:, -1:]
    drawn = torch.searchsorted(cumulative, uniform.to(q.dtype) * mass, right=True).clamp_max(q.shape[1] - 1)
    density = rest.gather(1, drawn)
    share = torch.where(
        density > 0, mass / (uniform.shape[1] * density), 0.0
    )  # 0 where rounding led out of R
    weights = torch.cat([probs.gather(1, best), probs.gather(1, drawn) * share], dim=1)
    return Marginal(torch.cat([best, drawn], dim=1), weights)


def baseline(weights: Tensor, cost: Tensor, top: int) -> Tensor:
    """The mean cost over S, the first `top` columns, by q and without gradient: (B, K), (B, K) -> (B,)."""
    q, of_best = weights[:, :top].detach(), cost[:, :top].detach()
    return (q * of_best).sum(1) / q.sum(1)

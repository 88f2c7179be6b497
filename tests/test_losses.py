"""Means over the labelled rows of a batch, on numbers worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch

from noiseaudit.losses import cross_entropy, labelled_mean


def test_cross_entropy_of_each_row() -> None:
    """Logits are logs of probabilities here, up to a constant."""
    logits = torch.tensor([[0.5, 0.25, 0.25], [0.1, 0.2, 0.7]]).log() + 3
    got = cross_entropy(logits, torch.tensor([1, 2]))
    assert got.tolist() == pytest.approx([-math.log(0.25), -math.log(0.7)])


def test_the_mean_is_over_the_labelled_rows() -> None:
    given = torch.tensor([0, -1, 2, -1])
    assert labelled_mean(torch.tensor([1.0, 100.0, 5.0, 100.0]), given).item() == 3.0


def test_without_labels_the_mean_is_zero_and_so_is_its_gradient() -> None:
    logits = torch.randn(3, 4, generator=torch.Generator().manual_seed(0), requires_grad=True)
    given = torch.full((3,), -1)
    mean = labelled_mean(cross_entropy(logits, given), given)
    (gradient,) = torch.autograd.grad(mean, logits)
    assert mean.item() == 0
    assert torch.equal(gradient, torch.zeros(3, 4))

"""p(y)."""

from __future__ import annotations

import math

import pytest
import torch

from noiseaudit.priors import log_prior


def test_the_prior_is_uniform_or_the_labels_shares() -> None:
    codes = torch.tensor([0, 0, 0, 1, -1, -1])
    assert log_prior("uniform", codes, 4).tolist() == pytest.approx([math.log(0.25)] * 4)
    got = log_prior("empirical", codes, 4)
    assert got.dtype == torch.float32
    assert got.exp().tolist() == pytest.approx([4 / 8, 2 / 8, 1 / 8, 1 / 8])  # one more of each class

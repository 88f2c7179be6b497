"""Vectors as samples: scaled by their columns."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from noiseaudit.samples import column_scales, from_vectors
from tests.test_load_samples import table


def test_a_constant_column_is_not_blown_up() -> None:
    """In float32 the deviation of 0.1, 0.1, ... is a rounding error, not 0."""
    values = np.full((1001, 2), 0.1, np.float32)
    values[::2, 1] = 0.3
    mean, deviation = column_scales(values)
    assert deviation.tolist() == pytest.approx([1.0, 0.1], abs=1e-4)
    assert deviation.dtype == np.float32
    samples = from_vectors(table(1001), values, mean, deviation)
    assert samples.x.dtype == torch.float32
    assert samples.x[:, 0].abs().max() < 1e-5
    assert samples.x[0, 1].item() == pytest.approx(1.0, abs=1e-2)

"""What is trained on, and what kind it is."""

from __future__ import annotations

import pytest
import torch

from noiseaudit.data.inputs import Inputs, Kind
from noiseaudit.data.training import TrainingData


@pytest.mark.parametrize(
    ("shape", "labelled", "kind"),
    [
        ((1, 28, 28), 5, Kind.IMAGES),
        ((512,), 8_191, Kind.WIDE_VECTORS),
        ((512,), 8_192, Kind.VECTORS),  # 16 labels a value
        ((511,), 5, Kind.VECTORS),  # too few values
        ((64,), 5, Kind.VECTORS),
        ((63,), 5, Kind.SHORT_VECTORS),
        ((1_280,), 20_479, Kind.WIDE_VECTORS),
        ((1_280,), 20_480, Kind.VECTORS),
    ],
)
def test_vectors_are_wide_where_values_are_many_and_labels_few(
    shape: tuple[int, ...], labelled: int, kind: Kind
) -> None:
    """Rows without a label do not count."""
    codes = torch.cat([torch.zeros(labelled, dtype=torch.long), torch.full((9_000,), -1)])
    x = torch.zeros(1, *shape).expand(len(codes), *shape)
    found = TrainingData(x, torch.arange(len(codes)), codes, 2).inputs
    assert found == Inputs(shape, 2, labelled, labelled + 9_000)
    assert found.kind is kind
    assert found.is_image is (kind is Kind.IMAGES)


@pytest.mark.parametrize(
    ("shape", "labelled", "few"), [((9,), 2_000, True), ((9,), 2_001, False), ((1, 8, 8), 10, False)]
)
def test_few_labels_are_those_of_vectors(shape: tuple[int, ...], labelled: int, few: bool) -> None:
    assert Inputs(shape, 2, labelled, 10**6).has_few_labels is few

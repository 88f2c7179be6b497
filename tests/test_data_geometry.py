"""The common size: native when small and shared, else a square by the median shorter side."""

from __future__ import annotations

import numpy as np
import pytest

from noiseaudit.data.geometry import Geometry, choose_geometry
from noiseaudit.data.probe import Probe
from noiseaudit.errors import DataError


def probe(sizes: list[tuple[int, int]], *, grey: bool = True, bad: int = 0) -> Probe:
    """(height, width) of the ok rows, then `bad` missing ones."""
    n = len(sizes)
    padded = np.array(sizes + [(0, 0)] * bad, dtype=np.int64).reshape(-1, 2)
    return Probe(
        status=np.array(["ok"] * n + ["missing"] * bad, dtype=object),
        reason=np.array([None] * n + ["no such file"] * bad, dtype=object),
        height=padded[:, 0],
        width=padded[:, 1],
        is_grey=np.array([grey] * n + [False] * bad, dtype=np.bool_),
        max_pixels=10**6,
    )


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([(28, 28)] * 3, (28, 28)),
        ([(64, 20)] * 3, (64, 20)),
        ([(65, 20)] * 3, (32, 32)),
        ([(65, 65)] * 3, (64, 64)),
        ([(28, 28), (28, 29)], (32, 32)),
        ([(48, 300), (300, 48)], (32, 32)),
        ([(48, 300), (50, 300)], (64, 64)),
        ([(96, 300), (300, 96)], (64, 64)),
        ([(97, 300), (300, 97)], (128, 128)),
        ([(500, 400), (3000, 4000), (20, 20)], (128, 128)),
    ],
)
def test_size(sizes: list[tuple[int, int]], expected: tuple[int, int]) -> None:
    assert choose_geometry(probe(sizes, bad=5)) == Geometry(expected, 1)


def test_image_size_overrides() -> None:
    assert choose_geometry(probe([(28, 28)]), image_size=40) == Geometry((40, 40), 1)


def test_one_colour_image_makes_three_channels() -> None:
    found = probe([(8, 8), (8, 8)])
    assert choose_geometry(found).channels == 1
    found.is_grey[1] = False
    assert choose_geometry(found).channels == 3


def test_no_readable_image_is_an_error() -> None:
    with pytest.raises(DataError, match=r"no image can be read.*--images"):
        choose_geometry(probe([], bad=3))

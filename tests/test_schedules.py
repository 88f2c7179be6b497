"""Schedules at the points where they are known."""

from __future__ import annotations

import math

import pytest

from noiseaudit.schedules import cosine_decay, guider_decay, sigmoid_rampup


def test_the_guiders_first_steps_are_a_plain_mean() -> None:
    decays = [guider_decay(step, 0.0, 0.99, 0.999, 0.5) for step in range(4)]
    assert decays == pytest.approx([0.0, 1 / 2, 2 / 3, 3 / 4])


@pytest.mark.parametrize(
    ("step", "progress", "expected"),
    [(98, 0.1, 1 - 1 / 99), (99, 0.1, 0.99), (10_000, 0.49, 0.99), (10_000, 0.5, 0.999), (199, 0.5, 0.995)],
)
def test_the_guiders_decay_is_limited_early_and_late(step: int, progress: float, expected: float) -> None:
    assert guider_decay(step, progress, 0.99, 0.999, 0.5) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("progress", "expected"), [(0.0, math.exp(-5)), (0.125, math.exp(-1.25)), (0.25, 1.0), (0.9, 1.0)]
)
def test_the_rampup(progress: float, expected: float) -> None:
    assert sigmoid_rampup(progress, 0.25) == pytest.approx(expected)


def test_a_rampup_of_no_length_is_over() -> None:
    assert sigmoid_rampup(0.0, 0.0) == 1.0


@pytest.mark.parametrize(("progress", "expected"), [(0.0, 1.0), (0.6, 1.0), (0.8, 0.5), (1.0, 0.0)])
def test_the_cosine(progress: float, expected: float) -> None:
    assert cosine_decay(progress, 0.6) == pytest.approx(expected)


def test_a_cosine_that_starts_at_the_end_never_falls() -> None:
    assert [cosine_decay(t / 10, 1.0) for t in range(11)] == [1.0] * 11

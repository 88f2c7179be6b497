"""Denormals are flushed while networks train, and only then."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from noiseaudit.runtime import flushes_denormals, full_float32, training_runtime


@pytest.fixture(autouse=True)
def _restore() -> Iterator[None]:
    before = flushes_denormals()
    yield
    torch.set_flush_denormal(before)


@pytest.mark.parametrize("before", [True, False])
def test_the_setting_is_restored_both_ways(before: bool) -> None:
    torch.set_flush_denormal(before)
    with training_runtime():
        assert flushes_denormals()
        assert (torch.tensor([1e-38]) * 1e-3).item() == 0.0
    assert flushes_denormals() is before


@pytest.mark.parametrize("before", [True, False])
def test_the_setting_is_restored_after_an_error(before: bool) -> None:
    torch.set_flush_denormal(before)
    with pytest.raises(KeyboardInterrupt), training_runtime():
        raise KeyboardInterrupt
    assert flushes_denormals() is before


def test_it_can_be_entered_twice() -> None:
    torch.set_flush_denormal(False)
    with training_runtime():
        with training_runtime():
            assert flushes_denormals()
        assert flushes_denormals()
    assert not flushes_denormals()


@pytest.mark.parametrize("before", [True, False])
def test_tf32_is_off_inside_and_as_before_outside(before: bool) -> None:
    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    at_start = matmul.allow_tf32
    try:
        matmul.allow_tf32 = before
        with full_float32():
            assert (matmul.allow_tf32, cudnn.allow_tf32) == (False, False)
        assert matmul.allow_tf32 is before
        with pytest.raises(KeyboardInterrupt), full_float32():
            raise KeyboardInterrupt
        assert matmul.allow_tf32 is before
    finally:
        matmul.allow_tf32 = at_start


def test_threads_are_set_and_restored() -> None:
    before = torch.get_num_threads()
    with training_runtime(before + 1):
        assert torch.get_num_threads() == before + 1
        with training_runtime():
            assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before

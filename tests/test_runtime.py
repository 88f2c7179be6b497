"""The process is as networks need it while they train and predict, and as before afterwards."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
import torch

from noiseaudit import runtime
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


HAS_PRECISIONS = hasattr(torch.backends.cuda.matmul, "fp32_precision")
needs_precisions = pytest.mark.skipif(not HAS_PRECISIONS, reason="since torch 2.9")
PLACES = [
    "", "cudnn", "cudnn.conv", "cudnn.rnn", "cuda.matmul", "mkldnn.matmul", "mkldnn.conv", "mkldnn.rnn",
]  # fmt: skip
SWITCHES = ["allow_tf32", "cuda.matmul", "medium", "high", "cudnn"]


def _at(place: str) -> Any:
    return operator.attrgetter(place)(torch.backends) if place else torch.backends


def _precisions() -> list[str]:
    return [_at(place).fp32_precision for place in PLACES] if HAS_PRECISIONS else []


def _switch(name: str) -> None:
    """As a program does that knows nothing of `fp32_precision`."""
    if name in ("medium", "high"):
        torch.set_float32_matmul_precision(name)
    if name in ("allow_tf32", "cuda.matmul"):
        torch.backends.cuda.matmul.allow_tf32 = True
    if name in ("allow_tf32", "cudnn"):
        torch.backends.cudnn.allow_tf32 = name == "allow_tf32"


def _switches() -> tuple[str, bool, bool]:
    matmul = torch.backends.cuda.matmul.allow_tf32
    return torch.get_float32_matmul_precision(), matmul, torch.backends.cudnn.allow_tf32


def _cudnn() -> tuple[bool, bool, bool]:
    cudnn = torch.backends.cudnn
    return cudnn.enabled, cudnn.benchmark, cudnn.deterministic


@pytest.fixture
def host() -> Iterator[None]:
    """Torch's own settings, before and after."""

    def reset() -> None:
        torch.set_float32_matmul_precision("highest")
        torch.backends.cudnn.allow_tf32 = True
        torch.backends.cudnn.enabled = True
        torch.backends.cudnn.benchmark = torch.backends.cudnn.deterministic = False
        for place in PLACES if HAS_PRECISIONS else []:
            _at(place).fp32_precision = "tf32" if place in ("cudnn.conv", "cudnn.rnn") else "none"

    reset()
    yield
    reset()


@needs_precisions
@pytest.mark.usefixtures("host")
@pytest.mark.parametrize("place", PLACES)
def test_no_precision_is_reduced_inside_and_each_is_as_before_outside(place: str) -> None:
    _at(place).fp32_precision = "tf32"
    before = _precisions()
    assert "tf32" in before
    with full_float32():
        assert _precisions() == ["ieee"] * len(PLACES)
    assert _precisions() == before
    with pytest.raises(KeyboardInterrupt), full_float32():
        raise KeyboardInterrupt
    assert _precisions() == before


@needs_precisions
@pytest.mark.usefixtures("host")
def test_what_followed_a_wider_setting_follows_it_still() -> None:
    _at("").fp32_precision = "tf32"
    _at("cudnn.conv").fp32_precision = "none"
    with full_float32():
        pass
    _at("").fp32_precision = "ieee"
    assert _at("cuda.matmul").fp32_precision == _at("cudnn.conv").fp32_precision == "ieee"
    _at("").fp32_precision = "none"
    assert _at("cuda.matmul").fp32_precision == _at("cudnn.conv").fp32_precision == "none"


@pytest.mark.usefixtures("host")
@pytest.mark.parametrize("name", SWITCHES)
def test_the_older_switches_are_as_before(name: str) -> None:
    _switch(name)
    before = (_switches(), _precisions())
    with full_float32():
        assert set(_precisions()) <= {"ieee"}
    assert (_switches(), _precisions()) == before


@pytest.mark.usefixtures("host")
@pytest.mark.parametrize("name", SWITCHES)
def test_before_torch_2_9_the_older_switches_are_used(name: str) -> None:
    _switch(name)
    before = _switches()
    with runtime._switches_off():
        assert _switches() == ("highest", False, False)
    assert _switches() == before
    with pytest.raises(KeyboardInterrupt), runtime._switches_off():
        raise KeyboardInterrupt
    assert _switches() == before


@pytest.mark.usefixtures("host")
@pytest.mark.parametrize("use", [full_float32, runtime._switches_off])
def test_cudnn_is_used_as_the_program_says(use: Callable[[], AbstractContextManager[None]]) -> None:
    torch.backends.cudnn.enabled = False
    torch.backends.cudnn.benchmark = torch.backends.cudnn.deterministic = True
    with use():
        assert _cudnn() == (False, True, True)
    assert _cudnn() == (False, True, True)


def test_threads_are_set_and_restored() -> None:
    before = torch.get_num_threads()
    with training_runtime(before + 1):
        assert torch.get_num_threads() == before + 1
        with training_runtime():
            assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before

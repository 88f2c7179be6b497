"""Named streams are stable, independent, and leave the global generators alone."""

from __future__ import annotations

import numpy as np
import torch

from noiseaudit.seeds import derive_seed, seeded_init, torch_generator


def test_seeds_never_change() -> None:
    """A change here changes every audit that was ever made."""
    assert derive_seed(0, "init") == 3_598_610_026_517_748_695
    assert derive_seed(0, "batches") == 6_183_591_060_282_165_047
    assert derive_seed(7, "draws") == 3_165_972_622_979_249_966


def test_streams_are_their_own() -> None:
    names = ("init", "batches", "draws", "noise")
    seeds = [derive_seed(seed, name) for seed in range(50) for name in names]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**63 for seed in seeds)
    a, b = (torch.rand(1000, generator=torch_generator(3, name)) for name in ("batches", "draws"))
    assert abs(float(torch.corrcoef(torch.stack([a, b]))[0, 1])) < 0.1


def test_the_same_stream_gives_the_same_numbers() -> None:
    first, again, other = (torch.rand(5, generator=torch_generator(seed, "draws")) for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_initialisation_is_a_function_of_the_seed_alone() -> None:
    def weights(seed: int) -> torch.Tensor:
        with seeded_init(seed):
            return torch.nn.Linear(3, 3).weight.detach()

    torch.manual_seed(1)
    first = weights(0)
    torch.manual_seed(2)
    assert torch.equal(first, weights(0))
    assert not torch.equal(first, weights(1))


def test_the_global_generators_are_left_alone() -> None:
    torch_before = torch.get_rng_state()
    numpy_before = np.random.get_state(legacy=False)
    with seeded_init(5):
        torch.rand(10)
    torch.rand(10, generator=torch_generator(5, "draws"))
    assert torch.equal(torch.get_rng_state(), torch_before)
    numpy_after = np.random.get_state(legacy=False)
    assert isinstance(numpy_before, dict)
    assert isinstance(numpy_after, dict)
    assert np.array_equal(numpy_before["state"]["key"], numpy_after["state"]["key"])
    assert numpy_before["state"]["pos"] == numpy_after["state"]["pos"]


def test_the_global_generator_is_restored_after_an_error() -> None:
    before = torch.get_rng_state()
    try:
        with seeded_init(5):
            torch.rand(10)
            raise RuntimeError
    except RuntimeError:
        pass
    assert torch.equal(torch.get_rng_state(), before)

"""Perturbations, and draws that do not depend on how a batch is shared out."""

from __future__ import annotations

import math

import pytest
import torch
from torch.testing import assert_close

from noiseaudit.data.perturb import (
    Draws,
    RecordedDraws,
    ReplayedDraws,
    bits_of,
    jitter_images,
    see,
    see_twice,
)


def draws(batch: int, part: slice = slice(None), seed: int = 3) -> Draws:
    return Draws(torch.Generator().manual_seed(seed), batch, part)


class Fixed(Draws):
    """Jitter of a known size: rotation, scale, shift_x, shift_y, each in [-1, 1]."""

    def __init__(self, *sizes: float) -> None:
        super().__init__(torch.Generator(), 1)
        self.sizes = sizes

    def uniform(self, *shape: int) -> torch.Tensor:
        return torch.tensor([self.sizes])


def test_two_halves_are_dealt_what_the_whole_batch_is() -> None:
    whole, first, second = draws(6), draws(6, slice(0, 3)), draws(6, slice(3, 6))
    for _ in range(3):  # the streams stay in step
        assert torch.equal(whole.normal(2, 5), torch.cat([first.normal(2, 5), second.normal(2, 5)]))
        assert torch.equal(whole.uniform(4), torch.cat([first.uniform(4), second.uniform(4)]))


def test_halves_of_a_batch_are_perturbed_as_the_whole() -> None:
    x = torch.rand(6, 3, 9, 7, generator=torch.Generator().manual_seed(0))

    def perturb(part: slice) -> torch.Tensor:
        own = draws(6, part)
        return see(jitter_images(x[part], 1.0, own), 0.0, 0.3, own)

    # The numbers drawn are the same bits (above); a product of another size may round otherwise on some processors.
    assert_close(
        perturb(slice(None)), torch.cat([perturb(slice(0, 3)), perturb(slice(3, 6))]), atol=1e-5, rtol=0
    )


def test_uniform_draws_fill_minus_one_to_one() -> None:
    numbers = draws(2000).uniform(3)
    assert numbers.shape == (2000, 3)
    assert -1 <= float(numbers.min()) < -0.99
    assert 0.99 < float(numbers.max()) < 1


def test_jitter_of_strength_0_is_the_identity() -> None:
    x = torch.rand(4, 3, 11, 8, generator=torch.Generator().manual_seed(0))
    assert_close(jitter_images(x, 0.0, draws(4)), x, atol=1e-5, rtol=0)


def test_a_constant_image_stays_constant() -> None:
    x = torch.full((5, 1, 9, 9), 0.7)
    assert_close(jitter_images(x, 1.0, draws(5)), x)


def test_jitter_differs_between_samples_and_stays_in_range() -> None:
    x = torch.rand(1, 1, 16, 16, generator=torch.Generator().manual_seed(0)).repeat(2, 1, 1, 1)
    moved = jitter_images(x, 1.0, draws(2))
    assert not torch.allclose(moved[0], moved[1], atol=0.05)
    assert float(moved.min()) >= 0
    assert float(moved.max()) <= 1


def test_a_shift_moves_by_a_tenth_of_the_side() -> None:
    """The grid moves right and up by 1 and 2 px, so the content moves left and down; edges are repeated."""
    x = torch.arange(200.0).reshape(1, 1, 20, 10)
    moved = jitter_images(x, 1.0, Fixed(0.0, 0.0, 1.0, -1.0))[0, 0]
    assert_close(moved[2:, :-1], x[0, 0, :-2, 1:], atol=1e-3, rtol=0)
    assert_close(moved[2:, -1], x[0, 0, :-2, -1], atol=1e-3, rtol=0)


def test_scale_and_rotation_are_of_the_stated_size() -> None:
    """An image of its own x coordinate shows where each pixel came from."""
    side = 101
    coordinate = torch.linspace(-1 + 1 / side, 1 - 1 / side, side)
    x = coordinate.expand(1, 1, side, side)
    centre, right = side // 2, (side // 2, side * 3 // 4)
    scaled = jitter_images(x, 1.0, Fixed(0.0, 1.0, 0.0, 0.0))[0, 0]
    assert scaled[right].item() == pytest.approx(1.1 * coordinate[right[1]].item(), abs=1e-3)
    turned = jitter_images(x, 1.0, Fixed(1.0, 0.0, 0.0, 0.0))[0, 0]
    assert turned[right].item() == pytest.approx(math.cos(0.2) * coordinate[right[1]].item(), abs=1e-3)
    assert turned[right[1], centre].item() == pytest.approx(
        -math.sin(0.2) * coordinate[right[1]].item(), abs=1e-3
    )


def test_noise_has_the_asked_deviation_and_none_is_none() -> None:
    x = torch.full((200, 1, 10, 10), 0.5)
    noisy = see(x, 0.0, 0.3, draws(200))
    assert float((noisy - x).std()) == pytest.approx(0.3, rel=0.02)
    assert float((noisy - x).mean()) == pytest.approx(0.0, abs=0.01)
    assert see(x, 0.0, 0.0, draws(200)) is x


def test_dropped_values_are_zero_in_the_asked_share_and_the_mean_stays() -> None:
    x = torch.full((200, 500), 2.0)
    seen = see(x, 0.6, 0.0, draws(200))
    assert float((seen == 0).double().mean()) == pytest.approx(0.6, abs=0.005)
    assert_close(seen[seen > 0], torch.full_like(seen[seen > 0], 5.0))  # 2 / (1 - 0.6)
    halves = [see(x[part], 0.6, 0.0, draws(200, part)) for part in (slice(0, 80), slice(80, 200))]
    assert torch.equal(torch.cat(halves), seen)


def test_noise_is_laid_over_dropped_values() -> None:
    """As one after the other, from the same numbers."""
    x = torch.rand(40, 30, generator=torch.Generator().manual_seed(0))
    own = draws(40)
    normal, bits = own.normal(30), own.bits(30)
    expected = x * (bits >= 0.3 * 2**16 - 2**15) / 0.7 + 0.5 * normal
    assert_close(see(x, 0.3, 0.5, draws(40)), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("n", [1, 3, 4, 10_007])
def test_bits_are_uniform_on_int16(n: int) -> None:
    numbers = draws(n).bits()
    assert numbers.shape == (n,)
    assert numbers.dtype == torch.int16
    if n > 1000:
        found = [int(v) for v in torch.histc(numbers.float(), 16, -(2**15), 2**15)]
        assert sum((v - n / 16) ** 2 / (n / 16) for v in found) < 37.7  # chi-squared, 15 degrees, p = 0.001
        neighbours = torch.corrcoef(torch.stack([numbers[:-1].float(), numbers[1:].float()]))
        assert abs(float(neighbours[0, 1])) < 4 / n**0.5


def test_bits_of_another_device_are_as_uniform() -> None:
    """Where 64-bit numbers are not drawn: every int16 is hit, ends included."""
    numbers = bits_of(torch.tensor([0.0, 0.5, 1 - 2**-24, 2**-16]))
    assert numbers.tolist() == [-(2**15), 0, 2**15 - 1, -(2**15) + 1]


def test_two_networks_see_one_batch_through_independent_numbers() -> None:
    """A row's two sets of numbers are its own and those of the row before it; both are of the same distribution."""
    x = torch.zeros(400, 50)
    first, second = see_twice(x, x, 0.0, 1.0, draws(400))
    assert_close(second, first.roll(1, 0))
    assert abs(float(torch.corrcoef(torch.stack([first.flatten(), second.flatten()]))[0, 1])) < 0.03
    assert_close(first, see(x, 0.0, 1.0, draws(400)))
    ones = torch.ones(400, 50)
    kept, other = (seen > 0 for seen in see_twice(ones, ones, 0.5, 0.0, draws(400)))
    assert float((kept & other).float().mean()) == pytest.approx(0.25, abs=0.02)


def test_a_part_of_a_batch_has_the_pairs_of_the_whole() -> None:
    whole = draws(6).pair("normal", 3)
    parts = [draws(6, part).pair("normal", 3) for part in (slice(0, 2), slice(2, 6))]
    for i in range(2):
        assert torch.equal(whole[i], torch.cat([part[i] for part in parts]))


def test_numbers_that_were_recorded_are_replayed_in_order() -> None:
    recorded = RecordedDraws(6, torch.device("cpu"))
    assert recorded.normal(2).shape == recorded.uniform(2).shape == (6, 2)
    assert recorded.pair("bits", 5)[1].dtype == torch.int16
    assert recorded.requests == [("normal", (2,)), ("uniform", (2,)), ("bits", (5,))]
    source = draws(6)
    replayed, again = ReplayedDraws([source.numbers(*request) for request in recorded.requests], 6), draws(6)
    assert torch.equal(replayed.normal(2), again.normal(2))
    assert torch.equal(replayed.uniform(2), again.uniform(2))
    for mine, theirs in zip(replayed.pair("bits", 5), again.pair("bits", 5), strict=True):
        assert torch.equal(mine, theirs)

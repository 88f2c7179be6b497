"""eta and eta' of Figure 1: the random perturbations that Learner and Guider see independently."""

from __future__ import annotations

import math
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

MAX_ROTATION = 0.2  # radians, at strength 1
MAX_SCALE = 0.1  # relative
MAX_SHIFT = 0.1  # share of the image's side

Numbers = Literal["normal", "uniform", "bits"]


class Draws:
    """Random numbers for a global batch, drawn in sample order; a process that holds a part of it gets its slice.

    So what a sample is dealt never depends on the number of processes or workers.
    """

    may_be_split = True  # whether what is computed from them may go in blocks of rows

    def __init__(self, generator: torch.Generator, batch: int, part: slice = slice(None)) -> None:
        self._generator, self.batch, self._part = generator, batch, part

    def thinned(self, stride: int) -> Draws:
        """The same stream for every `stride`-th row of the global batch: numbers as for as many rows at its beginning.

        A part that is not empty begins at a multiple of `stride`.
        """
        if self._part == slice(None):
            return self
        first, end = (-(-edge // stride) for edge in (self._part.start, self._part.stop))
        return Draws(self._generator, self.batch, slice(first, end))

    def normal(self, *shape: int) -> Tensor:
        """Standard normal, (local batch, *shape)."""
        return self.numbers("normal", shape)[self._part]

    def uniform(self, *shape: int) -> Tensor:
        """Uniform on [-1, 1), (local batch, *shape)."""
        return self.numbers("uniform", shape)[self._part]

    def bits(self, *shape: int) -> Tensor:
        """Uniform on all values of int16, (local batch, *shape)."""
        return self.numbers("bits", shape)[self._part]

    def pair(self, kind: Numbers, *shape: int) -> tuple[Tensor, Tensor]:
        """Each row's numbers, and those of the row before it in the global batch: two of (local batch, *shape).

        For two networks that see one batch. Within a row the two are independent, which is all that the expectation of
        a sum over rows depends on, at the price of one draw. A batch of one row has but one set of numbers.
        """
        numbers = self.numbers(kind, shape)
        return numbers[self._part], numbers.roll(1, 0)[self._part]

    def numbers(self, kind: Numbers, shape: tuple[int, ...]) -> Tensor:
        """(global batch, *shape): "normal", "uniform" on [-1, 1), or "bits", uniform on all values of int16."""
        size, generator = (self.batch, *shape), self._generator
        if kind == "normal":
            return torch.randn(size, generator=generator, device=generator.device)
        if kind == "bits":
            return random_bits(size, generator)
        return torch.rand(size, generator=generator, device=generator.device).mul_(2).sub_(1)


Request = tuple[Numbers, tuple[int, ...]]  # and the shape after the batch


class RecordedDraws(Draws):
    """Zeros for numbers, and a list of what was asked for."""

    def __init__(self, batch: int, device: torch.device) -> None:
        super().__init__(torch.Generator(device), batch)
        self.requests: list[Request] = []

    def numbers(self, kind: Numbers, shape: tuple[int, ...]) -> Tensor:
        self.requests.append((kind, shape))
        dtype = torch.int16 if kind == "bits" else torch.get_default_dtype()
        return torch.zeros((self.batch, *shape), dtype=dtype, device=self._generator.device)


class ReplayedDraws(Draws):
    """Numbers that were drawn before, in the order in which they were asked for: those of a stack of runs."""

    may_be_split = False  # torch.func differentiates a stack as a whole

    def __init__(self, numbers: list[Tensor], batch: int) -> None:
        super().__init__(torch.Generator(), batch)
        self._numbers = iter(numbers)

    def numbers(self, kind: Numbers, shape: tuple[int, ...]) -> Tensor:
        return next(self._numbers)


def random_bits(size: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Uniform on all values of int16. On a CPU four are cut from a 64-bit number, for a third of a float's cost."""
    if generator.device.type != "cpu":  # where numbers cost little, and not every device has 64-bit ones
        return bits_of(torch.rand(size, generator=generator, device=generator.device))
    n = math.prod(size)
    words = torch.empty(math.ceil(n / 4), dtype=torch.int64).random_(-(2**63), None, generator=generator)
    return words.view(torch.int16)[:n].view(size)


def bits_of(uniform: Tensor) -> Tensor:
    """Numbers on [0, 1) as values of int16."""
    return (uniform * 2**16).floor().sub(2**15).to(torch.int16)


def jitter_images(x: Tensor, strength: float, draws: Draws) -> Tensor:
    """Each image (B, channels, H, W) rotated, scaled and shifted at random, bilinear, edges repeated."""
    angle, scale, shift_x, shift_y = (draws.uniform(4) * strength).unbind(1)
    angle, scale = angle * MAX_ROTATION, 1 + scale * MAX_SCALE
    cos, sin = torch.cos(angle) * scale, torch.sin(angle) * scale
    aspect = x.shape[2] / x.shape[3]  # the grid's unit is half a side, of either length
    turn = torch.stack(
        [torch.stack([cos, -sin * aspect], 1), torch.stack([sin / aspect, cos], 1)], 1
    )  # (B, 2, 2)
    shift = torch.stack([shift_x, shift_y], 1) * 2 * MAX_SHIFT
    # The grid of the identity, moved by hand: affine_grid of a batch cannot be stacked over runs, and sampling is three
    # times as fast where all x lie together, then all y.
    still = F.affine_grid(torch.eye(2, 3, device=x.device)[None], [1, 1, *x.shape[2:]], align_corners=False)
    place = torch.cat(
        [still[0].permute(2, 0, 1).flatten(1), torch.ones_like(still[..., 0]).flatten(1)]
    )  # (3, HW)
    moved = torch.cat([turn, shift[:, :, None]], 2).flatten(0, 1) @ place  # (2B, HW)
    grid = moved.view(len(x), 2, *x.shape[2:]).permute(0, 2, 3, 1)
    return F.grid_sample(x, grid.to(x.dtype), mode="bilinear", padding_mode="border", align_corners=False)


def see(x: Tensor, share: float, sigma: float, draws: Draws) -> Tensor:
    """x with this share of its values at 0, the others larger by as much (Srivastava et al. 2014), plus Gaussian noise
    of standard deviation `sigma`; x itself where both are 0. The share is met to 1 / 65,536.
    """
    shape = x.shape[1:]
    normal = draws.normal(*shape) if sigma else None
    bits = draws.bits(*shape) if share else None
    return _through(x, bits, share, normal, sigma)


def see_twice(x: Tensor, other: Tensor, share: float, sigma: float, draws: Draws) -> tuple[Tensor, Tensor]:
    """`see` of x and of `other`, (B, *shape) each, from one set of numbers: see Draws.pair."""
    shape = x.shape[1:]
    normals = draws.pair("normal", *shape) if sigma else (None, None)
    bits = draws.pair("bits", *shape) if share else (None, None)
    return _through(x, bits[0], share, normals[0], sigma), _through(other, bits[1], share, normals[1], sigma)


def _through(x: Tensor, bits: Tensor | None, share: float, normal: Tensor | None, sigma: float) -> Tensor:
    """x seen through the numbers that were drawn, which are used up, in as few passes as there can be."""
    if bits is None:
        return x if normal is None else torch.add(x, normal.to(x.dtype), alpha=sigma)
    kept = bits.ge_(round(share * 2**16) - 2**15).to(x.dtype)
    scale = 1 / (1 - share)
    if normal is None:
        return x * kept * scale
    return torch.addcmul(normal.to(x.dtype) * sigma, x, kept, value=scale)

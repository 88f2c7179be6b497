"""eta and eta' of Figure 1: the random perturbations that Learner and Guider see independently."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from noiseaudit.errors import ConfigError

MAX_ROTATION = 0.2  # radians, at strength 1
MAX_SCALE = 0.1  # relative
MAX_SHIFT = 0.1  # share of the image's side


class Draws:
    """Random numbers for a global batch, drawn in sample order; a process that holds a part of it gets its slice.

    So what a sample is dealt never depends on the number of processes or workers.
    """

    def __init__(self, generator: torch.Generator, batch: int, part: slice = slice(None)) -> None:
        self._generator, self.batch, self._part = generator, batch, part

    def fork(self) -> Callable[[], Draws]:
        """A source of draws that start anew, from the same numbers, at every call."""
        device = self._generator.device
        seed = int(torch.randint(2**62, (), generator=self._generator, device=device))
        return lambda: Draws(torch.Generator(device).manual_seed(seed), self.batch, self._part)

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
        return torch.randn((self.batch, *shape), generator=self._generator, device=self._generator.device)[
            self._part
        ]

    def uniform(self, *shape: int) -> Tensor:
        """Uniform on [-1, 1), (local batch, *shape)."""
        numbers = torch.rand((self.batch, *shape), generator=self._generator, device=self._generator.device)
        return numbers[self._part] * 2 - 1


Request = tuple[str, tuple[int, ...]]  # "normal" or "uniform", and the shape after the batch


class RecordedDraws(Draws):
    """Zeros for numbers, and a list of what was asked for."""

    def __init__(self, batch: int, device: torch.device) -> None:
        super().__init__(torch.Generator(device), batch)
        self.requests: list[Request] = []

    def fork(self) -> Callable[[], Draws]:
        """Raises ConfigError: numbers that are drawn in the backward pass cannot be drawn before."""
        raise ConfigError("there are too many classes to train several runs as one", fix="Train one by one.")

    def normal(self, *shape: int) -> Tensor:
        return self._record("normal", shape)

    def uniform(self, *shape: int) -> Tensor:
        return self._record("uniform", shape)

    def _record(self, kind: str, shape: tuple[int, ...]) -> Tensor:
        self.requests.append((kind, shape))
        return torch.zeros((self.batch, *shape), device=self._generator.device)


class ReplayedDraws(Draws):
    """Numbers that were drawn before, in the order in which they were asked for."""

    def __init__(self, numbers: list[Tensor], batch: int) -> None:
        super().__init__(torch.Generator(), batch)
        self._numbers = iter(numbers)

    def normal(self, *shape: int) -> Tensor:
        return next(self._numbers)

    def uniform(self, *shape: int) -> Tensor:
        return next(self._numbers)


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
    # The grid of the identity, moved by hand: affine_grid of a batch cannot be stacked over runs.
    still = F.affine_grid(torch.eye(2, 3, device=x.device)[None], [1, 1, *x.shape[2:]], align_corners=False)
    grid = torch.einsum("hwk,bjk->bhwj", still[0], turn) + shift[:, None, None, :]
    return F.grid_sample(x, grid.to(x.dtype), mode="bilinear", padding_mode="border", align_corners=False)


def drop_values(x: Tensor, share: float, draws: Draws) -> Tensor:
    """This share of x's values at 0, the others larger by as much (Srivastava et al. 2014); x itself if it is 0."""
    if not share:
        return x
    stays = draws.uniform(*x.shape[1:]) >= 2 * share - 1
    return x * stays / (1 - share)


def add_noise(x: Tensor, sigma: float, draws: Draws) -> Tensor:
    """x plus Gaussian noise of standard deviation `sigma`; x itself if sigma is 0."""
    return x + sigma * draws.normal(*x.shape[1:]) if sigma else x

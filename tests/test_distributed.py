"""Two processes that share every batch learn what one learns alone."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.multiprocessing.spawn import spawn

from noiseaudit import marginal
from noiseaudit.config import UMNConfig, with_overrides
from noiseaudit.course import Course
from noiseaudit.data.batches import plan_batches
from noiseaudit.data.inputs import Kind
from noiseaudit.data.training import TrainingData
from noiseaudit.distributed import GRAIN, Shared, bounds
from noiseaudit.methods.base import Setup
from noiseaudit.methods.descent import adam
from noiseaudit.methods.umn import UMN
from noiseaudit.methods.umn_plus import IMAGES, SETTINGS, UMNPlus
from noiseaudit.models import vae
from noiseaudit.part import WHOLE, Part, taking

STEPS, N_CLASSES, ROWS, BATCH = 20, 4, 150, 40
SMALL = {"hidden": 24, "latent_a": 6, "latent_b": 5}
SOME_CLASSES, BLOCKS = "a sum over some classes", "rows in blocks"
CASES: dict[str, tuple[type[UMN], UMNConfig, tuple[int, ...]]] = {  # method, settings, shape of x
    "images": (UMNPlus, IMAGES, (1, 6, 6)),
    "vectors": (UMNPlus, SETTINGS[Kind.WIDE_VECTORS], (12,)),
    SOME_CLASSES: (UMNPlus, SETTINGS[Kind.VECTORS], (12,)),
    BLOCKS: (UMNPlus, IMAGES, (1, 6, 6)),
    "as printed": (UMN, UMNConfig(), (1, 6, 6)),
}


def twenty_steps(name: str, part: Part) -> dict[str, Tensor]:
    """Parameters and buffers, losses and predictions after STEPS in float64, a quarter of the rows unlabelled."""
    kind, values, shape = CASES[name]
    numbers = torch.Generator().manual_seed(1)
    x = torch.rand((ROWS, *shape), generator=numbers)
    codes = torch.randint(N_CLASSES, (ROWS,), generator=numbers)
    codes[::4] = -1
    data = TrainingData(x, torch.arange(ROWS), codes, N_CLASSES)
    settings = with_overrides(values, SMALL | {"noise_weight": values.noise_weight})
    with taking(part), pytest.MonkeyPatch.context() as patch:
        if name == SOME_CLASSES:
            for limit, number in (("TOP", 2), ("SAMPLED", 1), ("EXACT_CLASSES", N_CLASSES - 1)):
                patch.setattr(marginal, limit, number)
        if name == BLOCKS:
            patch.setattr(vae, "CPU_BLOCK", 3 * N_CLASSES * SMALL["hidden"])
        method = kind(Setup(data, "mlp", 0, torch.device("cpu")), settings)
        method.learner.double()
        method.guider.double()
        method.optimiser = adam(method.learner.parameters(), settings, method.device)
        labelled = int((codes >= 0).sum())
        plan = dataclasses.replace(plan_batches(labelled, ROWS - labelled, BATCH, 0.25), steps=STEPS)
        losses: dict[str, Tensor] = {}
        for number, (rows, progress) in enumerate(Course(data, plan, epochs=1, seed=3).steps(1)):
            if number == STEPS // 2 and values.noise_weight:  # labels teach through the noise from here on
                method.learner.noise.copy_(0.7 * torch.eye(N_CLASSES) + 0.1)
            losses = method.step(data.batch(rows, method.device), progress)
        predicted = method.predict(x[:37])
    learnt = {f"learner.{key}": value for key, value in method.learner.state_dict().items()}
    learnt |= {f"guider.{key}": value for key, value in method.guider.state_dict().items()}
    return learnt | {f"loss.{key}": value for key, value in losses.items()} | predicted._asdict()


def work(rank: int, count: int, folder: str) -> None:
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=count)
    for name in CASES:
        torch.save(twenty_steps(name, Shared(rank, count)), f"{folder}/{name}.{rank}")
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two processes have learnt, each, of all CASES."""
    folder = tmp_path_factory.mktemp("shared")
    spawn(work, args=(2, str(folder)), nprocs=2)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_two_processes_learn_what_one_learns(shared: Path, name: str) -> None:
    torch.set_default_dtype(torch.float64)
    try:
        alone = twenty_steps(name, WHOLE)
    finally:
        torch.set_default_dtype(torch.float32)
    first, second = (torch.load(shared / f"{name}.{rank}", weights_only=True) for rank in (0, 1))
    assert alone.keys() == first.keys() == second.keys()
    for key, value in alone.items():
        torch.testing.assert_close(first[key], value, rtol=0, atol=1e-9)
        assert torch.equal(first[key], second[key]), key


@given(st.integers(1, 3000), st.integers(1, 9))
def test_parts_are_even_and_hold_every_row_once(rows: int, count: int) -> None:
    edges = bounds(rows, count)
    sizes = [end - start for start, end in itertools.pairwise(edges)]
    assert (edges[0], edges[-1], len(sizes)) == (0, rows, count)
    assert min(sizes) >= 0
    assert max(sizes) - min(sizes) <= 2 * GRAIN
    assert all(edge % GRAIN == 0 for edge in edges[:-1] if edge < rows)


@given(st.integers(1, 60), st.integers(1, 4), st.sampled_from([1, 2, 4]))
def test_parts_draw_what_the_whole_draws(rows: int, count: int, stride: int) -> None:
    """Row by row, and for every n-th row as the whole has it: the first of its numbers."""

    def numbers(part: Part) -> tuple[Tensor, Tensor]:
        draws = part.draws(torch.Generator().manual_seed(0), rows)
        return draws.normal(3), draws.thinned(stride).uniform(2)

    whole, thinned = numbers(WHOLE)
    parts = [numbers(Shared(rank, count)) for rank in range(count)]
    assert torch.equal(torch.cat([part for part, _ in parts]), whole)
    assert torch.equal(torch.cat([part for _, part in parts]), thinned[: -(-rows // stride)])

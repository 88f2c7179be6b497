"""Sets for benchmarks/out_of_class.py: some rows show none of the classes and carry the label of one."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pyarrow.parquet as pq
import torch
from detection_sets import Codes, features, folder, mnist
from PIL import Image

from noiseaudit.data.training import TrainingData
from noiseaudit.noise import BY_CLASS
from noiseaudit.samples import column_scales

ROWS, SHARE, RATE = (
    3_000,
    0.02,
    0.1,
)  # labelled rows of the classes, foreign rows per row, wrong labels among them
FOREIGN = -1  # true class of a foreign row
LIKE_DIGITS = "OQISZBG"  # letters left out: some of them show a digit
LEFT_OUT = 9  # class of CIFAR-10 whose images are foreign: truck


class Set(NamedTuple):
    """m rows, all labelled, and their true classes (m,)."""

    data: TrainingData
    truth: Codes
    backbone: str


def letters(seed: int, share: float) -> Set:
    """Digits of MNIST, and letters of Chars74K in their form: grey, 28 x 28, light on dark."""
    rng = np.random.default_rng((seed, 1))
    x, truth = mnist()
    rows = rng.choice(len(x), ROWS, replace=False)
    cells = pq.read_table(
        folder() / "chars74k" / "train.parquet", columns=["image", "class_name", "good_quality"]
    ).to_pandas()
    name = cells["class_name"].str.upper()
    usable = cells[cells["good_quality"] & ~name.str.isdigit() & ~name.isin(list(LIKE_DIGITS))]["image"]
    chosen = rng.choice(usable.to_numpy(), round(share * ROWS), replace=False)
    foreign = np.array([_like_mnist(cell) for cell in chosen], np.uint8).reshape(-1, 1, 28, 28)
    return _planted(torch.cat([x[rows], torch.from_numpy(foreign)]), truth[rows], 10, "mlp", seed)


def photographs(seed: int, share: float) -> Set:
    """Features of CIFAR-10 without one class, whose images are the foreign ones."""
    rng = np.random.default_rng((seed, 2))
    truth = pq.read_table(folder() / "cifar10" / "cifar10n.parquet")["clean"].to_numpy().astype(np.int64)
    own = rng.choice(np.flatnonzero(truth != LEFT_OUT), ROWS, replace=False)
    foreign = rng.choice(np.flatnonzero(truth == LEFT_OUT), round(share * ROWS), replace=False)
    values = features("cifar10", "train")[np.r_[own, foreign]].numpy()
    mean, deviation = column_scales(values)
    return _planted(torch.from_numpy((values - mean) / deviation), truth[own], 9, "embeddings", seed)


def _planted(x: torch.Tensor, own: Codes, n_classes: int, backbone: str, seed: int) -> Set:
    """Symmetric noise on the rows of the classes, any class as the label of those behind them; then shuffled."""
    rng = np.random.default_rng((seed, 3))
    labels = BY_CLASS["symmetric"](own, n_classes, RATE, rng).labels
    n_foreign = len(x) - len(own)
    given = np.r_[labels, rng.integers(0, n_classes, n_foreign)]
    truth, order = np.r_[own, np.full(n_foreign, FOREIGN)], rng.permutation(len(x))
    data = TrainingData(x[order], torch.arange(len(x)), torch.from_numpy(given[order]), n_classes)
    return Set(data, truth[order], backbone)


def _like_mnist(cell: bytes) -> Codes:
    """A letter in a box of 20 within 28 pixels, its darkest grey 0 and its lightest 255, light on a dark ground."""
    grey = np.asarray(
        Image.open(io.BytesIO(cell)).convert("L").resize((20, 20), Image.Resampling.BILINEAR), float
    )
    low, high = np.percentile(grey, (5, 95))
    grey = np.clip((grey - low) / max(high - low, 1), 0, 1)
    edge = np.r_[grey[0], grey[-1], grey[:, 0], grey[:, -1]]
    return np.pad(255 * (1 - grey if edge.mean() > 0.5 else grey), 4).astype(np.int64)


SETS: dict[str, Callable[[int, float], Set]] = {"letters": letters, "photographs": photographs}

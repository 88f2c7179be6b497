"""The data sets that detection is measured on, each drawn by a seed."""

from __future__ import annotations

import dataclasses
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import torch
from PIL import Image
from torchvision.datasets import MNIST

from noiseaudit import pretrained
from noiseaudit.data.probe import Probe
from noiseaudit.data.training import TrainingData
from noiseaudit.noise import BY_CLASS
from noiseaudit.samples import column_scales

FEATURES = Path(__file__).parent / "results" / "features"
CPU = torch.device("cpu")
N, TAIL = 10_000, 100  # rows of MNIST; largest class / smallest
Codes = np.ndarray[Any, np.dtype[np.int64]]
Set = tuple[TrainingData, Codes, str]  # data, true classes (m,), backbone


def folder() -> Path:
    return Path(os.environ["NOISEAUDIT_DATA"])


def mnist(train: bool = True) -> tuple[torch.Tensor, Codes]:
    found = MNIST(str(folder()), train=train, download=False)
    return found.data.unsqueeze(1), found.targets.numpy().astype(np.int64)


def corrupted(
    x: torch.Tensor, truth: Codes, noise: str, rate: float, seed: int, backbone: str = "mlp"
) -> Set:
    n_classes = int(truth.max()) + 1
    labels = BY_CLASS[noise](truth, n_classes, rate, np.random.default_rng(seed)).labels
    return TrainingData(x, torch.arange(len(x)), torch.from_numpy(labels), n_classes), truth, backbone


def planted(noise: str, rate: float) -> Callable[[int], Set]:
    def make(seed: int) -> Set:
        x, truth = mnist()
        rows = np.random.default_rng((seed, N)).choice(len(x), N, replace=False)
        return corrupted(x[rows], truth[rows], noise, rate, seed)

    return make


def long_tailed(noise: str) -> Callable[[int], Set]:
    def make(seed: int) -> Set:
        x, truth = mnist()
        shares = TAIL ** (-np.arange(10) / 9)
        sizes = np.minimum(shares / shares.sum() * N, np.bincount(truth)).astype(np.int64)
        rng = np.random.default_rng((seed, TAIL))
        rows = np.concatenate(
            [rng.choice(np.flatnonzero(truth == c), size, replace=False) for c, size in enumerate(sizes)]
        )
        return corrupted(x[rows], truth[rows], noise, 0.2, seed)

    return make


def partly_labelled(share: float, *, drop: bool) -> Callable[[int], Set]:
    """The other labels are hidden, or, to see what hidden rows are worth, these rows are left out."""

    def make(seed: int) -> Set:
        data, truth, backbone = planted("symmetric", 0.3)(seed)
        kept = np.random.default_rng((seed, 7)).permutation(N) < share * N
        if drop:
            rows = np.flatnonzero(kept)
            return (
                TrainingData(data.x[rows], torch.arange(len(rows)), data.codes[rows], 10),
                truth[rows],
                backbone,
            )
        codes = torch.where(torch.from_numpy(kept), data.codes, -1)
        return dataclasses.replace(data, codes=codes), truth, backbone

    return make


def mnist_test(seed: int) -> Set:
    """Nothing planted: its own labels, of which people found some wrong (true class -1). The rest is not known."""
    x, truth = mnist(train=False)
    found = pq.read_table(folder() / "verified_errors" / "mnist_test.parquet").to_pandas()
    given = torch.from_numpy(truth.copy())
    truth[found.loc[found["is_error"], "test_index"].to_numpy()] = -1
    return TrainingData(x, torch.arange(len(x)), given, 10), truth, "mlp"


def human(column: str) -> Callable[[int], Set]:
    def make(seed: int) -> Set:
        labels = pq.read_table(folder() / "cifar10" / "cifar10n.parquet")
        x = features("cifar10", "train")
        codes = torch.from_numpy(labels[column].to_numpy().astype(np.int64))
        truth = labels["clean"].to_numpy().astype(np.int64)
        return TrainingData(x, torch.arange(len(x)), codes, 10), truth, "pretrained"

    return make


def characters(seed: int) -> Set:
    truth = pq.read_table(folder() / "chars74k" / "train.parquet", columns=["label"])["label"].to_numpy()
    return corrupted(
        features("chars74k", "train"), truth.astype(np.int64), "asymmetric", 0.2, seed, "pretrained"
    )


def features(name: str, split: str) -> torch.Tensor:
    """Standardised frozen features of a Parquet set, kept beside the results."""
    kept = FEATURES / f"{name}-{split}.npy"
    if not kept.exists():
        kept.parent.mkdir(exist_ok=True)
        cells = pq.read_table(folder() / name / f"{split}.parquet", columns=["image"])["image"].to_pylist()
        images = [Image.open(io.BytesIO(cell)).convert("RGB") for cell in cells]
        sizes = np.array([image.size for image in images])
        probe = Probe(
            np.full(len(cells), "ok", object), np.full(len(cells), None), sizes[:, 1], sizes[:, 0],
            np.zeros(len(cells), np.bool_), 10**9,
        )  # fmt: skip
        extractor = pretrained.load_extractor(probe, None, CPU)
        size = (extractor.side, extractor.side)
        parts = [
            extractor.extract(
                np.stack(
                    [
                        np.asarray(image.resize(size, Image.Resampling.BILINEAR)).transpose(2, 0, 1)
                        for image in part
                    ]
                )
            )
            for part in (images[i : i + 64] for i in range(0, len(images), 64))
        ]
        np.save(kept, np.concatenate(parts))
    values = np.load(kept).astype(np.float32)
    mean, deviation = column_scales(values)
    return torch.from_numpy((values - mean) / deviation)


SETS: dict[str, Callable[[int], Set]] = {
    **{
        f"mnist_symmetric_{rate}": planted("symmetric", rate)
        for rate in (0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5)
    },
    **{f"mnist_asymmetric_{rate}": planted("asymmetric", rate) for rate in (0.01, 0.1, 0.2, 0.3, 0.4)},
    **{f"mnist_tail_{noise}": long_tailed(noise) for noise in ("symmetric", "asymmetric")},
    **{f"mnist_part_{share}": partly_labelled(share, drop=False) for share in (0.1, 0.25, 0.5)},
    **{f"mnist_only_{share}": partly_labelled(share, drop=True) for share in (0.1, 0.25, 0.5)},
    "mnist_test": mnist_test,
    "cifar10n_aggre": human("aggre"),
    "cifar10n_random1": human("random1"),
    "chars_asymmetric": characters,
}

"""Data sets to compare methods on, with their true labels: MNIST, SVHN and CIFAR-10 as torchvision reads them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from noiseaudit.bench.own import AS_FOUND, Reading, is_own, load_own
from noiseaudit.bench.problem import BACKBONES, Codes, Pixels, Problem, make_problem
from noiseaudit.bench.systems import DATASETS
from noiseaudit.errors import DataError

MNIST_TRAINING_ROWS = 50_000  # section 4.2: the first of 60,000
Parts = tuple[Pixels, Codes, Pixels, Codes]  # to train on, their classes, to test on, their classes
_ROOT_FIX = "Give --data DIR or set NOISEAUDIT_DATA, and add --download to fetch it there."


def load_problem(
    dataset: str,
    *,
    root: Path | None,
    images: Path | None = None,
    reading: Reading = AS_FOUND,
    download: bool = False,
) -> Problem:
    """One of DATASETS from the folder `root`, as torchvision lays it out, or the user's own (noiseaudit.bench.own).

    Nothing is fetched unless `download`. Raises DataError if the data is not there or not usable.
    """
    if is_own(dataset):
        return load_own(Path(dataset), images, reading)
    if dataset not in DATASETS:
        raise DataError(
            "no such data set or file",
            file=dataset,
            fix=f"Choose {', '.join(DATASETS)}, or give a label file.",
        )
    if root is None:
        raise DataError(f"no folder to read {dataset} from", fix=_ROOT_FIX)
    try:
        x, truth, test_x, test_truth = _READERS[dataset](root, download)
    except RuntimeError as error:  # torchvision's "not found or corrupted"
        raise DataError(f"{dataset}: {str(error).split('.')[0].lower()}", file=root, fix=_ROOT_FIX) from error
    except OSError as error:
        raise DataError(f"{dataset} cannot be read ({error})", file=root, fix=_ROOT_FIX) from error
    return make_problem(
        dataset, x, truth, test_x, test_truth, backbone=BACKBONES[dataset], source="torchvision"
    )


def _mnist(root: Path, download: bool) -> Parts:
    from torchvision.datasets import MNIST

    train, test = (MNIST(root, train=part, download=download) for part in (True, False))
    rows = slice(MNIST_TRAINING_ROWS)
    return (
        train.data[rows].numpy()[:, None],
        train.targets[rows].numpy(),
        test.data.numpy()[:, None],
        test.targets.numpy(),
    )


def _svhn(root: Path, download: bool) -> Parts:
    from torchvision.datasets import SVHN

    train, test = (SVHN(root, split=split, download=download) for split in ("train", "test"))
    return train.data, train.labels, test.data, test.labels


def _cifar10(root: Path, download: bool) -> Parts:
    from torchvision.datasets import CIFAR10

    train, test = (CIFAR10(root, train=part, download=download) for part in (True, False))
    return (
        train.data.transpose(0, 3, 1, 2),
        np.asarray(train.targets),
        test.data.transpose(0, 3, 1, 2),
        np.asarray(test.targets),
    )


_READERS: dict[str, Callable[[Path, bool], Parts]] = {
    "mnist": _mnist,
    "svhn": _svhn,
    "cifar10": _cifar10,
}

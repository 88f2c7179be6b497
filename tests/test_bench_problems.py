"""torchvision's data sets, read from small files that are written here in their formats."""

from __future__ import annotations

import hashlib
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy.io import savemat
from torchvision.datasets import CIFAR10, SVHN

from noiseaudit.bench import problems
from noiseaudit.bench.problems import load_problem
from noiseaudit.errors import DataError

RNG = np.random.default_rng(0)


def md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()


def write_svhn(root: Path, monkeypatch: pytest.MonkeyPatch, n: int = 30) -> npt.NDArray[Any]:
    """Files in SVHN's format, whose checksums torchvision is told; returns the training images (H, W, 3, n)."""
    x = RNG.integers(0, 256, (32, 32, 3, n), dtype=np.uint8)
    split_list = dict(SVHN.split_list)
    for split in ("train", "test"):
        path = root / f"{split}_32x32.mat"
        savemat(path, {"X": x, "y": (np.arange(n) % 10 + 1)[:, None].astype(np.uint8)})
        split_list[split] = ["", path.name, md5(path)]
    monkeypatch.setattr(SVHN, "split_list", split_list)
    return x


def write_mnist(root: Path, n: int) -> npt.NDArray[Any]:
    raw = root / "MNIST" / "raw"
    raw.mkdir(parents=True)
    x = RNG.integers(0, 256, (n, 28, 28), dtype=np.uint8)
    for part in ("train", "t10k"):
        images = struct.pack(">IIII", 2051, n, 28, 28) + x.tobytes()
        labels = struct.pack(">II", 2049, n) + bytes(i % 10 for i in range(n))
        for name, data in ((f"{part}-images-idx3-ubyte", images), (f"{part}-labels-idx1-ubyte", labels)):
            (raw / name).write_bytes(data)
    return x


def write_cifar10(root: Path, monkeypatch: pytest.MonkeyPatch) -> npt.NDArray[Any]:
    folder = root / CIFAR10.base_folder
    folder.mkdir()
    x = RNG.integers(0, 256, (6, 3072), dtype=np.uint8)
    rows = {"data_batch_1": slice(0, 4), "test_batch": slice(4, 6)}
    for name, part in rows.items():
        labels = list(range(6))[part]
        (folder / name).write_bytes(pickle.dumps({"data": x[part], "labels": labels}))
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": list("abcdefghij")}))
    monkeypatch.setattr(CIFAR10, "train_list", [["data_batch_1", md5(folder / "data_batch_1")]])
    monkeypatch.setattr(CIFAR10, "test_list", [["test_batch", md5(folder / "test_batch")]])
    monkeypatch.setattr(CIFAR10, "meta", {**CIFAR10.meta, "md5": md5(folder / "batches.meta")})
    return x.reshape(-1, 3, 32, 32)


def test_svhn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    x = write_svhn(tmp_path, monkeypatch)
    found = load_problem("svhn", root=tmp_path)
    np.testing.assert_array_equal(found.x, x.transpose(3, 2, 0, 1))
    assert found.truth[:11].tolist() == [
        1,
        2,
        3,
        4,
        5,
        6,
        7,
        8,
        9,
        0,
        1,
    ]  # the files call the digit 0 class 10
    assert (found.n_classes, found.backbone, len(found.test_x)) == (10, "conv13", 30)


def test_mnist_takes_the_first_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert problems.MNIST_TRAINING_ROWS == 50_000
    monkeypatch.setattr(problems, "MNIST_TRAINING_ROWS", 12)
    x = write_mnist(tmp_path, 20)
    found = load_problem("mnist", root=tmp_path)
    np.testing.assert_array_equal(found.x, x[:12, None])
    np.testing.assert_array_equal(found.test_x, x[:, None])
    assert found.truth.tolist() == [*range(10), 0, 1]
    assert (found.backbone, found.source) == ("mlp", "torchvision")


def test_cifar10(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    x = write_cifar10(tmp_path, monkeypatch)
    found = load_problem("cifar10", root=tmp_path)
    np.testing.assert_array_equal(found.x, x[:4])
    np.testing.assert_array_equal(found.test_x, x[4:])
    assert (found.truth.tolist(), found.test_truth.tolist()) == ([0, 1, 2, 3], [4, 5])


def test_other_data_has_another_fingerprint(tmp_path: Path) -> None:
    found = []
    for name in ("a", "b"):
        write_mnist(tmp_path / name, 20)
        found.append(load_problem("mnist", root=tmp_path / name).fingerprint)
    assert found[0] != found[1]
    assert found[0] == load_problem("mnist", root=tmp_path / "a").fingerprint


@pytest.mark.parametrize("name", ["mnist", "svhn", "cifar10"])
def test_nothing_is_fetched_unasked(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **options: object) -> None:
        raise AssertionError("the network was used")

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    with pytest.raises(DataError, match=r"not found.*--download"):
        load_problem(name, root=tmp_path)


def test_a_fetch_that_fails_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **options: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    with pytest.raises(DataError, match=r"svhn cannot be read .*no route to host"):
        load_problem("svhn", root=tmp_path, download=True)


def test_a_file_with_another_checksum_is_refused(tmp_path: Path) -> None:
    (tmp_path / "train_32x32.mat").write_bytes(b"cut")
    with pytest.raises(DataError, match="corrupted"):
        load_problem("svhn", root=tmp_path)


def test_what_is_not_there() -> None:
    with pytest.raises(DataError, match="NOISEAUDIT_DATA"):
        load_problem("mnist", root=None)
    with pytest.raises(DataError, match="no such data set"):
        load_problem("imagenet", root=None)

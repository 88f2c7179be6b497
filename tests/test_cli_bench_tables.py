"""bench from the command line: every table end to end on small generated data sets."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat
from torchvision.datasets import SVHN
from typer.testing import CliRunner

from noiseaudit.bench import problem
from noiseaudit.bench.groups import LEAST_LABELS_A_CLASS
from noiseaudit.demo import write_digits
from noiseaudit_cli.main import app

N = 240


def bench(*words: object) -> Any:
    return CliRunner().invoke(app, ["bench", *(str(word) for word in words)])


def lines(out: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(text) for text in (out / f"{name}.jsonl").read_text().splitlines()]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """MNIST and SVHN in their own formats, with classes that are told apart by brightness."""
    root, rng = tmp_path / "data", np.random.default_rng(0)
    raw = root / "MNIST" / "raw"
    raw.mkdir(parents=True)
    labels = np.arange(N, dtype=np.uint8) % 10
    images = (labels[:, None, None] * 20 + rng.integers(0, 40, (N, 28, 28))).astype(np.uint8)
    for part in ("train", "t10k"):
        head = struct.pack(">IIII", 2051, N, 28, 28)
        (raw / f"{part}-images-idx3-ubyte").write_bytes(head + images.tobytes())
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">II", 2049, N) + labels.tobytes())
    colour = rng.integers(0, 256, (32, 32, 3, N), dtype=np.uint8)
    for split in ("train", "test"):
        savemat(root / f"{split}_32x32.mat", {"X": colour, "y": (labels + 1)[:, None]})
    monkeypatch.setattr(
        SVHN, "_check_integrity", lambda self: True
    )  # its checksums are those of the real files
    monkeypatch.setitem(problem.BACKBONES, "svhn", "mlp")  # convolutions take minutes on a CPU
    monkeypatch.setenv("NOISEAUDIT_DATA", str(root))
    return root


def test_table_1_from_run_to_table(data: Path, tmp_path: Path) -> None:
    asked = [
        "run", "table1", "--dataset", "mnist", "--scale", "smoke", "--rates", "0.2,0.4", "--device", "cpu",
        "--methods", "umn,supervised:mlp-784,reweight,mislabeled_vae", "--out", tmp_path,
    ]  # fmt: skip
    result = bench(*asked)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "8 runs, 0 of them done before." in result.stderr
    assert "8/8  table1 mnist" in result.stderr
    assert "scale smoke (2 epochs): test error" in result.stderr
    assert "left" in result.stderr
    found = lines(tmp_path, "table1_mnist")
    assert {(line["method"], line["variant"]) for line in found} == {
        ("umn", "default"), ("supervised", "mlp-784"), ("reweight", "default"), ("mislabeled_vae", "default"),
    }  # fmt: skip
    again = bench(*asked)
    assert again.stderr == "8 runs, 8 of them done before.\n"
    assert lines(tmp_path, "table1_mnist") == found
    table = bench("table", "table1", "--out", tmp_path)
    assert table.exit_code == 0
    assert "mnist, symmetric noise, scale smoke (2 epochs)" in table.stdout
    assert "/ 36.2 |" in table.stdout
    assert table.stdout.count("| umn |") == 1


def test_table_2(data: Path, tmp_path: Path) -> None:
    result = bench(
        "run", "table2", "--scale", "smoke", "--methods", "mentornet", "--out", tmp_path, "--no-stack"
    )
    assert result.exit_code == 0
    found = lines(tmp_path, "table2_svhn")
    assert {(line["labels"], line["labelled"]) for line in found} == {
        (count, 10 * LEAST_LABELS_A_CLASS) for count in (1_000, 2_000, 3_000, 10_000, 20_000)
    }  # fmt: skip
    assert {line["rate"] for line in found} == {0.1, 0.2}
    table = bench("table", "table2", "--out", tmp_path).stdout
    assert "| mentornet, 10% corrupt | " in table
    assert "/ 11.2 |" in table


def test_table_3(data: Path, tmp_path: Path) -> None:
    result = bench("run", "table3", "--scale", "smoke", "--rates", "0.4", "--seeds", "0-1", "--out", tmp_path)
    assert result.exit_code == 0
    few, everything = lines(tmp_path, "table1_mnist"), lines(tmp_path, "table3_mnist")
    for found, variant in ((few, "default"), (everything, "fully-labelled")):
        assert {(line["method"], line["variant"], line["seed"]) for line in found} == {
            (method, variant, seed) for method in ("umn", "umn_plus") for seed in (0, 1)
        }
    found = [*few, *everything]
    assert all({"default", "own", "epsilon", "step_epsilon"} == set(line["final"]) for line in found)
    table = bench("table", "table3", "--out", tmp_path).stdout
    assert "| the paper | 0.82 (0.85, 0.79) |" in table
    assert table.count("| umn, epsilon > 0, in the last step of each row | ") == 2
    assert f"100-labels ({10 * LEAST_LABELS_A_CLASS} labels):" in table
    assert "fully-labelled (100 labels):" in table
    drawn = bench("plot", "table3", "--out", tmp_path)
    assert drawn.stdout == f"{tmp_path / 'table3_mnist.svg'}\n"
    svg = (tmp_path / "table3_mnist.svg").read_text("utf-8")
    assert all(
        text in svg for text in ("100-labels, 40% corrupt", "fully-labelled, 40% corrupt", ">the paper<")
    )
    assert all(
        f">{name} (n=2), {rule}<" in svg
        for name in ("umn", "umn_plus")
        for rule in ("epsilon &gt; 0", "default score")
    )
    none = bench("plot", "figure2", "--dataset", "mnist", "--out", tmp_path, "--epochs", 2)
    assert none.exit_code == 0, none.stderr


def test_high_noise(data: Path, tmp_path: Path) -> None:
    result = bench("run", "high-noise", "--scale", "smoke", "--methods", "umn", "--out", tmp_path, "--quiet")
    assert (result.exit_code, result.stderr) == (0, "")
    assert {line["rate"] for line in lines(tmp_path, "high-noise_svhn")} == {0.6, 0.7, 0.8}
    assert "/ 49.1 |" in bench("table", "high-noise", "--out", tmp_path).stdout


def test_a_label_file(tmp_path: Path) -> None:
    file = write_digits(tmp_path, limit=200)
    result = bench(
        "run", "table1", "--dataset", file, "--images", tmp_path / "images", "--scale", "smoke", "--rates", "0.2",
        "--methods", "umn_plus,supervised", "--noise", "asymmetric", "--out", tmp_path,
    )  # fmt: skip
    assert result.exit_code == 0
    found = lines(tmp_path, "table1_labels")
    assert [(line["noise"], line["source"], line["labels"]) for line in found] == [
        ("asymmetric", "label file", None)
    ] * 2
    assert all(line["rows"] == line["labelled"] for line in found)
    assert (
        "| supervised shared | " in bench("table", "table1", "--dataset", "labels", "--out", tmp_path).stdout
    )

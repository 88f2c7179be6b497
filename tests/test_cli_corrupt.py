"""corrupt: planted errors and the truth about them."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from noiseaudit.demo import write_digits
from noiseaudit_cli.main import app


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    return write_digits(tmp_path, limit=100)


def _corrupt(labels: Path, *options: object) -> Any:
    words = ["corrupt", labels, "--out", labels.parent / "noisy.csv", *options]
    return CliRunner().invoke(app, [str(word) for word in words])


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as lines:
        return list(csv.DictReader(lines))


def _truth(labels: Path) -> list[dict[str, str]]:
    return _rows(labels.parent / "noisy.csv.truth.csv")


def test_symmetric_noise_and_its_truth(labels: Path) -> None:
    result = _corrupt(labels, "--kind", "symmetric", "--rate", 0.2)
    assert (result.exit_code, result.stdout) == (0, "")
    clean, noisy, truth = _rows(labels), _rows(labels.parent / "noisy.csv"), _truth(labels)
    assert [row["label"] for row in clean] == [row["true_label"] for row in truth]
    assert [row["label"] for row in noisy] == [row["given_label"] for row in truth]
    corrupted = [row["is_corrupted"] == "true" for row in truth]
    assert corrupted == [row["true_label"] != row["given_label"] for row in truth]
    assert 16 <= sum(corrupted) <= 24
    assert f"{sum(corrupted)} of 100 labels corrupted" in result.stderr


def test_asymmetric_pairs(labels: Path) -> None:
    assert _corrupt(labels, "--kind", "asymmetric", "--rate", 0.5, "--pair", "4:9").exit_code == 0
    changed = {(r["true_label"], r["given_label"]) for r in _truth(labels) if r["is_corrupted"] == "true"}
    assert changed == {("4", "9")}


def test_instance_noise_looks_at_the_images(labels: Path) -> None:
    result = _corrupt(
        labels, "--kind", "instance", "--rate", 0.3, "--images", labels.parent / "images", "--json"
    )
    assert result.exit_code == 0
    assert 10 <= json.loads(result.stdout)["n_corrupted"] <= 50


def test_the_seed_decides(labels: Path) -> None:
    drawn = []
    for seed in (1, 1, 2):
        assert (
            _corrupt(labels, "--kind", "symmetric", "--rate", 0.2, "--seed", seed, "--force").exit_code == 0
        )
        drawn.append((labels.parent / "noisy.csv").read_bytes())
    assert drawn[0] == drawn[1] != drawn[2]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--kind", "symmetric", "--rate", "0"], "--rate"),
        (["--kind", "symmetric", "--rate", "1.5"], "--rate"),
        (["--kind", "blur", "--rate", "0.2"], "--kind"),
        (["--kind", "instance", "--rate", "0.2"], "--images or --embeddings"),
        (["--kind", "asymmetric", "--rate", "0.2", "--pair", "4-9"], "--pair '4-9'"),
        (["--kind", "asymmetric", "--rate", "0.2", "--pair", "4:x"], "'x'"),
        (["--kind", "symmetric", "--rate", "0.2", "--pair", "4:9"], "pair"),
    ],
)
def test_bad_options(labels: Path, options: list[str], words: str) -> None:
    result = _corrupt(labels, *options)
    assert result.exit_code == 2
    assert words in result.stderr
    assert result.stderr.count("\n") == 1
    assert not (labels.parent / "noisy.csv").exists()


def test_outputs_that_exist_need_force(labels: Path) -> None:
    (labels.parent / "noisy.csv.truth.csv").write_text("mine")
    result = _corrupt(labels, "--kind", "symmetric", "--rate", 0.2)
    assert (result.exit_code, "noisy.csv.truth.csv: exists" in result.stderr) == (2, True)
    assert not (labels.parent / "noisy.csv").exists()
    assert _corrupt(labels, "--kind", "symmetric", "--rate", 0.2, "--force").exit_code == 0


def test_the_input_is_never_overwritten(labels: Path) -> None:
    before = labels.read_bytes()
    result = _corrupt(labels, "--kind", "symmetric", "--rate", 0.2, "--force", "--out", labels)
    assert (result.exit_code, labels.read_bytes()) == (2, before)


def test_a_realised_rate_far_from_the_asked_one_is_said(labels: Path) -> None:
    result = _corrupt(labels, "--kind", "asymmetric", "--rate", 0.5, "--pair", "4:9")
    n = sum(row["is_corrupted"] == "true" for row in _truth(labels))
    assert f"The realised rate is {n / 100:.3g}, not 0.5 as expected." in result.stderr
    assert "The realised" not in _corrupt(labels, "--kind", "symmetric", "--rate", 0.3, "--force").stderr
    result = _corrupt(labels, "--kind", "symmetric", "--rate", 0.01, "--force")
    assert (result.exit_code, "--rate 0.01 corrupts no label" in result.stderr) == (2, True)

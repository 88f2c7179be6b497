"""Images few of whose labels look wrong are judged by folds as well, and who asks otherwise gets that."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from noiseaudit import run_audit
from noiseaudit.compare.case import Case
from noiseaudit.compare.tools import TOOLS
from noiseaudit.config import AuditConfig
from noiseaudit.data.training import TrainingData
from noiseaudit.demo import write_digits
from noiseaudit.result import read_audit
from tests.test_scan_run_folder import _run

SHORT = AuditConfig(epochs=3, device="cpu")


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """120 digits with their own labels. After so few epochs more than 1 % of them look wrong."""
    folder = tmp_path_factory.mktemp("digits")
    write_digits(folder, limit=120)
    return folder


@pytest.fixture
def all_look_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("noiseaudit.crossfit.FEW_WRONG", 1.1)


def _scan(digits: Path, out: Path, *options: object) -> tuple[int, str]:
    words = ["--images", digits / "images", "--out", out, "--epochs", 3, "--device", "cpu", *options]
    stderr = _run("scan", digits / "labels.csv", *words).stderr
    return read_audit(out).meta.config["chosen"]["folds"], stderr


@pytest.mark.usefixtures("all_look_right")
def test_scan_adds_folds_and_says_so(digits: Path, tmp_path: Path) -> None:
    folds, stderr = _scan(digits, tmp_path / "run")
    assert folds == 5
    assert "): training 5 times more, each without the labels of one part" in stderr
    assert "fold 5 of 5, epoch 3/3" in stderr
    asked, _ = _scan(digits, tmp_path / "asked", "--folds", 5)
    assert asked == 5
    found, expected = (read_audit(tmp_path / name).table for name in ("run", "asked"))
    assert found.equals(expected)  # the same folds, by whatever way


@pytest.mark.usefixtures("all_look_right")
def test_who_wants_no_folds_gets_none(digits: Path, tmp_path: Path) -> None:
    folds, stderr = _scan(digits, tmp_path / "run", "--folds", 0)
    assert folds == 0
    assert "times more" not in stderr


def test_where_more_looks_wrong_there_are_none(digits: Path, tmp_path: Path) -> None:
    folds, stderr = _scan(digits, tmp_path / "run")
    assert folds == 0
    assert "times more" not in stderr


@pytest.mark.usefixtures("all_look_right")
def test_a_self_test_has_the_folds_of_the_audit(digits: Path, tmp_path: Path) -> None:
    _, stderr = _scan(digits, tmp_path / "run", "--self-test")
    assert stderr.count("times more") == 1
    assert "self-test, fold 5 of 5, epoch 3/3" in stderr


def test_planted_labels_do_not_call_for_folds(
    digits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The audit has none, so its self-test has none, whatever that finds."""
    monkeypatch.setattr("noiseaudit.selftest.plant", _after(monkeypatch))
    folds, stderr = _scan(digits, tmp_path / "run", "--self-test")
    assert folds == 0
    assert "self-test, epoch 3/3" in stderr
    assert "fold" not in stderr


def _after(monkeypatch: pytest.MonkeyPatch) -> object:
    from noiseaudit.planting import plant

    def spy(*words: object) -> object:
        monkeypatch.setattr("noiseaudit.crossfit.FEW_WRONG", 1.1)
        return plant(*words)  # type: ignore[arg-type]

    return spy


@pytest.mark.usefixtures("all_look_right")
def test_compare_has_the_folds_of_scan(digits: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained: list[int] = []
    real = Case.train

    def train(case: Case, *words: object, **more: object) -> object:
        trained.append(1)
        return real(case, *words, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Case, "train", train)
    x = torch.randint(0, 255, (60, 1, 8, 8), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    data = TrainingData(x, torch.arange(60), torch.arange(60) % 3, 3)
    for asked, expected in ((None, 6), (0, 1)):
        trained.clear()
        TOOLS["noiseaudit"].judge(
            Case(data, "mlp", AuditConfig(epochs=1, folds=asked), 0, torch.device("cpu"))
        )
        assert len(trained) == expected


def test_python_and_the_command_line_agree(digits: Path, all_look_right: None) -> None:
    audit = run_audit(digits / "labels.csv", digits / "images", config=SHORT)
    assert audit.result.meta.config["chosen"]["folds"] == 5

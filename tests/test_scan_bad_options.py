"""Options and output folders that stop a scan: exit 2, one line that names the option, nothing written."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from noiseaudit.demo import write_digits
from noiseaudit_cli.main import app


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("digits")
    write_digits(folder, limit=40)
    return folder


@pytest.fixture
def data(digits: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(digits, tmp_path / "data"))


def _scan(data: Path, *options: str) -> Any:
    common = ["--images", str(data / "images"), "--out", str(data.parent / "run"), "--epochs", "1"]
    return CliRunner().invoke(app, ["scan", str(data / "labels.csv"), *common, *options])


def _stops(result: Any, *words: str) -> None:
    assert result.exit_code == 2, result.stderr
    (line,) = (line for line in result.stderr.splitlines() if not line.startswith("Read "))
    assert line.startswith("error: ")
    assert result.stdout == ""
    for word in words:
        assert word in line


@pytest.mark.parametrize(
    "options",
    [
        ["--epochs", "0"],
        ["--batch-size", "1"],
        ["--image-size", "2"],
        ["--seed", "-1"],
        ["--max-pixels", "0"],
        ["--workers", "0"],
        ["--cutoff", "rate=2"],
        ["--cutoff", "budget=some"],
        ["--backbone", "mpl"],
        ["--method", "umm"],
        ["--device", "gpu"],
        ["--set", "alpha=-1"],
        ["--set", "alpha=high"],
        ["--set", "alhpa=1"],
        ["--set", "alpha"],
        ["--embeddings", "e.npy"],
        ["--backbone", "embeddings"],
        ["--backbone", "conv13"],
    ],
    ids=" ".join,
)
def test_bad_options_stop_the_scan_and_are_named(data: Path, options: list[str]) -> None:
    _stops(_scan(data, *options), options[0])
    assert [path.name for path in data.parent.iterdir()] == ["data"]


def test_images_must_be_named(data: Path) -> None:
    result = CliRunner().invoke(app, ["scan", str(data / "labels.csv"), "--out", str(data.parent / "run")])
    _stops(result, f"add --images {data / 'images'}.")


def test_the_output_folder_exists(data: Path) -> None:
    run = data.parent / "run"
    run.mkdir()
    (run / "run.json").write_text('{"status": "complete"}')
    _stops(_scan(data), "run: the output folder exists", "--force")
    assert json.loads((run / "run.json").read_text()) == {"status": "complete"}


def test_the_output_cannot_be_written(data: Path) -> None:
    (data / "file").touch()
    _stops(_scan(data, "--out", str(data / "file" / "run")), "cannot be written", "--out")


def test_force_spares_a_run_that_holds_the_input(data: Path) -> None:
    (data / "run.json").write_text('{"status": "complete"}')
    _stops(_scan(data, "--out", str(data), "--force"), "would delete the input")
    assert (data / "labels.csv").exists()

"""What scan prints, and what it leaves behind when training fails or is interrupted."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from noiseaudit.outputs import HOW_TO_GO_ON
from noiseaudit.result import read_audit
from noiseaudit_cli.main import app
from tests.test_scan_run_folder import _json, _scan, data

__all__ = ["data"]  # fixtures


def test_json_is_run_json_and_nothing_else(data: Path, tmp_path: Path) -> None:
    result = _scan(data, tmp_path / "run", "--json")
    printed = json.loads(result.stdout)
    saved = _json(tmp_path / "run" / "run.json")
    assert printed["run"] == str(tmp_path / "run")
    assert printed["counts"] == saved["counts"]
    assert result.stderr == ""


def test_quiet_says_nothing(data: Path, tmp_path: Path) -> None:
    result = _scan(data, tmp_path / "run", "-q")
    assert (result.stdout, result.stderr) == ("", "")


def test_the_summary_says_what_was_chosen_and_what_comes_next(data: Path, tmp_path: Path) -> None:
    result = _scan(data, tmp_path / "run", "--cutoff", "budget=7")
    assert "7 of 120 labels are listed for review" in result.stdout
    assert "backbone  mlp\n" in result.stdout
    assert f"noiseaudit rank {tmp_path / 'run'}" in result.stdout
    assert "6 epochs" in result.stderr
    assert "epoch 6/6  loss" in result.stderr
    assert read_audit(tmp_path / "run").table.column("is_label_issue").to_pylist().count(True) == 7


def test_a_failed_training_leaves_no_folder(data: Path, tmp_path: Path) -> None:
    words = ["scan", data / "noisy.csv", "--images", data / "images", "--out", tmp_path / "run"]
    result = CliRunner().invoke(app, [str(word) for word in [*words, "--set", "learning_rate=1e30"]])
    assert result.exit_code == 1
    assert "infinite or NaN in epoch 1" in result.stderr.splitlines()[-1]
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def interruptible() -> Iterator[None]:
    """A job that a script started in the background ignores SIGINT, and so would the processes it starts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_leaves_an_incomplete_folder_that_force_replaces(data: Path, tmp_path: Path) -> None:
    words = ["scan", data / "noisy.csv", "--images", data / "images", "--out", tmp_path / "run"]
    command = [sys.executable, "-m", "noiseaudit_cli.main", *map(str, words), "--epochs", "50000"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("Training"):
                process.send_signal(signal.SIGINT)
                break
        rest = process.stderr.read()
    assert process.returncode == 130
    assert rest.splitlines()[-1].endswith(f"run is incomplete: {HOW_TO_GO_ON}")
    assert _json(tmp_path / "run" / "run.json")["status"] == "incomplete"
    result = CliRunner().invoke(app, ["rank", str(tmp_path / "run")])
    assert (result.exit_code, "--force" in result.stderr) == (2, True)
    _scan(data, tmp_path / "run", "--force")
    assert _json(tmp_path / "run" / "run.json")["status"] == "complete"
    assert [path.name for path in tmp_path.iterdir()] == ["run"]

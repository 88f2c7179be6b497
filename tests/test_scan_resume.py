"""scan --resume: to the same bytes after a kill at any moment, and not where options or data are others."""

from __future__ import annotations

import importlib
import json
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from noiseaudit import checkpoint, keeper
from noiseaudit.checkpoint import State
from noiseaudit.outputs import HOW_TO_GO_ON
from noiseaudit.versions import versions
from noiseaudit_cli.main import app
from tests.test_scan_run_folder import _json, data

__all__ = ["data"]  # fixtures
SAME = ("audit.parquet", "suspects.csv", "cleaned.csv", "embeddings.npy")


@pytest.fixture
def whole(data: Path) -> Path:
    """A run that nothing interrupted, with a self-test and folds."""
    if not (data / "whole").exists():
        assert _scan(data, data / "whole").exit_code == 0
    return data / "whole"


def _words(data: Path, out: Path, *options: object) -> list[str]:
    common = ["--images", data / "images", "--out", out, "--epochs", 4, "--device", "cpu"]
    return [
        str(word) for word in ["scan", data / "noisy.csv", *common, "--self-test", "--folds", 2, *options]
    ]


def _scan(data: Path, out: Path, *options: object) -> Any:
    return CliRunner().invoke(app, _words(data, out, *options))


def _cut(data: Path, out: Path, monkeypatch: pytest.MonkeyPatch, after: int, *options: object) -> None:
    """A scan that Ctrl-C ends after so many checkpoints."""
    count = 0

    def save(path: Path, state: State) -> None:
        nonlocal count
        if count == after:
            raise KeyboardInterrupt
        count += 1
        checkpoint.save_state(path, state)

    with monkeypatch.context() as patch:
        patch.setattr(keeper, "save_state", save)
        result = _scan(data, out, *options)
    assert result.exit_code == 130
    assert result.stderr.splitlines()[-1] == f"interrupted; {out} is incomplete: {HOW_TO_GO_ON}"


def _assert_same(out: Path, whole: Path) -> None:
    for name in SAME:
        assert (out / name).read_bytes() == (whole / name).read_bytes()
    assert sorted(path.name for path in out.iterdir()) == sorted(path.name for path in whole.iterdir())
    for epoch in (whole / "dynamics.parquet").iterdir():
        assert (out / "dynamics.parquet" / epoch.name).read_bytes() == epoch.read_bytes()


@pytest.mark.parametrize("after", [2, 22])
def test_a_scan_goes_on_from_any_stage(
    data: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    """4 epochs each: the training, two folds, and the same for the self-test."""
    _cut(data, tmp_path / "run", monkeypatch, after)
    kept = {path.stem for path in (tmp_path / "run" / "checkpoints").iterdir()}
    assert len(kept) == -(-after // 4)
    result = _scan(data, tmp_path / "run", "--resume")
    assert result.exit_code == 0
    assert "Nothing to resume" not in result.stderr
    assert ("training: goes on after epoch 2/4" in result.stderr) == (after == 2)
    assert ("self-test, fold 1 of 2: was done before" in result.stderr) == (after > 20)
    _assert_same(tmp_path / "run", whole)


def test_a_scan_over_a_finished_run_goes_on_too(
    data: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _scan(data, tmp_path / "run", "--epochs", 1, "--folds", 0).exit_code == 0
    before = (tmp_path / "run" / "audit.parquet").read_bytes()
    _cut(data, tmp_path / "run", monkeypatch, 5, "--force")
    assert (tmp_path / "run" / "audit.parquet").read_bytes() == before
    assert _scan(data, tmp_path / "run", "--force", "--resume").exit_code == 0
    _assert_same(tmp_path / "run", whole)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_finished_run_is_left_alone(data: Path, whole: Path) -> None:
    def content() -> dict[str, tuple[bytes, int]]:
        return {
            path.name: (path.read_bytes(), path.stat().st_mtime_ns)
            for path in whole.glob("*.*")
            if path.is_file()
        }

    before = content()
    result = _scan(data, whole, "--resume", "--workers", 1)
    assert result.exit_code == 0
    assert f"{whole} is finished, with the same options and data: nothing is changed." in result.stderr
    assert "labels look wrong" in result.stdout
    assert content() == before
    assert json.loads(_scan(data, whole, "--resume", "--json").stdout)["counts"]["rows"] == 120


def test_nothing_to_resume_starts_from_the_beginning(data: Path, whole: Path, tmp_path: Path) -> None:
    result = _scan(data, tmp_path / "run", "--resume")
    assert result.exit_code == 0
    first = f"Nothing to resume in {tmp_path / 'run'}: starting from the beginning."
    assert result.stderr.splitlines()[0] == first
    _assert_same(tmp_path / "run", whole)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--seed", 3], "--seed was 0 and is 3 now"),
        (["--method", "umn"], '--method was "umn_plus" and is "umn" now'),
        (["--set", "hidden=16"], '--set was {} and is {"hidden": "16"} now'),
        (["--label-column", "label"], '--label-column was not given and is "label" now'),
        (["--cutoff", "budget=5"], '--cutoff was "auto" and is "budget=5" now'),
    ],
)
def test_other_options_are_named(data: Path, whole: Path, options: list[object], said: str) -> None:
    result = _scan(data, whole, "--resume", *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines() == [
        f"error: {whole}: --resume cannot take this run: {said}. Give what it had, or --force to start again."
    ]


def test_other_versions_are_named(data: Path, whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("noiseaudit.identity.versions", lambda: versions() | {"torch": "1.0"})
    result = _scan(data, whole, "--resume")
    assert result.exit_code == 2
    assert "the version of torch was " in result.stderr
    assert 'and is "1.0" now' in result.stderr


def test_other_data_are_named_and_force_starts_again(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "images").mkdir()
    for image in (data / "images").iterdir():
        (tmp_path / "images" / image.name).write_bytes(image.read_bytes())
    (tmp_path / "noisy.csv").write_bytes((data / "noisy.csv").read_bytes())
    out = tmp_path / "run"
    _cut(tmp_path, out, monkeypatch, 2)
    labels = (tmp_path / "noisy.csv").read_bytes()
    (tmp_path / "noisy.csv").write_bytes(labels + b"\n")
    result = _scan(tmp_path, out, "--resume")
    assert (result.exit_code, "the label file changed" in result.stderr) == (2, True)
    (tmp_path / "noisy.csv").write_bytes(labels)
    (tmp_path / "images" / "0007.png").write_bytes((data / "images" / "0008.png").read_bytes())
    result = _scan(tmp_path, out, "--resume")
    assert (result.exit_code, "images or embeddings changed" in result.stderr) == (2, True)
    assert (out / "checkpoints" / "training.safetensors").exists()
    result = _scan(tmp_path, out, "--resume", "--force", "--folds", 0)
    assert result.exit_code == 0
    assert "Starting again, as --force says" in result.stderr
    assert _json(out / "run.json")["status"] == "complete"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["images", "noisy.csv", "run"]


def test_a_damaged_checkpoint_is_named(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _cut(data, tmp_path / "run", monkeypatch, 2)
    (tmp_path / "run" / "checkpoints" / "training.safetensors").write_bytes(b"half")
    result = _scan(data, tmp_path / "run", "--resume")
    assert result.exit_code == 2
    assert "training.safetensors: is no checkpoint, or a damaged one" in result.stderr


def test_a_full_disk_ends_in_one_line(
    data: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, state: State) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(keeper, "save_state", full)
        result = _scan(data, tmp_path / "run", "--quiet")
    assert (result.exit_code, result.stderr) == (
        1,
        f"error: {tmp_path / 'run'}: No space left on device; {HOW_TO_GO_ON}\n",
    )
    assert _scan(data, tmp_path / "run", "--resume").exit_code == 0
    _assert_same(tmp_path / "run", whole)


@pytest.fixture
def started(data: Path, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A scan of its own that has done an epoch and would take long."""
    words = _words(data, tmp_path / "run", "--epochs", 50_000)
    command = [sys.executable, "-u", "-m", "noiseaudit_cli.main", *words]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        while not process.stderr.readline().startswith("epoch 1/"):
            assert process.poll() is None
        yield process
        process.kill()


def test_sigterm_and_two_writers(data: Path, tmp_path: Path, started: subprocess.Popen[str]) -> None:
    out = tmp_path / "run"
    for option in ("--resume", "--force"):
        result = _scan(data, out, option)
        assert result.exit_code == 2
        assert f"{out}: process {started.pid} on " in result.stderr
        assert " is writing here. Wait for it, stop it, or choose another --out." in result.stderr
    started.send_signal(signal.SIGTERM)
    assert started.stderr is not None
    assert started.stderr.read().splitlines()[-1] == f"terminated; {out} is incomplete: {HOW_TO_GO_ON}"
    assert started.wait() == 143
    assert [path.name for path in (out / "checkpoints").iterdir()] == ["training.safetensors"]
    assert _json(out / "run.json")["status"] == "incomplete"


def test_the_lock_of_a_killed_scan_is_taken_over(
    data: Path, whole: Path, tmp_path: Path, started: subprocess.Popen[str]
) -> None:
    started.kill()
    started.wait()
    assert (tmp_path / "run" / ".noiseaudit.lock").exists()
    assert _scan(data, tmp_path / "run", "--force").exit_code == 0
    _assert_same(tmp_path / "run", whole)


@pytest.mark.slow
def test_killed_at_any_moment(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of the scans of benchmarks/survive.py, which has run fifty."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent.parent / "benchmarks"))
    survive: Any = importlib.import_module("survive")
    survive.write_data(tmp_path)
    (tmp_path / "work").mkdir()
    line = survive.survive("vectors, folds", 0, tmp_path, tmp_path / "work", 2, random.Random(1))
    assert line["kills"]
    assert (line["different"], line["left_over"]) == ([], [])

"""scan in two processes, as torchrun and accelerate start it, from the command line."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from noiseaudit.choose import Choice
from noiseaudit.config import AuditConfig, UMNConfig
from noiseaudit.data.batches import BatchPlan
from noiseaudit.demo import write_digits
from noiseaudit.errors import ConfigError
from noiseaudit.plan import Plan
from noiseaudit.result import read_audit
from noiseaudit.scan_together import check_plan
from noiseaudit_cli.main import app
from tests.scoring import read_dynamics

TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")

PLAN = Plan(
    AuditConfig(),
    torch.device("cpu"),
    Choice("mlp", ""),
    UMNConfig(),
    BatchPlan(12, 4, 5),
    3,
    1,
    0,
    16,
    None,
    (),
)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("accelerate") is None, reason="the extra `distributed` is not installed"
    ),
]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """160 digits, 30 of them unlabelled and one missing, and a scan of them by one process."""
    folder = tmp_path_factory.mktemp("digits")
    write_digits(folder, limit=160)
    lines = (folder / "labels.csv").read_text().splitlines()
    unlabelled = [line.split(",")[0] + "," for line in lines[-30:]]
    (folder / "labels.csv").write_text("\n".join([*lines[:-30], *unlabelled, "absent.png,1"]) + "\n")
    assert CliRunner().invoke(app, words(folder, "alone")).exit_code == 0
    return folder


def words(data: Path, out: str, *options: str) -> list[str]:
    paths = ["scan", str(data / "labels.csv"), "--images", str(data / "images"), "--out", str(data / out)]
    return [*paths, "--epochs", "4", "--batch-size", "32", "--device", "cpu", *options]


def launched(arguments: list[str]) -> subprocess.Popen[str]:
    """Two processes of torchrun at work."""
    root = Path(__file__).resolve().parent.parent
    path = os.pathsep.join(str(folder) for folder in (root, root / "cli", root / "reports"))
    command = [sys.executable, *TORCHRUN, "-m", "noiseaudit_cli.main", *arguments]
    environment = os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment)


def start(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    """What two processes of torchrun say."""
    with launched(arguments) as process:
        try:
            output, errors = process.communicate(timeout=240)
        except subprocess.TimeoutExpired:
            process.terminate()  # torchrun ends its processes then
            raise
    return subprocess.CompletedProcess(process.args, process.returncode, output, errors)


def end_after_an_epoch(arguments: list[str], run: Path) -> None:
    """Start two processes and end them, as their launcher does, once there is a checkpoint."""
    with launched(arguments) as process:
        until = time.monotonic() + 240
        while not [*run.rglob("*.safetensors")] and time.monotonic() < until:
            time.sleep(0.01)
        process.terminate()
        process.communicate()


def test_two_processes_write_what_one_writes(data: Path) -> None:
    """One row for each sample, one set of lines, and numbers alike up to the order of sums."""
    result = start(words(data, "two"))
    assert result.returncode == 0, result.stderr
    assert result.stderr.count("Read 161 rows") == result.stdout.count("labels look wrong") == 1
    alone, two = read_audit(data / "alone"), read_audit(data / "two")
    assert two.column("sample_id").tolist() == alone.column("sample_id").tolist()
    assert two.column("status").tolist() == alone.column("status").tolist()
    assert two.meta.config["chosen"]["processes"] == 2
    assert two.meta.data_fingerprint == alone.meta.data_fingerprint
    assert two.column("p_given") == pytest.approx(alone.column("p_given"), rel=0.02, abs=1e-3, nan_ok=True)
    assert two.column("p_mislabeled") == pytest.approx(
        alone.column("p_mislabeled"), rel=0.05, abs=0.01, nan_ok=True
    )
    dynamics = [read_dynamics(data / name / "dynamics.parquet").to_pandas() for name in ("alone", "two")]
    assert dynamics[0][["sample_id", "epoch"]].equals(dynamics[1][["sample_id", "epoch"]])
    alone_first, two_first = (dynamic[dynamic.epoch == 1].p_given_learner for dynamic in dynamics)
    np.testing.assert_allclose(two_first, alone_first, rtol=1e-3, atol=1e-5)
    assert {path.name for path in (data / "two").iterdir()} == {
        path.name for path in (data / "alone").iterdir()
    }
    losses = json.loads((data / "two" / "run.json").read_text("utf-8"))
    assert losses["counts"]["checked"] == 130


def test_a_scan_of_two_processes_goes_on_from_the_first_ones_checkpoints(data: Path) -> None:
    """Ended after its first epoch, it ends in the bytes of one that was not; finished, it changes nothing."""
    longer = ("--epochs", "60")  # there is time to end it
    whole = start(words(data, "whole", *longer))
    assert whole.returncode == 0, whole.stderr
    end_after_an_epoch(words(data, "cut", *longer), data / "cut")
    for said in ("goes on after epoch", "nothing is changed"):
        result = start(words(data, "cut", *longer, "--resume"))
        assert result.returncode == 0, result.stderr
        assert said in " ".join(result.stderr.split())
        audits = [(data / name / "audit.parquet").read_bytes() for name in ("whole", "cut")]
        assert audits[0] == audits[1]


def test_what_cannot_be_shared_is_said_once(data: Path) -> None:
    result = start(words(data, "refused", "--method", "mean_teacher"))
    lines = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert result.returncode != 0
    assert len(lines) == 1
    assert "--method mean_teacher cannot be trained by several processes" in lines[0]
    assert not (data / "refused").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"backbone": Choice("conv13", "")}, "--backbone conv13 cannot be trained by several processes"),
        ({"batches": BatchPlan(12, 3, 5)}, "batches of 15 rows are too small for 2 processes"),
        ({"config": AuditConfig(method="mentornet", noise_rate=0.2)}, "Choose umn or umn_plus"),
    ],
)
def test_plans_that_cannot_be_shared_are_refused(change: dict[str, Any], message: str) -> None:
    plan = dataclasses.replace(PLAN, **change)
    with pytest.raises(ConfigError) as caught:
        check_plan(plan, 2)
    assert message in str(caught.value)


def test_a_plan_that_can_be_shared_is_not() -> None:
    check_plan(PLAN, 2)
    with pytest.raises(ConfigError, match="too small for 3"):
        check_plan(PLAN, 3)


def test_an_error_of_the_first_alone_ends_all(data: Path) -> None:
    result = start(words(data, "alone"))
    lines = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert result.returncode != 0
    assert lines == [
        f"error: {data / 'alone'}: the output folder exists. Give --force to replace it, or choose another --out."
    ]

"""A run folder that is gone on from: what it keeps, what it refuses, and what it says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from noiseaudit.errors import CutOff, Damaged, DataError, OtherRun, OutputError, TrainingDiverged
from noiseaudit.outputs import HOW_TO_GO_ON
from noiseaudit.runfolder import RunFolder
from noiseaudit.runjson import write_run_json
from noiseaudit.runnames import LOCK_FILE
from tests.runs import cut_off, failing, finished, interrupted, with_data


def test_a_resumed_run_finds_its_checkpoints_and_nothing_half_written(tmp_path: Path) -> None:
    interrupted(tmp_path / "run")
    halves = [
        "run.json.1.tmp",
        "checkpoints/.training.2.tmp",
        ".noiseaudit-cache-3/x",
        ".noiseaudit-probe-4/x",
    ]
    halves[0] = "." + halves[0]
    for half in (tmp_path / "run" / name for name in halves):
        half.parent.mkdir(exist_ok=True)
        half.touch()
    (tmp_path / "run" / "notes.txt").write_text("a person's own")
    with RunFolder(tmp_path / "run", resume=True) as run:
        assert run.before is not None
        assert not run.is_finished
        assert run.start() == tmp_path / "run"
        assert [path.name for path in run.checkpoints.iterdir()] == ["training"]
        run.finish({})
    assert (tmp_path / "run" / "notes.txt").read_text() == "a person's own"
    left = {path.name for path in (tmp_path / "run").iterdir()}
    assert left == {"audit.parquet", "notes.txt", "run.json"}


def test_nothing_to_resume(tmp_path: Path) -> None:
    with RunFolder(tmp_path / "run", resume=True) as run:
        assert run.before is None
        run.start()
        run.finish({})
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["run.json"]


@pytest.mark.parametrize(
    "left",
    [[LOCK_FILE], [LOCK_FILE, ".run.json.abc.tmp"], [".noiseaudit-cache-abc"], [".noiseaudit-probe-abc"]],
)
@pytest.mark.parametrize("options", [{}, {"resume": True}, {"force": True}])
def test_what_a_scan_leaves_that_is_killed_at_once_is_no_run(
    tmp_path: Path, left: list[str], options: dict[str, Any]
) -> None:
    (tmp_path / "run").mkdir()
    for name in left:
        (tmp_path / "run" / name).write_text("")
    finished(tmp_path / "run", **options)
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["audit.parquet", "run.json"]


def test_a_finished_run_is_not_touched(tmp_path: Path) -> None:
    with RunFolder(tmp_path / "run") as run:
        run.same_as({"--seed": 1})
        run.start()
        run.finish({"note": "first"})
    before = (tmp_path / "run" / "run.json").read_bytes()
    with RunFolder(tmp_path / "run", resume=True) as run:
        assert run.is_finished
        run.same_as({"--seed": 1})
        assert run.before is not None
        assert run.before["note"] == "first"
    with pytest.raises(OtherRun, match="--seed was 1 and is 2 now"), RunFolder(run.out, resume=True) as run:
        run.same_as({"--seed": 2})
    assert (tmp_path / "run" / "run.json").read_bytes() == before


def test_another_run_is_not_gone_on_from_and_not_lost(tmp_path: Path) -> None:
    interrupted(tmp_path / "run", {"--seed": 1, "--epochs": None})
    with pytest.raises(OtherRun) as caught, RunFolder(tmp_path / "run", resume=True) as run:
        run.same_as({"--seed": 1, "--epochs": 5})
    assert f"{caught.value}" == (
        f"{tmp_path / 'run'}: --resume cannot take this run: --epochs was not given and is 5 now. "
        "Give what it had, or --force to start again."
    )
    assert (tmp_path / "run" / "checkpoints" / "training").read_text() == "epoch 3"


def test_a_replacement_that_was_cut_off_does_not_hide_the_finished_run(tmp_path: Path) -> None:
    finished(tmp_path / "run", seed=1)
    with pytest.raises(KeyboardInterrupt):
        failing(tmp_path / "run", KeyboardInterrupt(), seed=2, force=True)
    for seed, is_finished in ((1, True), (2, False)):
        with RunFolder(tmp_path / "run", resume=True) as run:
            run.same_as({"--seed": seed})
            assert (run.before is not None, run.is_finished) == (True, is_finished)
    with (
        pytest.raises(OtherRun, match="--seed was 2 and is 3"),
        RunFolder(tmp_path / "run", resume=True) as run,
    ):
        run.same_as({"--seed": 3})
    assert (tmp_path / "run" / "audit.parquet").read_text() == "first"


def test_a_damaged_checkpoint_is_not_said_to_be_gone_on_from(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        failing(tmp_path / "run", KeyboardInterrupt())
    with pytest.raises(Damaged) as caught:
        failing(tmp_path / "run", Damaged("no checkpoint"), resume=True)
    assert not hasattr(caught.value, "__notes__")
    assert (tmp_path / "run").exists()


def test_what_was_known_of_a_run_is_not_forgotten_when_it_is_cut_off_again(tmp_path: Path) -> None:
    interrupted(tmp_path / "run", {"--seed": 1, "data": "sha256:1"})
    interrupted(tmp_path / "run", {"--seed": 1}, resume=True)  # before it read the data
    with pytest.raises(OtherRun, match="images or embeddings changed"):
        with_data(tmp_path / "run", {"--seed": 1}, {"data": "sha256:2"})
    assert (tmp_path / "run" / "checkpoints" / "training").exists()


def test_a_run_of_a_version_without_checkpoints_is_named(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    write_run_json(tmp_path / "run", {"status": "incomplete"})
    with pytest.raises(OtherRun, match="older noiseaudit"), RunFolder(tmp_path / "run", resume=True) as run:
        run.same_as({"--seed": 1})


@pytest.mark.parametrize(
    "error",
    [OSError(28, "No space left on device"), OutputError("cannot write here (No space left on device)")],
)
def test_a_full_disk_leaves_a_run_that_can_be_gone_on_from(tmp_path: Path, error: Exception) -> None:
    message = r"No space left on device.*; the same command with --resume goes on"
    with pytest.raises(CutOff, match=message) as caught:
        cut_off(tmp_path / "run", error, {})
    assert (caught.value.exit_code, len(f"{caught.value}".splitlines())) == (1, 1)
    with RunFolder(tmp_path / "run", resume=True) as run:
        assert (run.start() / "checkpoints" / "training").exists()
        run.finish({})


def test_wrong_input_costs_a_resumed_run_nothing(tmp_path: Path) -> None:
    interrupted(tmp_path / "run")
    with pytest.raises(DataError) as caught, RunFolder(tmp_path / "run", resume=True):
        raise DataError("no such file")
    assert caught.value.__notes__ == [f"{tmp_path / 'run'} is incomplete: {HOW_TO_GO_ON}"]
    with pytest.raises(DataError):
        failing(tmp_path / "run", DataError("unreadable"), resume=True)
    assert (tmp_path / "run" / "checkpoints" / "training").exists()


def test_a_training_that_diverges_would_again(tmp_path: Path) -> None:
    interrupted(tmp_path / "run")
    with pytest.raises(TrainingDiverged):
        failing(tmp_path / "run", TrainingDiverged("NaN"), resume=True)
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_run_says_what_to_give(tmp_path: Path) -> None:
    interrupted(tmp_path / "run")
    with (
        pytest.raises(OutputError, match="--resume to go on with it, or --force"),
        RunFolder(tmp_path / "run"),
    ):
        pytest.fail("entered")

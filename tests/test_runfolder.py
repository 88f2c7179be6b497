"""The run folder's life: incomplete, complete, replaced, interrupted."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from noiseaudit.errors import CutOff, Damaged, DataError, OtherRun, OutputError, TrainingDiverged
from noiseaudit.lock import RunLock
from noiseaudit.outputs import HOW_TO_GO_ON, LOCK_FILE
from noiseaudit.runfolder import RunFolder
from noiseaudit.runjson import read_run_json, write_run_json


def _finished(out: Path, note: str = "first", seed: int | None = None, **options: Any) -> None:
    with RunFolder(out, **options) as run:
        if seed is not None:
            run.same_as({"--seed": seed})
        (run.start() / "audit.parquet").write_text(note)
        run.finish({"note": note})


def _failing(out: Path, error: BaseException, seed: int | None = None, **options: Any) -> None:
    with RunFolder(out, **options) as run:
        if seed is not None:
            run.same_as({"--seed": seed})
        (run.start() / "audit.parquet").write_text("half")
        (run.path / "dynamics.parquet").mkdir(exist_ok=True)
        raise error


def test_entering_creates_nothing(tmp_path: Path) -> None:
    with RunFolder(tmp_path / "run"):
        assert list(tmp_path.iterdir()) == []


def test_a_started_run_says_it_is_incomplete(tmp_path: Path) -> None:
    with RunFolder(tmp_path / "run") as run:
        assert run.start() == run.start() == tmp_path / "run"
        saved = json.loads((tmp_path / "run" / "run.json").read_text())
        assert saved["status"] == "incomplete"
        assert saved["fix"] == HOW_TO_GO_ON
        assert saved["host"]
        assert saved["pid"] == os.getpid()
        run.finish({})


def test_a_finished_run_has_times_and_what_it_was_given(tmp_path: Path) -> None:
    _finished(tmp_path / "a" / "run")
    saved = read_run_json(tmp_path / "a" / "run")
    assert saved is not None
    assert (saved["status"], saved["note"]) == ("complete", "first")
    assert saved["started"] <= saved["finished"]
    assert saved["seconds"] >= 0
    assert not {"fix", "pid"} & saved.keys()
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["run"]
    assert sorted(path.name for path in (tmp_path / "a" / "run").iterdir()) == ["audit.parquet", "run.json"]


def test_an_error_leaves_no_folder_and_no_new_parent(tmp_path: Path) -> None:
    with pytest.raises(DataError):
        _failing(tmp_path / "a" / "b" / "run", DataError("too bad"))
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_leaves_the_incomplete_folder(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt) as caught:
        _failing(tmp_path / "run", KeyboardInterrupt())
    assert caught.value.__notes__ == [f"{tmp_path / 'run'} is incomplete: {HOW_TO_GO_ON}"]
    saved = read_run_json(tmp_path / "run")
    assert saved is not None
    assert saved["status"] == "incomplete"


def test_an_empty_folder_is_used(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    _finished(tmp_path / "run")
    assert (tmp_path / "run" / "audit.parquet").read_text() == "first"


def test_force_replaces_a_run_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    _finished(tmp_path / "run")
    (tmp_path / "run" / "old.txt").write_text("old")
    _finished(tmp_path / "run", "second", force=True)
    assert (tmp_path / "run" / "audit.parquet").read_text() == "second"
    assert not (tmp_path / "run" / "old.txt").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_forced_run_that_fails_keeps_the_old_one(tmp_path: Path) -> None:
    _finished(tmp_path / "run")
    with pytest.raises(DataError):
        _failing(tmp_path / "run", DataError("too bad"), force=True)
    assert (tmp_path / "run" / "audit.parquet").read_text() == "first"
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize("again", [{"resume": True}, {"force": True}, {"force": True, "resume": True}])
def test_a_forced_run_that_is_interrupted_keeps_the_old_one_and_can_be_gone_on_from(
    tmp_path: Path, again: dict[str, Any]
) -> None:
    _finished(tmp_path / "run")
    with pytest.raises(KeyboardInterrupt):
        _failing(tmp_path / "run", KeyboardInterrupt(), force=True)
    assert (tmp_path / "run" / "audit.parquet").read_text() == "first"
    with RunFolder(tmp_path / "run", **again) as run:
        assert (run.before is not None) == ("resume" in again)
        assert ((run.start() / "dynamics.parquet").exists()) == ("resume" in again)
        assert not (run.path / "audit.parquet").exists()
        (run.path / "audit.parquet").write_text("second")
        run.finish({})
    assert (tmp_path / "run" / "audit.parquet").read_text() == "second"
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_swap_that_fails_puts_the_old_run_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _finished(tmp_path / "run")
    rename = os.rename

    def refuse_new(source: Path, target: Path) -> None:
        if source.name.endswith("-new"):
            raise PermissionError(13, "Permission denied")
        rename(source, target)

    monkeypatch.setattr(os, "rename", refuse_new)
    with pytest.raises(OutputError, match="Permission denied"):
        _finished(tmp_path / "run", "second", force=True)
    assert (tmp_path / "run" / "audit.parquet").read_text() == "first"
    monkeypatch.undo()
    with pytest.raises(OutputError, match="--force"), RunFolder(tmp_path / "run"):
        pytest.fail("entered")
    assert (tmp_path / "run" / "audit.parquet").read_text() == "second"  # whole, so it is moved the next time
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_link_to_a_run_is_followed_not_replaced(tmp_path: Path) -> None:
    _finished(tmp_path / "run")
    (tmp_path / "latest").symlink_to(tmp_path / "run")
    _finished(tmp_path / "latest", "second", force=True)
    assert (tmp_path / "latest").is_symlink()
    assert (tmp_path / "run" / "audit.parquet").read_text() == "second"


def test_an_existing_run_needs_force(tmp_path: Path) -> None:
    _finished(tmp_path / "run")
    with pytest.raises(OutputError, match="--force"), RunFolder(tmp_path / "run"):
        pytest.fail("entered")


def test_run_json_round_trip(tmp_path: Path) -> None:
    write_run_json(tmp_path, {"paths": {"data": tmp_path}, "label": "é\n"})
    assert read_run_json(tmp_path) == {"paths": {"data": str(tmp_path)}, "label": "é\n"}


def test_no_run_json_is_none(tmp_path: Path) -> None:
    assert read_run_json(tmp_path) is None


@pytest.mark.parametrize("text", ["{", "[]", "\xff"])
def test_a_damaged_run_json_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(DataError, match=r"run\.json"):
        read_run_json(tmp_path)


def test_an_error_keeps_an_empty_folder_that_was_there(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with pytest.raises(DataError):
        _failing(tmp_path / "run", DataError("too bad"))
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    assert list((tmp_path / "run").iterdir()) == []


def _interrupted(out: Path, facts: dict[str, Any] | None = None, **options: Any) -> None:
    """A run with a checkpoint and half a file that Ctrl-C ended."""
    with pytest.raises(KeyboardInterrupt):
        _cut_off(out, KeyboardInterrupt(), facts or {}, **options)


def _cut_off(out: Path, error: BaseException, facts: dict[str, Any], **options: Any) -> None:
    with RunFolder(out, **options) as run:
        run.same_as(facts)
        run.start()
        (run.checkpoints / "training").write_text("epoch 3")
        (run.checkpoints / ".training.x.tmp").write_text("half")
        (run.path / "audit.parquet").write_text("half")
        raise error


def _with_data(out: Path, asked: dict[str, Any], found: dict[str, Any]) -> None:
    with RunFolder(out, resume=True) as run:
        run.same_as(asked)
        run.start()
        run.same_as(found)


def test_a_resumed_run_finds_its_checkpoints_and_nothing_half_written(tmp_path: Path) -> None:
    _interrupted(tmp_path / "run")
    with RunFolder(tmp_path / "run", resume=True) as run:
        assert run.before is not None
        assert not run.is_finished
        assert run.start() == tmp_path / "run"
        assert [path.name for path in run.checkpoints.iterdir()] == ["training"]
        assert not (run.path / "audit.parquet").exists()
        run.finish({})
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["run.json"]


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
    _finished(tmp_path / "run", **options)
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
    _interrupted(tmp_path / "run", {"--seed": 1, "--epochs": None})
    with pytest.raises(OtherRun) as caught, RunFolder(tmp_path / "run", resume=True) as run:
        run.same_as({"--seed": 1, "--epochs": 5})
    assert f"{caught.value}" == (
        f"{tmp_path / 'run'}: --resume cannot take this run: --epochs was not given and is 5 now. "
        "Give what it had, or --force to start again."
    )
    assert (tmp_path / "run" / "checkpoints" / "training").read_text() == "epoch 3"


def test_a_replacement_that_was_cut_off_does_not_hide_the_finished_run(tmp_path: Path) -> None:
    _finished(tmp_path / "run", seed=1)
    with pytest.raises(KeyboardInterrupt):
        _failing(tmp_path / "run", KeyboardInterrupt(), seed=2, force=True)
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
        _failing(tmp_path / "run", KeyboardInterrupt())
    with pytest.raises(Damaged) as caught:
        _failing(tmp_path / "run", Damaged("no checkpoint"), resume=True)
    assert not hasattr(caught.value, "__notes__")
    assert (tmp_path / "run").exists()


def test_a_run_is_locked_until_it_stands_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process that looks in the middle of the swap must not swap, too."""
    _finished(tmp_path / "run")
    rename, said = os.rename, []

    def look(source: Path, target: Path) -> None:
        if source.name.endswith("-new"):
            with pytest.raises(OutputError, match="is writing here") as caught:
                RunLock(source)
            said.append(str(caught.value))
        rename(source, target)

    monkeypatch.setattr(os, "rename", look)
    _finished(tmp_path / "run", "second", force=True)
    assert len(said) == 1
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["audit.parquet", "run.json"]


def test_what_was_known_of_a_run_is_not_forgotten_when_it_is_cut_off_again(tmp_path: Path) -> None:
    _interrupted(tmp_path / "run", {"--seed": 1, "data": "sha256:1"})
    _interrupted(tmp_path / "run", {"--seed": 1}, resume=True)  # before it read the data
    with pytest.raises(OtherRun, match="images or embeddings changed"):
        _with_data(tmp_path / "run", {"--seed": 1}, {"data": "sha256:2"})
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
        _cut_off(tmp_path / "run", error, {})
    assert (caught.value.exit_code, len(f"{caught.value}".splitlines())) == (1, 1)
    with RunFolder(tmp_path / "run", resume=True) as run:
        assert (run.start() / "checkpoints" / "training").exists()
        run.finish({})


def test_wrong_input_costs_a_resumed_run_nothing(tmp_path: Path) -> None:
    _interrupted(tmp_path / "run")
    with pytest.raises(DataError) as caught, RunFolder(tmp_path / "run", resume=True):
        raise DataError("no such file")
    assert caught.value.__notes__ == [f"{tmp_path / 'run'} is incomplete: {HOW_TO_GO_ON}"]
    with pytest.raises(DataError):
        _failing(tmp_path / "run", DataError("unreadable"), resume=True)
    assert (tmp_path / "run" / "checkpoints" / "training").exists()


def test_a_training_that_diverges_would_again(tmp_path: Path) -> None:
    _interrupted(tmp_path / "run")
    with pytest.raises(TrainingDiverged):
        _failing(tmp_path / "run", TrainingDiverged("NaN"), resume=True)
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_run_says_what_to_give(tmp_path: Path) -> None:
    _interrupted(tmp_path / "run")
    with (
        pytest.raises(OutputError, match="--resume to go on with it, or --force"),
        RunFolder(tmp_path / "run"),
    ):
        pytest.fail("entered")


@pytest.mark.parametrize("options", [{"force": True}, {"resume": True}])
def test_inputs_inside_an_interrupted_run_are_not_deleted(tmp_path: Path, options: dict[str, Any]) -> None:
    _interrupted(tmp_path / "run")
    (tmp_path / "run" / "labels.csv").write_text("label")
    with (
        pytest.raises(OutputError, match=r"would delete the input .*labels\.csv"),
        RunFolder(tmp_path / "run", inputs=[tmp_path / "run" / "labels.csv"], **options),
    ):
        pytest.fail("entered")


def test_an_interrupted_run_that_force_replaces_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    _interrupted(tmp_path / "run")
    with pytest.raises(DataError):
        _failing(tmp_path / "run", DataError("too bad"), force=True)
    assert (tmp_path / "run" / "checkpoints" / "training").exists()
    _finished(tmp_path / "run", "second", force=True)
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["audit.parquet", "run.json"]


@pytest.mark.parametrize("options", [{}, {"resume": True}, {"force": True}])
def test_a_folder_has_one_writer(tmp_path: Path, options: dict[str, Any]) -> None:
    """The lock is held by a live process, this one."""
    with RunFolder(tmp_path / "run") as first, RunFolder(tmp_path / "run") as early:
        first.start()
        with pytest.raises(OutputError, match=f"process {os.getpid()} on .* is writing here"):
            early.start()
        with pytest.raises(OutputError, match="is writing here" if options else "is at work"):
            RunFolder(tmp_path / "run", **options).__enter__()
        (first.path / "audit.parquet").write_text("first")
        first.finish({})
        with pytest.raises(OutputError, match="exists"):
            early.start()  # it saw an empty place, long ago
    assert (tmp_path / "run" / "audit.parquet").read_text() == "first"


def test_a_forced_run_has_one_writer(tmp_path: Path) -> None:
    _finished(tmp_path / "run")
    with RunFolder(tmp_path / "run", force=True) as first, RunFolder(tmp_path / "run", force=True) as second:
        first.start()
        with pytest.raises(OutputError, match="is writing here"):
            second.start()
        first.finish({})
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize("moved", [0, 1, 2])
def test_a_swap_that_was_cut_off_is_finished_the_next_time(tmp_path: Path, moved: int) -> None:
    """After the new run is whole; after the old one is moved away; after the new one is in its place."""
    _finished(tmp_path / "run")
    _finished(tmp_path / "other", "second")
    new, old = tmp_path / ".run.noiseaudit-new", tmp_path / ".run.noiseaudit-old"
    os.rename(tmp_path / "other", new)
    if moved > 0:
        os.rename(tmp_path / "run", old)
    if moved > 1:
        os.rename(new, tmp_path / "run")
    with RunFolder(tmp_path / "run", resume=True) as run:
        assert run.is_finished
    assert (tmp_path / "run" / "audit.parquet").read_text() == "second"
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_an_old_run_without_a_new_one_is_put_back(tmp_path: Path) -> None:
    _finished(tmp_path / ".run.noiseaudit-old")
    with pytest.raises(OutputError, match="exists"), RunFolder(tmp_path / "run"):
        pytest.fail("entered")
    assert (tmp_path / "run" / "audit.parquet").read_text() == "first"


def test_a_run_that_was_killed_while_it_tidied_up_is_finished_and_tidied(tmp_path: Path) -> None:
    _finished(tmp_path / "run")
    (tmp_path / "run" / "checkpoints").mkdir()
    (tmp_path / "run" / LOCK_FILE).touch()
    with RunFolder(tmp_path / "run", resume=True) as run:
        assert run.is_finished
        run.tidy()
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["audit.parquet", "run.json"]


@pytest.mark.parametrize("force", [False, True])
def test_what_is_no_run_is_never_replaced_by_one_that_was_left_beside_it(tmp_path: Path, force: bool) -> None:
    """A swap was cut off, and somebody has made a folder of that name since."""
    _finished(tmp_path / ".run.noiseaudit-new")
    (tmp_path / ".run.noiseaudit-old").mkdir()
    for folder in ("run", ".run.noiseaudit-old"):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / "thesis.txt").write_text("three years")
    with (
        pytest.raises(OutputError, match=r"not a noiseaudit run. Move the finished run, .*noiseaudit-new"),
        RunFolder(tmp_path / "run", force=force),
    ):
        pytest.fail("entered")
    for folder in ("run", ".run.noiseaudit-old"):
        assert (tmp_path / folder / "thesis.txt").read_text() == "three years"
    assert (tmp_path / ".run.noiseaudit-new" / "audit.parquet").read_text() == "first"


def test_a_run_that_cannot_take_its_place_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(old: Path, new: Path) -> None:
        raise OSError(16, "Device or resource busy")

    _finished(tmp_path / "run")
    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", busy)
        with pytest.raises(OutputError, match=r"busy\). Move the finished run, .*noiseaudit-new"):
            _finished(tmp_path / "run", "second", force=True)
    assert (tmp_path / ".run.noiseaudit-new" / "audit.parquet").read_text() == "second"
    assert (tmp_path / "run" / "audit.parquet").read_text() == "first"


def test_a_run_that_is_no_scan_is_not_gone_on_from(tmp_path: Path) -> None:
    """`score` says nothing of what made it."""
    _finished(tmp_path / "scored")
    with pytest.raises(OtherRun, match="another command"), RunFolder(tmp_path / "scored", resume=True) as run:
        run.same_as({"--seed": 1})


def test_a_folder_of_the_users_is_content_whatever_it_is_called(tmp_path: Path) -> None:
    (tmp_path / "run" / ".noiseaudit-features").mkdir(parents=True)
    with pytest.raises(OutputError, match="not a noiseaudit run"), RunFolder(tmp_path / "run"):
        pytest.fail("entered")
    assert (tmp_path / "run" / ".noiseaudit-features").exists()

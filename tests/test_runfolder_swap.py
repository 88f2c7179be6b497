"""One writer to a run folder, and the swap that puts a new run in an old one's place."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from noiseaudit import lock
from noiseaudit.errors import DataError, OtherRun, OutputError
from noiseaudit.lock import RunLock
from noiseaudit.runfolder import RunFolder
from noiseaudit.runjson import read_run_json, write_run_json
from noiseaudit.runnames import LOCK_FILE
from noiseaudit.swap import settle
from tests.runs import failing, finished, interrupted, to_replace


@pytest.mark.parametrize("options", [{"force": True}, {"resume": True}])
def test_inputs_inside_an_interrupted_run_are_not_deleted(tmp_path: Path, options: dict[str, Any]) -> None:
    interrupted(tmp_path / "run")
    (tmp_path / "run" / "labels.csv").write_text("label")
    with (
        pytest.raises(OutputError, match=r"would delete the input .*labels\.csv"),
        RunFolder(tmp_path / "run", inputs=[tmp_path / "run" / "labels.csv"], **options),
    ):
        pytest.fail("entered")


def test_an_interrupted_run_that_force_replaces_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    interrupted(tmp_path / "run")
    with pytest.raises(DataError):
        failing(tmp_path / "run", DataError("too bad"), force=True)
    assert (tmp_path / "run" / "checkpoints" / "training").exists()
    finished(tmp_path / "run", "second", force=True)
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
    finished(tmp_path / "run")
    with RunFolder(tmp_path / "run", force=True) as first, RunFolder(tmp_path / "run", force=True) as second:
        first.start()
        with pytest.raises(OutputError, match="is writing here"):
            second.start()
        first.finish({})
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize("moved", [0, 1, 2])
def test_a_swap_that_was_cut_off_is_finished_the_next_time(tmp_path: Path, moved: int) -> None:
    """After the new run is whole; after the old one is moved away; after the new one is in its place."""
    finished(tmp_path / "run")
    finished(tmp_path / "other", "second")
    to_replace(tmp_path / "other", tmp_path / "run")
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
    finished(tmp_path / ".run.noiseaudit-old")
    with pytest.raises(OutputError, match="exists"), RunFolder(tmp_path / "run"):
        pytest.fail("entered")
    assert (tmp_path / "run" / "audit.parquet").read_text() == "first"


def test_a_run_that_was_killed_while_it_tidied_up_is_finished_and_tidied(tmp_path: Path) -> None:
    finished(tmp_path / "run")
    (tmp_path / "run" / "checkpoints").mkdir()
    (tmp_path / "run" / LOCK_FILE).touch()
    with RunFolder(tmp_path / "run", resume=True) as run:
        assert run.is_finished
        run.tidy()
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["audit.parquet", "run.json"]


@pytest.mark.parametrize("force", [False, True])
def test_what_is_no_run_is_never_replaced_by_one_that_was_left_beside_it(tmp_path: Path, force: bool) -> None:
    """A swap was cut off, and somebody has made a folder of that name since."""
    finished(tmp_path / ".run.noiseaudit-new")
    (tmp_path / ".run.noiseaudit-old").mkdir()
    for folder in ("run", ".run.noiseaudit-old"):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / "thesis.txt").write_text("three years")
    with (
        pytest.raises(OutputError, match=r"not the run that was .* Move the finished run, .*noiseaudit-new"),
        RunFolder(tmp_path / "run", force=force),
    ):
        pytest.fail("entered")
    for folder in ("run", ".run.noiseaudit-old"):
        assert (tmp_path / folder / "thesis.txt").read_text() == "three years"
    assert (tmp_path / ".run.noiseaudit-new" / "audit.parquet").read_text() == "first"


def test_a_run_that_cannot_take_its_place_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(old: Path, new: Path) -> None:
        raise OSError(16, "Device or resource busy")

    finished(tmp_path / "run")
    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", busy)
        with pytest.raises(OutputError, match=r"busy\). Move the finished run, .*noiseaudit-new"):
            finished(tmp_path / "run", "second", force=True)
    assert (tmp_path / ".run.noiseaudit-new" / "audit.parquet").read_text() == "second"
    assert (tmp_path / "run" / "audit.parquet").read_text() == "first"


def test_a_run_that_is_no_scan_is_not_gone_on_from(tmp_path: Path) -> None:
    """`score` says nothing of what made it."""
    finished(tmp_path / "scored")
    with pytest.raises(OtherRun, match="another command"), RunFolder(tmp_path / "scored", resume=True) as run:
        run.same_as({"--seed": 1})


def test_a_folder_of_the_users_is_content_whatever_it_is_called(tmp_path: Path) -> None:
    (tmp_path / "run" / ".noiseaudit-features").mkdir(parents=True)
    with pytest.raises(OutputError, match="not a noiseaudit run"), RunFolder(tmp_path / "run"):
        pytest.fail("entered")
    assert (tmp_path / "run" / ".noiseaudit-features").exists()


def test_a_run_is_locked_until_it_stands_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process that looks in the middle of the swap must not swap, too."""
    finished(tmp_path / "run")
    rename, said = os.rename, []

    def look(source: Path, target: Path) -> None:
        if source.name.endswith("-new"):
            with pytest.raises(OutputError, match="is writing here") as caught:
                RunLock(source)
            said.append(str(caught.value))
        rename(source, target)

    monkeypatch.setattr(os, "rename", look)
    finished(tmp_path / "run", "second", force=True)
    assert len(said) == 1
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["audit.parquet", "run.json"]


@pytest.mark.parametrize("is_whole", [False, True])
def test_a_run_left_over_takes_the_place_of_the_one_it_was_begun_to_replace_alone(
    tmp_path: Path, is_whole: bool
) -> None:
    """--force was cut off, the old run was put elsewhere, and another was made since."""
    out, new = tmp_path / "run", tmp_path / ".run.noiseaudit-new"
    finished(out, seed=1)
    with pytest.raises(KeyboardInterrupt):
        failing(out, KeyboardInterrupt(), seed=2, force=True)
    out.rename(tmp_path / "kept")
    out.mkdir()  # as empty as if it was not there
    with RunFolder(out) as run:
        run.same_as({"--seed": 3})
        (run.start() / "audit.parquet").write_text("third")
        run.finish({})
    if is_whole:
        write_run_json(new, {**(read_run_json(new) or {}), "status": "complete"})
        with pytest.raises(OutputError, match="not the run that was to be replaced"):
            finished(out, seed=2, resume=True)
    else:
        with pytest.raises(OtherRun, match="--seed was 3 and is 2"):
            finished(out, seed=2, resume=True)
    assert (out / "audit.parquet").read_text() == "third"
    assert new.exists()


def test_a_run_at_work_is_not_replaced_by_one_that_was_left_over(tmp_path: Path) -> None:
    out = tmp_path / "run"
    finished(out, seed=1)
    with pytest.raises(KeyboardInterrupt):
        failing(out, KeyboardInterrupt(), seed=2, force=True)
    shutil.rmtree(out)
    with RunFolder(out, resume=True) as left_over:  # nothing is there: it is gone on from
        left_over.same_as({"--seed": 2})
        left_over.start()
        with RunFolder(out) as at_work:
            at_work.same_as({"--seed": 3})
            (at_work.start() / "audit.parquet").write_text("third")
            with pytest.raises(OutputError, match="not the run that was to be replaced"):
                left_over.finish({})
            at_work.finish({})
    assert (out / "audit.parquet").read_text() == "third"


def test_a_hidden_folder_in_the_way_is_named(tmp_path: Path) -> None:
    out, old = tmp_path / "run", tmp_path / ".run.noiseaudit-old"
    finished(out)
    old.mkdir()
    (old / "thesis.txt").write_text("three years")
    with pytest.raises(OutputError, match=r"noiseaudit-old is in the way\. Move that hidden folder"):
        finished(out, "second", force=True)
    assert (out / "audit.parquet").read_text() == "first"
    assert (old / "thesis.txt").read_text() == "three years"
    old.rename(tmp_path / "elsewhere")
    settle(out)
    assert (out / "audit.parquet").read_text() == "second"


def test_a_lock_that_was_removed_before_it_was_had_is_had_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its former holder removes the file, and lets go, while the next one has it open."""
    former = [tmp_path / LOCK_FILE]

    class Late(FileLock):
        def acquire(self, *options: Any, **more: Any) -> Any:
            found = super().acquire(*options, **more)
            if former:
                former.pop().unlink()
            return found

    monkeypatch.setattr(lock, "FileLock", Late)
    held = RunLock(tmp_path)
    with pytest.raises(OutputError, match="is writing here"):
        RunLock(tmp_path)
    held.release()
    assert list(tmp_path.iterdir()) == []

"""The run folder's life: incomplete, complete, replaced, interrupted."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from noiseaudit.errors import DataError, OutputError
from noiseaudit.outputs import HOW_TO_GO_ON
from noiseaudit.runfolder import RunFolder
from noiseaudit.runjson import read_run_json, write_run_json
from tests.runs import failing, finished


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
    finished(tmp_path / "a" / "run")
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
        failing(tmp_path / "a" / "b" / "run", DataError("too bad"))
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_leaves_the_incomplete_folder(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt) as caught:
        failing(tmp_path / "run", KeyboardInterrupt())
    assert caught.value.__notes__ == [f"{tmp_path / 'run'} is incomplete: {HOW_TO_GO_ON}"]
    saved = read_run_json(tmp_path / "run")
    assert saved is not None
    assert saved["status"] == "incomplete"


def test_an_empty_folder_is_used(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    finished(tmp_path / "run")
    assert (tmp_path / "run" / "audit.parquet").read_text() == "first"


def test_force_replaces_a_run_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    finished(tmp_path / "run")
    (tmp_path / "run" / "report.html").write_text("old")
    finished(tmp_path / "run", "second", force=True)
    assert (tmp_path / "run" / "audit.parquet").read_text() == "second"
    assert not (tmp_path / "run" / "report.html").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_forced_run_that_fails_keeps_the_old_one(tmp_path: Path) -> None:
    finished(tmp_path / "run")
    with pytest.raises(DataError):
        failing(tmp_path / "run", DataError("too bad"), force=True)
    assert (tmp_path / "run" / "audit.parquet").read_text() == "first"
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize("again", [{"resume": True}, {"force": True}, {"force": True, "resume": True}])
def test_a_forced_run_that_is_interrupted_keeps_the_old_one_and_can_be_gone_on_from(
    tmp_path: Path, again: dict[str, Any]
) -> None:
    finished(tmp_path / "run")
    with pytest.raises(KeyboardInterrupt):
        failing(tmp_path / "run", KeyboardInterrupt(), force=True)
    assert (tmp_path / "run" / "audit.parquet").read_text() == "first"
    with RunFolder(tmp_path / "run", **again) as run:
        assert (run.before is not None) == ("resume" in again)
        assert ((run.start() / "dynamics.parquet").exists()) == ("resume" in again)
        (run.path / "audit.parquet").write_text("second")
        run.finish({})
    assert (tmp_path / "run" / "audit.parquet").read_text() == "second"
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_folder_without_a_name_is_no_runs(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="/: cannot be the folder of a run"), RunFolder(Path("/")):
        pytest.fail("entered")


def test_a_swap_that_fails_puts_the_old_run_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finished(tmp_path / "run")
    rename = os.rename

    def refuse_new(source: Path, target: Path) -> None:
        if source.name.endswith("-new"):
            raise PermissionError(13, "Permission denied")
        rename(source, target)

    monkeypatch.setattr(os, "rename", refuse_new)
    with pytest.raises(OutputError, match="Permission denied"):
        finished(tmp_path / "run", "second", force=True)
    assert (tmp_path / "run" / "audit.parquet").read_text() == "first"
    monkeypatch.undo()
    with pytest.raises(OutputError, match="--force"), RunFolder(tmp_path / "run"):
        pytest.fail("entered")
    assert (tmp_path / "run" / "audit.parquet").read_text() == "second"  # whole, so it is moved the next time
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_link_to_a_run_is_followed_not_replaced(tmp_path: Path) -> None:
    finished(tmp_path / "run")
    (tmp_path / "latest").symlink_to(tmp_path / "run")
    finished(tmp_path / "latest", "second", force=True)
    assert (tmp_path / "latest").is_symlink()
    assert (tmp_path / "run" / "audit.parquet").read_text() == "second"


def test_an_existing_run_needs_force(tmp_path: Path) -> None:
    finished(tmp_path / "run")
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
        failing(tmp_path / "run", DataError("too bad"))
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    assert list((tmp_path / "run").iterdir()) == []

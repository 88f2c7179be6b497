"""Files of people in a run folder, when a new run comes in its place."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from noiseaudit.errors import TrainingDiverged
from noiseaudit.runfiles import carry_over
from noiseaudit.runfolder import RunFolder
from noiseaudit.runjson import run_status
from noiseaudit.swap import settle
from tests.runs import finished, interrupted


def test_files_of_people_go_to_the_new_run(tmp_path: Path) -> None:
    out = tmp_path / "run"
    _scanned(out, "first")
    theirs = [
        "ann.sqlite",
        "ann.sqlite-wal",
        "checks.csv",
        "my_decisions.csv",
        "cleaned.checked.csv",
        ".note",
    ]
    for name in [*theirs, "report.html", ".audit.parquet.x.tmp"]:
        (out / name).write_text(f"old {name}")
    (out / "notes").mkdir()
    (out / "notes" / "report.html").write_text("mine")
    finished(out, "second", force=True)
    for name in theirs:
        assert (out / name).read_text() == f"old {name}"
    assert (out / "notes" / "report.html").read_text() == "mine"
    assert {path.name for path in out.iterdir()} == {*theirs, "notes", "audit.parquet", "run.json"}
    assert (out / "audit.parquet").read_text() == "second"
    assert {path.name for path in tmp_path.iterdir()} == {"run"}


@pytest.mark.parametrize("moved", [[], ["ann.sqlite-wal"]])
def test_a_name_that_is_taken_gets_a_number(tmp_path: Path, moved: list[str]) -> None:
    """Also where an earlier removal was cut off between a log and its database."""
    out, old = tmp_path / "run", tmp_path / ".run.noiseaudit-old"
    finished(out, "second")
    finished(old)
    names = ["ann.sqlite", "ann.sqlite-wal", "checks.csv"]
    for name in names:
        (out / name if name in moved else old / name).write_text("old")
    for name in ["checks.csv", "checks.1.csv", *([] if moved else ["ann.sqlite"])]:
        (out / name).write_text("new")
    settle(out)
    number = "" if moved else ".1"
    for name in (f"ann{number}.sqlite", f"ann{number}.sqlite-wal", "checks.2.csv"):
        assert (out / name).read_text() == "old"
    for name in ["checks.csv", "checks.1.csv", *([] if moved else ["ann.sqlite"])]:
        assert (out / name).read_text() == "new"
    assert not old.exists()
    finished(out, "third", force=True)  # and nothing is in its way


def test_a_removal_that_is_cut_off_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, old = tmp_path / "run", tmp_path / ".run.noiseaudit-old"
    finished(out)
    (out / "suspects.csv").write_text("old")
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", lambda *_, **__: None)
        finished(out, "second", force=True)
    assert [path.name for path in old.iterdir()] == ["run.json"]
    finished(out, "third", force=True)
    assert not old.exists()


def _scanned(out: Path, note: str, **options: Any) -> None:
    with RunFolder(out, **options) as run:
        for name in ("suspects.csv", "cleaned.csv"):
            (run.start() / name).write_text(note)
        run.finish({})


def test_answers_in_the_tables_of_an_old_run_are_kept(tmp_path: Path) -> None:
    out = tmp_path / "run"
    _scanned(out, "first")
    (out / "suspects.csv").write_text("first, with the answers of a day")
    (out / "cleaned.parquet").write_text("made by hand")
    _scanned(out, "second", force=True)
    found = {path.name: path.read_text() for path in out.iterdir() if path.name != "run.json"}
    assert found == {
        "suspects.csv": "second",
        "suspects.1.csv": "first, with the answers of a day",
        "cleaned.csv": "second",
        "cleaned.parquet": "made by hand",
    }


def test_what_people_put_beside_a_scan_at_work_does_not_stop_it(tmp_path: Path) -> None:
    """Neither a folder nor a dead link has a hash; with one, no --resume could ever finish."""
    out = tmp_path / "run"
    with RunFolder(out) as run:
        (run.start() / "cleaned.csv").write_text("first")
        (out / "cleaned.images").mkdir()
        (out / "cleaned.images" / "a.png").write_text("mine")
        (out / "cleaned.lnk").symlink_to("nowhere")
        run.finish({})
    assert run_status(out) == "complete"
    _scanned(out, "second", force=True)
    assert (out / "cleaned.images" / "a.png").read_text() == "mine"
    assert (out / "cleaned.lnk").is_symlink()


def test_a_database_keeps_its_log_under_a_number(tmp_path: Path) -> None:
    """SQLite looks for the log by the database's whole name."""
    old, new = tmp_path / "old", tmp_path / "new"
    for folder in (old, new):
        folder.mkdir()
        (folder / "reviews").write_text(folder.name)
    (old / "reviews-wal").write_text("the last decisions")
    carry_over(old, new)
    assert {path.name: path.read_text() for path in new.iterdir()} == {
        "reviews": "new",
        "reviews.1": "old",
        "reviews.1-wal": "the last decisions",
    }


@pytest.mark.parametrize("resume", [False, True])
def test_a_run_that_fails_leaves_what_people_put_there(tmp_path: Path, resume: bool) -> None:
    if resume:
        interrupted(tmp_path / "run", {"--seed": 1})

    def diverge() -> None:
        with RunFolder(tmp_path / "run", resume=resume) as run:
            run.same_as({"--seed": 1})
            (run.start() / "notes.txt").write_text("why this seed")
            raise TrainingDiverged("NaN")

    with pytest.raises(TrainingDiverged):
        diverge()
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["notes.txt"]

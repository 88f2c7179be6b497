"""Which outputs may be written."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from noiseaudit.errors import OutputError
from noiseaudit.outputs import check_file, check_output, has_content
from noiseaudit.runfolder import RunFolder


def _run(folder: Path, status: str = "complete") -> Path:
    folder.mkdir()
    (folder / "run.json").write_text(json.dumps({"status": status}))
    return folder


@pytest.mark.parametrize("name", ["new", "a/b/new", "."])
def test_an_absent_or_empty_folder_is_free(tmp_path: Path, name: str) -> None:
    check_output(tmp_path / name, force=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("complete", r"exists\. Give --force"),
        ("incomplete", r"a scan that was cut off or is at work\. Give --resume .* or --force"),
    ],
)
def test_a_run_is_replaced_only_by_force_and_gone_on_from_only_if_asked(
    tmp_path: Path, status: str, said: str
) -> None:
    run = _run(tmp_path / "run", status)
    check_output(run, force=True)
    check_output(run, force=False, resume=True)
    with pytest.raises(OutputError, match=said):
        check_output(run, force=False)


def test_a_run_that_cannot_be_gone_on_from_is_not_said_to_be(tmp_path: Path) -> None:
    killed = RunFolder(tmp_path / "scored", can_go_on=False)
    with killed:
        shutil.copytree(killed.start(), tmp_path / "killed")
        killed.finish({})
    with pytest.raises(OutputError) as caught:
        check_output(tmp_path / "killed", force=False)
    assert str(caught.value) == (
        f"{tmp_path / 'killed'}: holds a run that was cut off or is at work. Give --force to start again."
    )


@pytest.mark.parametrize("run_json", [None, "{", "[]", '{"scripts": {}}'])
def test_somebody_elses_folder_is_never_replaced(tmp_path: Path, run_json: str | None) -> None:
    (tmp_path / "precious.txt").touch()
    if run_json is not None:
        (tmp_path / "run.json").write_text(run_json)
    with pytest.raises(OutputError, match="even --force does not replace it"):
        check_output(tmp_path, force=True)


def test_a_run_that_holds_an_input_is_not_replaced(tmp_path: Path) -> None:
    run = _run(tmp_path / "run")
    labels = run / "cleaned.csv"
    labels.touch()
    with pytest.raises(OutputError, match=r"would delete the input .*cleaned\.csv"):
        check_output(run, force=True, inputs=[labels])


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="exists and is not a folder"):
        check_output(tmp_path / "file", force=True)
    with pytest.raises(OutputError, match="cannot be written"):
        check_output(tmp_path / "file" / "run", force=False)


def test_an_unwritable_place_is_found_before_any_work() -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        check_output(Path("/proc/noiseaudit/run"), force=False)


def test_a_file_may_be_new_or_forced(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    check_file(out, force=False)
    out.touch()
    check_file(out, force=True)
    with pytest.raises(OutputError, match=r"out\.csv: exists.* --force"):
        check_file(out, force=False)


def test_an_input_is_never_overwritten(tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    labels.touch()
    (tmp_path / "link.csv").symlink_to(labels)
    for out in (labels, tmp_path / "link.csv", tmp_path / "x" / ".." / "labels.csv"):
        with pytest.raises(OutputError, match="never overwritten"):
            check_file(out, force=True, inputs=[labels])


def test_a_file_needs_a_folder_to_lie_in(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="its folder does not exist"):
        check_file(tmp_path / "no" / "out.csv", force=True)
    with pytest.raises(OutputError, match="is a folder"):
        check_file(tmp_path, force=True)


def test_has_content(tmp_path: Path) -> None:
    assert not has_content(tmp_path)
    assert not has_content(tmp_path / "absent")
    (tmp_path / "file").touch()
    assert has_content(tmp_path)
    assert not has_content(tmp_path / "file")

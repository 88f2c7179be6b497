"""Files appear whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from noiseaudit.atomic import atomic_path, write_text
from noiseaudit.errors import OutputError


def test_the_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    with atomic_path(target) as temporary:
        temporary.write_text("new")
        assert not target.exists()
        assert temporary.parent == tmp_path  # os.replace does not cross file systems
    assert target.read_text() == "new"
    assert os.listdir(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path: Path, error: type[BaseException]) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")

    def fail() -> None:
        with atomic_path(target) as temporary:
            temporary.write_text("half")
            raise error

    with pytest.raises(error):
        fail()
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(OutputError, match=r"no/a\.txt: cannot write here"),
        atomic_path(tmp_path / "no" / "a.txt"),
    ):
        pass


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_permissions_are_those_of_a_new_file(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_text(tmp_path / "a.txt", "x")
    finally:
        os.umask(before)
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o640


def test_text_is_utf8_with_its_line_ends(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "é\r\n\n😀")
    assert (tmp_path / "a.txt").read_bytes() == "é\r\n\n😀".encode()


def test_a_file_that_another_program_holds_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows refuses to replace what is open, as in a spreadsheet."""
    target = tmp_path / "a.csv"
    target.write_text("old")

    def refuse(old: object, new: object) -> None:
        raise PermissionError(13, "Access is denied")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(
        OutputError, match=r"a\.csv: cannot be replaced \(Access is denied\)\. Close the program"
    ):
        write_text(target, "new")
    assert os.listdir(tmp_path) == ["a.csv"]
    assert target.read_text() == "old"


@pytest.mark.skipif(os.name == "nt", reason="another error there")
def test_a_folder_in_the_place_of_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").mkdir()
    with pytest.raises(OutputError, match=r"a\.csv: cannot be replaced \(Is a directory\)"):
        write_text(tmp_path / "a.csv", "new")
    assert os.listdir(tmp_path) == ["a.csv"]

"""What an export that was killed leaves, and what people do while one is at work."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from noiseaudit import exports
from noiseaudit.errors import OutputError
from noiseaudit.exports import export_audit, label_studio
from noiseaudit.exports.base import Exported, ExportOptions
from noiseaudit.exports.folder import beside, mark, settle
from noiseaudit.lock import RunLock
from noiseaudit.result import AuditResult
from tests.exported import audit, options

__all__ = ["audit"]  # fixture
KILLED = """
import os, signal, sys
from pathlib import Path
from noiseaudit.exports import folder
out = Path(sys.argv[1])
if sys.argv[2] == "between":  # the two moves
    folder.os.replace = lambda *places: os.kill(os.getpid(), signal.SIGKILL)
with folder.beside(out) as made:
    (made / "export").mkdir()
    (made / "export" / "half").write_text("new")
    if sys.argv[2] == "between":
        folder.put(made / "export", out)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def killed(out: Path, when: str) -> Path:
    """The hidden folder that is left."""
    done = subprocess.run([sys.executable, "-c", KILLED, str(out), when], check=False)
    assert done.returncode == -signal.SIGKILL
    (left,) = out.parent.glob(".out.*.new")
    return left


@pytest.mark.skipif(os.name != "posix", reason="kills a process")
def test_what_a_killed_export_left_goes_with_the_next(audit: AuditResult, tmp_path: Path) -> None:
    out = tmp_path / "out"
    left = killed(out, "writing")
    (theirs := tmp_path / ".out.notes000.new").mkdir()  # without our lock
    (other := tmp_path / ".out2.abcdefgh.new").mkdir()
    (other / ".noiseaudit.lock").touch()
    export_audit(audit, "label-studio", out, options(tmp_path))
    assert (out.is_dir(), left.exists(), theirs.exists(), other.exists()) == (True, False, True, True)


@pytest.mark.skipif(os.name != "posix", reason="kills a process")
def test_the_old_export_comes_back_where_the_kill_came_between_two_moves(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "old").write_text("old")
    mark(out, {"run_id": "r0"})
    left = killed(out, "between")
    assert not out.exists()
    settle(out)
    assert ((out / "old").read_text(), left.exists()) == ("old", False)


def test_an_export_that_is_at_work_is_left_alone(tmp_path: Path) -> None:
    with beside(tmp_path / "out") as folder:
        settle(tmp_path / "out")
        assert folder.is_dir()
        with pytest.raises(OutputError):
            RunLock(folder)
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("force", [False, True])
def test_what_people_put_there_meanwhile_stays(
    audit: AuditResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, force: bool
) -> None:
    out = tmp_path / "out"
    if force:
        export_audit(audit, "label-studio", out, options(tmp_path))

    def slowly(found: AuditResult, new: Path, asked: ExportOptions) -> Exported:
        out.mkdir(exist_ok=True)
        (out / "answers.json").write_text("[]")
        return label_studio.FORMAT.write(found, new, asked)

    slow = dataclasses.replace(label_studio.FORMAT, write=slowly)
    monkeypatch.setattr(exports, "FORMATS", {"label-studio": slow})
    with pytest.raises(OutputError, match=r"answers\.json" if force else "not an export"):
        export_audit(audit, "label-studio", out, options(tmp_path), force=force)
    assert (out / "answers.json").read_text() == "[]"

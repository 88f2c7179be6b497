"""How every command starts and ends: help, version, one-line errors, exit codes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from noiseaudit.errors import DataError, TrainingDiverged
from noiseaudit.result import AuditResult
from noiseaudit_cli import main, rank
from noiseaudit_cli.complaints import _reinstall
from noiseaudit_cli.main import COMMANDS, GROUPS, Terminated, app

RUN = CliRunner().invoke


def _raise(error: BaseException) -> Callable[..., Any]:
    def read_audit(path: Path) -> AuditResult:
        raise error

    return read_audit


def _outcome(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> Any:
    monkeypatch.setattr("noiseaudit.audit_file.open_audit", _raise(error))
    return RUN(app, ["rank", "run"])


GROUPED = [f"{group} {name}" for group, module in GROUPS.items() for name in module.COMMANDS]


@pytest.mark.parametrize("name", [*COMMANDS, *GROUPED])
def test_every_command_has_help_with_examples(name: str) -> None:
    result = RUN(app, [*name.split(), "--help"])
    assert result.exit_code == 0
    assert "Examples:" in result.stdout
    assert "bool" not in result.stdout
    assert f"noiseaudit {name}" in result.stdout
    assert not result.stderr


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_the_list_of_commands(arguments: list[str]) -> None:
    result = RUN(app, arguments)
    assert result.exit_code == 0
    assert all(name in result.stdout for name in [*COMMANDS, *GROUPS])


def test_help_wraps_its_paragraphs_alone() -> None:
    said = RUN(app, ["--help"], env={"COLUMNS": "300"}).stdout
    assert "; where it may be given more than once, one value a line, or paths with" in said
    assert "3 a gate failed, 130 interrupted, 143 terminated." in said
    assert "bool" not in said


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
@pytest.mark.parametrize("group", GROUPS)
def test_the_list_of_a_groups_commands(group: str, arguments: list[str]) -> None:
    result = RUN(app, [group, *arguments])
    assert result.exit_code == 0
    assert all(f" {name} " in result.stdout for name in GROUPS[group].COMMANDS)


def test_version() -> None:
    assert RUN(app, ["--version"]).stdout.startswith("noiseaudit 0.")


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (DataError("no rows", file="x.csv", fix="Add some."), 2, "error: x.csv: no rows. Add some.\n"),
        (TrainingDiverged("the loss is NaN"), 1, "error: the loss is NaN\n"),
        (
            ZeroDivisionError("division\nby zero"),
            1,
            "error: unexpected ZeroDivisionError: division by zero (NOISEAUDIT_DEBUG=1 shows where)\n",
        ),
        (
            RuntimeError("operator torchvision::nms does not exist"),
            1,
            f"error: torch {version('torch')} and torchvision {version('torchvision')} do not fit together. "
            f"Install both again, from one index: {_reinstall()}\n",
        ),
        (KeyboardInterrupt(), 130, "interrupted\n"),
        (Terminated(), 143, "terminated\n"),
    ],
)
def test_errors_are_one_line_and_an_exit_code(
    monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, line: str
) -> None:
    result = _outcome(monkeypatch, error)
    assert (result.exit_code, result.stdout, result.stderr) == (code, "", line)


def test_an_interrupt_passes_on_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    error = KeyboardInterrupt()
    error.add_note("run is incomplete: the same command with --resume goes on")
    result = _outcome(monkeypatch, error)
    assert result.exit_code == 130
    assert result.stderr == "interrupted; run is incomplete: the same command with --resume goes on\n"


def test_debug_shows_where(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOISEAUDIT_DEBUG", "1")
    result = _outcome(monkeypatch, ZeroDivisionError("by zero"))
    assert result.exit_code == 1
    assert "Traceback" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["rank"], "Missing argument 'AUDIT'"),
        (["rank", "run", "--top", "0"], "--top"),
        (["rank", "run", "--top", "many"], "--top"),
        (["rank", "run", "--by", "luck"], "--by"),
        (["rank", "run", "--ordered"], "No such option: --ordered"),
        (["clean", "run", "--policy", "drop"], "--out"),
        (["scam"], "scam"),
        (["bench", "walk"], "walk"),
        (["bench", "run"], "Missing argument 'TABLE'"),
        (["bench", "run", "table1", "--jobs", "0"], "--jobs"),
    ],
)
def test_usage_errors_are_one_line_that_names_the_option(arguments: list[str], words: str) -> None:
    result = RUN(app, arguments)
    assert result.exit_code == 2
    assert words in result.stderr
    assert "--help)" in result.stderr
    assert result.stderr.count("\n") == 1


def test_options_come_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, make_audit: Callable[..., AuditResult]
) -> None:
    make_audit().write(tmp_path / "audit.parquet")
    monkeypatch.setenv("NOISEAUDIT_RANK_TOP", "2")
    monkeypatch.setenv("NOISEAUDIT_RANK_CLASS", "dog")
    result = RUN(app, ["rank", str(tmp_path)])
    assert len(result.stdout.splitlines()) == 3
    assert result.stdout.count("\tdog\t") >= 2


def test_a_reader_that_goes_away_is_no_traceback(
    tmp_path: Path, make_audit: Callable[..., AuditResult]
) -> None:
    make_audit(n=3000).write(tmp_path / "audit.parquet")
    command = [sys.executable, "-m", "noiseaudit_cli.main", "rank", str(tmp_path), "--all"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


def test_a_command_inside_another_passes_errors_up() -> None:
    group: Any = typer.main.get_command(app)
    with pytest.raises(DataError, match="no such audit"):
        group.main(["rank", "absent"], standalone_mode=False)
    assert rank.COLUMNS


@pytest.mark.parametrize("code", [0, 2, 130])
def test_only_an_interrupted_process_leaves_at_once(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    left: list[int] = []
    monkeypatch.setattr("os._exit", left.append)
    monkeypatch.setattr(main, "app", lambda: sys.exit(code))
    if code == 130:
        main.entry()
        assert left == [130]
    else:
        with pytest.raises(SystemExit) as stopped:
            main.entry()
        assert (stopped.value.code, left) == (code, [])


@pytest.mark.parametrize(
    ("torch", "index"), [("2.5.1", ""), ("2.5.1+cpu", " --index-url https://download.pytorch.org/whl/cpu")]
)
def test_both_are_installed_from_the_index_of_torch(
    monkeypatch: pytest.MonkeyPatch, torch: str, index: str
) -> None:
    monkeypatch.setattr("noiseaudit_cli.complaints.version", lambda _: torch)
    assert _reinstall() == f"pip install --force-reinstall torch torchvision{index}"


def test_a_folder_after_the_label_file_is_asked_for_as_images(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "labels.csv").touch()
    words = ["scan", str(tmp_path / "labels.csv"), str(tmp_path / "photos"), "--out", str(tmp_path / "run")]
    result = RUN(app, words)
    assert result.exit_code == 2
    assert f" ({tmp_path / 'photos'}): did you mean --images {tmp_path / 'photos'}? (see" in result.stderr

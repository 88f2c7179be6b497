"""demo: the same commands a user types, shown and run on the scanned digits."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from noiseaudit import demo as digits
from noiseaudit.result import read_audit
from noiseaudit_cli.main import app


@pytest.fixture
def few_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    write = digits.write_digits
    monkeypatch.setattr(digits, "write_digits", lambda folder: write(folder, limit=120))
    monkeypatch.setenv("NOISEAUDIT_SCAN_EPOCHS", "2")


@pytest.mark.usefixtures("few_digits")
def test_every_command_is_shown_and_run(tmp_path: Path) -> None:
    out = tmp_path / "demo"
    result = CliRunner().invoke(app, ["demo", "--out", str(out), "--seed", "3"])
    assert result.exit_code == 0, result.stderr
    shown = [line.split()[2] for line in result.stderr.splitlines() if line.startswith("$ noiseaudit ")]
    assert shown == ["corrupt", "scan", "rank", "evaluate", "clean", "report"]
    assert f"--out {out / 'run'} --seed 3" in result.stderr
    assert read_audit(out / "run").meta.seed == 3
    assert "Average precision" in result.stdout
    assert "Average precision" in (out / "run" / "report.html").read_text("utf-8")
    assert len((out / "cleaned.csv").read_text().splitlines()) == 121


@pytest.mark.usefixtures("few_digits")
def test_a_second_demo_needs_force(tmp_path: Path) -> None:
    out = tmp_path / "demo"
    for options, code in (([], 0), ([], 2), (["--force"], 0)):
        result = CliRunner().invoke(app, ["demo", "--out", str(out), *options])
        assert result.exit_code == code


@pytest.mark.usefixtures("few_digits")
def test_ctrl_c_in_a_command_ends_the_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("noiseaudit.scan.scan", interrupt)
    result = CliRunner().invoke(app, ["demo", "--out", str(tmp_path / "demo")])
    assert result.exit_code == 130
    assert result.stderr.endswith("interrupted\n")
    assert not (tmp_path / "demo").exists()


@pytest.mark.usefixtures("few_digits")
def test_a_command_that_fails_ends_the_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOISEAUDIT_SCAN_CUTOFF", "luck")
    result = CliRunner().invoke(app, ["demo", "--out", str(tmp_path / "demo")])
    assert result.exit_code == 2
    assert "--cutoff 'luck'" in result.stderr.splitlines()[-1]
    assert "$ noiseaudit rank" not in result.stderr
    assert [*tmp_path.iterdir()] == []  # so the next demo can start


@pytest.mark.usefixtures("few_digits")
def test_results_of_a_demo_that_fails_later_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOISEAUDIT_RANK_SUGGESTED", "none of them")
    result = CliRunner().invoke(app, ["demo", "--out", str(tmp_path / "demo")])
    assert (result.exit_code, (tmp_path / "demo" / "run" / "report.html").is_file()) == (2, True)

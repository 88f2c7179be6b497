"""bench from the command line: what it refuses, in one line that names the option."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.test_cli_bench_tables import bench


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "table9"], "TABLE: no such choice 'table9'"),
        (["run", "table1", "--scale", "huge"], "--scale"),
        (["run", "table1", "--rates", "a"], "--rates 'a' is not a list of numbers"),
        (["run", "table1", "--rates", "10"], "--rates is out of range"),
        (["run", "table1", "--seeds", "0;1"], "--seeds"),
        (["run", "table1", "--seeds", "4-0"], "--seeds '4-0' is not a list of seeds"),
        (["run", "table1", "--seeds", ""], "--seeds '' is not a list of seeds"),
        (["run", "table1", "--rates", ","], "--rates is an empty list"),
        (["plot", "figure2", "--noise", "white"], "--noise"),
        (["run", "table1", "--methods", "unm"], "Did you mean 'umn'?"),
        (["run", "table1", "--noise", "white"], "--noise"),
        (["run", "table1", "--backend", "slurm"], "--backend"),
        (["run", "table1", "--dataset", "absent.csv"], "absent.csv"),
        (["run", "table1", "--dataset", "absent"], "no such data set"),
        (["run", "table1", "--dataset", "mnist"], "NOISEAUDIT_DATA"),
        (["run", "table1", "--device", "abacus"], "--device"),
        (["table", "table1"], "noiseaudit bench run table1"),
        (["table", "table1", "--scale", "huge"], "--scale"),
        (["plot", "table1"], "FIGURE"),
        (["run", "table1", "--set", "prior=a b"], "--set"),
        (["plot", "figure2"], "noiseaudit bench run figure2"),
    ],
)
def test_what_is_refused_in_one_line(
    words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NOISEAUDIT_DATA", raising=False)
    result = bench(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "bench-results").exists()


def test_an_error_names_the_variable_that_set_the_option(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOISEAUDIT_DATA", str(tmp_path))
    result = bench("run", "table3", "--out", tmp_path)
    assert result.exit_code == 2
    assert "--data is set by the environment variable NOISEAUDIT_DATA" in result.stderr

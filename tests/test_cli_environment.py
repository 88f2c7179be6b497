"""Errors about options that the environment set name the variable, in plain words."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from noiseaudit.decisions import read_decisions
from noiseaudit_cli.main import app
from tests.conftest import build_audit


def _scan(tmp_path: Path, variables: dict[str, str], *options: str) -> Any:
    (tmp_path / "labels.csv").write_text("image,label\na.png,cat\nb.png,dog\n")
    words = ["scan", str(tmp_path / "labels.csv"), "--out", str(tmp_path / "run"), *options]
    return CliRunner().invoke(app, words, env=variables)


@pytest.mark.parametrize(
    ("variable", "value", "problem"),
    [
        ("NOISEAUDIT_SCAN_EPOCHS", "abc", "'abc' is not a whole number"),
        ("NOISEAUDIT_SCAN_EPOCHS", "1.5", "'1.5' is not a whole number"),
        ("NOISEAUDIT_SCAN_FORCE", "maybe", "'maybe' is neither true nor false"),
        ("NOISEAUDIT_SCAN_MAX_PIXELS", "0", "'0' is less than 1"),
        ("NOISEAUDIT_SCAN_DEVICE", "tpu", "'tpu' is not one of 'auto', 'cpu', 'cuda', 'mps'"),
    ],
)
def test_a_bad_value_names_the_variable(variable: str, value: str, problem: str, tmp_path: Path) -> None:
    result = _scan(tmp_path, {variable: value})
    line = f"error: Invalid value for the environment variable {variable}: {problem}"
    assert result.exit_code == 2
    assert result.stderr.startswith(f"{line} (see ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("option", "value"),
    [("epochs", "-3"), ("method", "none"), ("cutoff", "x"), ("set", "x"), ("encoding", "x")],
)
def test_an_error_of_the_engine_names_the_variable_too(option: str, value: str, tmp_path: Path) -> None:
    variable = f"NOISEAUDIT_SCAN_{option.upper()}"
    result = _scan(tmp_path, {variable: value})
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert result.stderr.endswith(f" (--{option} is set by the environment variable {variable})\n")


def test_options_of_the_command_line_are_not_blamed_on_the_environment(tmp_path: Path) -> None:
    result = _scan(tmp_path, {"NOISEAUDIT_SCAN_EPOCHS": "5"}, "--epochs", "many")
    assert "Invalid value for '--epochs': 'many' is not a whole number (see" in result.stderr
    result = _scan(tmp_path, {"NOISEAUDIT_SCAN_SEED": "1"}, "--epochs", "-3")
    assert result.stderr == "error: --epochs is out of range. It must be from 1 to 100000.\n"


def test_another_option_with_the_same_beginning_is_not_named(tmp_path: Path) -> None:
    result = _scan(tmp_path, {"NOISEAUDIT_SCAN_SET": "alpha=1"}, "--cutoff", "x--setting --set-up")
    assert (result.exit_code, "environment" in result.stderr) == (2, False)


def test_a_missing_file_says_no_more_than_before(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["rank", str(tmp_path / "none")], env={"NOISEAUDIT_RANK_TOP": "3"})
    assert (result.exit_code, "no such audit" in result.stderr, "RANK_TOP" in result.stderr) == (
        2,
        True,
        False,
    )


def test_numbers_above_the_limit(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["report", "run", "--max-suspects", "20000"])
    assert "'20000' is more than 10000" in result.stderr
    result = CliRunner().invoke(app, ["corrupt", "x", "--rate", "half", "--kind", "symmetric", "--out", "y"])
    assert "'--rate': 'half' is not a number" in result.stderr


@pytest.mark.parametrize("variable", ["NOISEAUDIT_VERSION", "NOISEAUDIT_HELP", "NOISEAUDIT_RANK_HELP"])
def test_no_variable_stands_in_for_help_or_version(variable: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["rank", str(tmp_path / "none")], env={variable: "1"})
    assert (result.exit_code, "no such audit" in result.stderr, result.stdout) == (2, True, "")


def test_no_variable_stands_in_for_the_help_of_a_group() -> None:
    result = CliRunner().invoke(app, ["bench", "no-such-command"], env={"NOISEAUDIT_BENCH_HELP": "1"})
    assert (result.exit_code, "no-such-command" in result.stderr) == (2, True)


def test_help_and_version_stay_options_of_the_command_line() -> None:
    assert CliRunner().invoke(app, ["--version"]).stdout.startswith("noiseaudit ")
    for words in (["rank", "--help"], ["rank", "-h"], ["-h"]):
        assert "Usage:" in CliRunner().invoke(app, words).stdout


@pytest.mark.parametrize(
    ("option", "problem"),
    [("images", "pictures"), ("embeddings", "features.npy"), ("trusted", "trusted.csv")],
)
def test_an_error_about_a_file_names_the_variable_that_named_it(
    option: str, problem: str, tmp_path: Path
) -> None:
    (tmp_path / "trusted.csv").write_text("image\nno-such.png\n")
    variable, value = f"NOISEAUDIT_SCAN_{option.upper()}", str(tmp_path / problem)
    others = ["--method", "reweight"] if option == "trusted" else []
    result = _scan(tmp_path, {variable: value}, *others)
    assert result.exit_code == 2
    assert value in result.stderr
    assert result.stderr.endswith(f" (--{option} is set by the environment variable {variable})\n")


def test_an_error_about_another_file_names_no_variable(tmp_path: Path) -> None:
    (tmp_path / "labels").mkdir()
    result = _scan(tmp_path, {"NOISEAUDIT_SCAN_IMAGES": str(tmp_path / "labels")}, "--label-column", "x")
    assert (result.exit_code, "labels.csv" in result.stderr) == (2, True)
    assert "environment" not in result.stderr


def test_a_word_that_is_also_the_name_of_a_folder_names_no_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows").mkdir()
    (tmp_path / "empty.csv").write_text("image,label\n")
    words = ["scan", "empty.csv", "--out", "run"]
    result = CliRunner().invoke(app, words, env={"NOISEAUDIT_SCAN_IMAGES": "rows"})
    assert (result.exit_code, "there are no rows" in result.stderr) == (2, True)
    assert "environment" not in result.stderr
    result = CliRunner().invoke(app, words, env={"NOISEAUDIT_SCAN_IMAGES": "empty.csv"})
    assert "--images is set by the environment variable" in result.stderr


def test_pairs_of_classes_with_blanks_stand_on_lines(tmp_path: Path) -> None:
    data, out = tmp_path / "labels.csv", tmp_path / "noisy.csv"
    data.write_text(
        "image,label\n" + "".join(f"{i}.png,{('tabby cat', 'big dog')[i % 2]}\n" for i in range(20))
    )
    words = ["corrupt", str(data), "--kind", "asymmetric", "--rate", "0.5", "--out", str(out)]
    variables = {"NOISEAUDIT_CORRUPT_PAIR": "tabby cat:big dog\nbig dog:tabby cat\n"}
    result = CliRunner().invoke(app, words, env=variables)
    assert result.exit_code == 0, result.stderr
    truth = (tmp_path / "noisy.csv.truth.csv").read_text().splitlines()
    assert sum(line.lower().endswith(("true", ",1")) for line in truth[1:]) == 10


def test_settings_stand_on_lines(tmp_path: Path) -> None:
    result = _scan(tmp_path, {"NOISEAUDIT_SCAN_SET": "alpha=1\n\nx y\n"})
    assert (result.exit_code, "--set 'x y' is not of the form NAME=VALUE" in result.stderr) == (2, True)


def test_paths_with_blanks_have_the_separator_of_path_between_them(tmp_path: Path) -> None:
    audit = build_audit(40)
    audit.write(tmp_path / "audit.parquet")
    draws = [tmp_path / "first draw.csv", tmp_path / "second draw.csv", tmp_path / "third.csv"]
    for n, out in enumerate(draws):
        variables = {"NOISEAUDIT_SAMPLE_WITHOUT": os.pathsep.join(map(str, draws[:n]))} if n else {}
        words = ["sample", str(tmp_path), "--n", "8", "--out", str(out)]
        result = CliRunner().invoke(app, words, env=variables)
        assert result.exit_code == 0, result.stderr
    drawn = [each.sample_id for out in draws for each in read_decisions(out)]
    assert len(drawn) == len({*drawn}) > 10

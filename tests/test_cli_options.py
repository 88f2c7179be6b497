"""Short forms of --cutoff, and where features are kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from noiseaudit.data.limits import DEFAULT_MAX_MEMORY, DEFAULT_MAX_MEMORY_TEXT
from noiseaudit.demo import write_digits
from noiseaudit.errors import ConfigError
from noiseaudit.result import read_audit
from noiseaudit_cli.cutoff_options import cutoff_rule
from noiseaudit_cli.main import app
from noiseaudit_cli.option_values import feature_folder, memory_size, seed_list, share


def test_short_forms_are_rules() -> None:
    assert cutoff_rule("auto", precision=None, recall=None, budget=None) == "auto"
    assert cutoff_rule("rate=0.1", precision=None, recall=None, budget=None) == "rate=0.1"
    assert cutoff_rule("auto", precision=0.9, recall=None, budget=None) == "precision=0.9"
    assert cutoff_rule("auto", precision=None, recall=0.75, budget=None) == "recall=0.75"
    assert cutoff_rule("auto", precision=None, recall=None, budget=500) == "budget=500"


@pytest.mark.parametrize("targets", [{"precision": 0.9, "recall": 0.9}, {"recall": 0.5, "budget": 3}])
def test_one_rule_at_a_time(targets: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=r"more than one of --cutoff.*Give one\."):
        cutoff_rule("auto", **targets)
    with pytest.raises(ConfigError, match="more than one"):
        cutoff_rule("rate=0.1", **{next(iter(targets)): 0.9})


@pytest.mark.parametrize(
    ("targets", "option"),
    [
        ({"precision": 1.0}, "--target-precision"),
        ({"recall": 0.0}, "--target-recall"),
        ({"budget": 0}, "--review-budget"),
    ],
)
def test_a_target_out_of_range_names_its_option(targets: dict[str, float], option: str) -> None:
    with pytest.raises(ConfigError, match=f"{option} .* is out of range"):
        cutoff_rule("auto", **targets)


@pytest.mark.parametrize(("text", "value"), [("0.9", 0.9), ("90%", 0.9), (" 12.5 % ", 0.125), (0.25, 0.25)])
def test_a_share_may_be_in_percent(text: str | float, value: float) -> None:
    assert share(text) == value


def test_what_is_no_share_names_its_option() -> None:
    done = CliRunner().invoke(app, ["scan", "x.csv", "--out", "run", "--target-precision", "high%"])
    assert (done.exit_code, "'--target-precision': 'high%' is not a number" in done.stderr) == (2, True)
    done = CliRunner().invoke(app, ["scan", "x.csv", "--out", "run", "--target-precision", "100%"])
    assert (done.exit_code, "as 0.9 or 90%" in done.stderr) == (2, True)


@pytest.mark.parametrize("text", ["3-1", "", "-1", "a", "0,x"])
def test_what_is_no_list_of_seeds(text: str) -> None:
    with pytest.raises(ConfigError, match="--seeds"):
        seed_list(text)
    assert seed_list("2-4") == [2, 3, 4]
    assert seed_list("5, 7") == [5, 7]
    assert seed_list(None) is None


def test_the_feature_cache() -> None:
    assert feature_folder("none") is None
    assert feature_folder("there") == Path("there")
    default = feature_folder(None)
    assert default is not None
    assert default.parts[-2:] == ("noiseaudit", "features")


def test_a_review_budget_reaches_the_audit_and_a_bad_target_stops_before_any_work(tmp_path: Path) -> None:
    write_digits(tmp_path, limit=60)
    words = ["scan", str(tmp_path / "labels.csv"), "--images", str(tmp_path / "images"), "--epochs", "2"]
    result = CliRunner().invoke(app, [*words, "--out", str(tmp_path / "run"), "--review-budget", "7"])
    assert result.exit_code == 0, result.stderr
    audit = read_audit(tmp_path / "run")
    assert audit.suspects().sum() == 7
    assert audit.meta.cutoff.rule == "budget=7"
    assert "7 of 60 labels are listed for review" in result.stdout
    assert "expects   precision" in result.stdout
    result = CliRunner().invoke(app, [*words, "--out", str(tmp_path / "no"), "--target-precision", "90"])
    assert result.exit_code == 2
    assert "--target-precision 90.0 is out of range. It must be above 0 and below 1" in result.stderr
    assert not (tmp_path / "no").exists()


@pytest.mark.parametrize(
    ("text", "expected"),
    [("4GB", 4 * 10**9), ("4GiB", 2**32), ("500 mb", 5 * 10**8), ("1.5KB", 1500), ("7", 7), ("2T", 2 * 10**12)],
)  # fmt: skip
def test_sizes_of_memory(text: str, expected: int) -> None:
    assert memory_size(text) == expected


@pytest.mark.parametrize("text", ["", "GB", "-4GB", "4XB", "4,5GB", "4 G B", "1e9", "4iB"])
def test_what_is_no_size_of_memory(text: str) -> None:
    with pytest.raises(ConfigError, match=r"--max-memory .* is not a size\. As in 4GB"):
        memory_size(text)


def test_the_default_is_the_engines() -> None:
    assert memory_size(DEFAULT_MAX_MEMORY_TEXT) == DEFAULT_MAX_MEMORY


def test_a_limit_of_memory_changes_no_audit(tmp_path: Path) -> None:
    labels = write_digits(tmp_path, limit=60)
    audits = []
    for limit in ("1GB", "1KB"):
        out = tmp_path / limit
        words = ["scan", str(labels), "--images", str(tmp_path / "images"), "--out", str(out), "--quiet"]
        result = CliRunner().invoke(app, [*words, "--epochs", "2", "--max-memory", limit])
        assert result.exit_code == 0, result.output
        assert not list(out.glob("cache-*"))
        audits.append((out / "audit.parquet").read_bytes())
    assert audits[0] == audits[1]

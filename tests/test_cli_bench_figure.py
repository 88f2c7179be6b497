"""bench from the command line: figure 2, of the runs that it needs and of no others."""

from __future__ import annotations

from pathlib import Path

from noiseaudit.demo import write_digits
from tests.test_cli_bench_tables import bench, data, lines

__all__ = ["data"]  # fixtures


def test_figure_2(data: Path, tmp_path: Path) -> None:
    result = bench("run", "figure2", "--scale", "smoke", "--methods", "umn,mean_teacher", "--out", tmp_path)
    assert result.exit_code == 0
    assert len(lines(tmp_path, "table1_svhn")) == 2 * 3
    drawn = bench("plot", "figure2", "--out", tmp_path)
    assert drawn.stdout == f"{tmp_path / 'figure2_svhn.svg'}\n"
    svg = (tmp_path / "figure2_svhn.svg").read_text("utf-8")
    assert all(f"{rate}% corrupt" in svg for rate in (20, 30, 40))
    bench("run", "figure2", "--scale", "smoke", "--methods", "umn", "--epochs", 1, "--out", tmp_path)
    two = bench("plot", "figure2", "--out", tmp_path)
    assert (two.exit_code, "--epochs" in two.stderr) == (2, True)
    assert bench("plot", "figure2", "--out", tmp_path, "--epochs", 1).exit_code == 0


def test_figure_2_without_runs_at_its_rates_is_refused(data: Path, tmp_path: Path) -> None:
    bench(
        "run",
        "table1",
        "--dataset",
        "svhn",
        "--scale",
        "smoke",
        "--methods",
        "umn",
        "--rates",
        "0.1",
        "--out",
        tmp_path,
    )
    none = bench("plot", "figure2", "--out", tmp_path)
    assert (none.exit_code, "no such runs of figure2" in none.stderr) == (2, True)
    assert not (tmp_path / "figure2_svhn.svg").exists()


def test_figure_2_of_another_kind_of_noise(data: Path, tmp_path: Path) -> None:
    asked = ["run", "figure2", "--scale", "smoke", "--methods", "umn", "--rates", "0.2", "--out", tmp_path]
    bench(*asked)
    none = bench("plot", "figure2", "--out", tmp_path, "--noise", "instance")
    assert (none.exit_code, "with instance noise" in none.stderr) == (2, True)
    bench(*asked, "--noise", "asymmetric")
    file = tmp_path / "figure2_svhn.svg"
    for words, kind in (([], "symmetric"), (["--noise", "asymmetric"], "asymmetric")):
        assert bench("plot", "figure2", "--out", tmp_path, *words).exit_code == 0
        assert f" {kind} noise" in file.read_text("utf-8")


def test_figure_2_of_own_data_leaves_out_few_labels(tmp_path: Path) -> None:
    file = write_digits(tmp_path, limit=200)
    asked = ["--dataset", file, "--images", tmp_path / "images", "--scale", "smoke", "--rates", "0.2"]
    for table in ("table3", "figure2"):
        done = bench("run", table, *asked, "--methods", "supervised", "--out", tmp_path, "--seeds", "0,0")
        assert done.exit_code == 0, done.stderr
    assert len(lines(tmp_path, "table1_labels")) == 2
    none = bench("plot", "figure2", "--out", tmp_path)
    assert none.exit_code == 2
    assert none.stderr.rstrip().endswith("from what is there: labels")
    drawn = bench("plot", "figure2", "--dataset", file, "--out", tmp_path)
    assert drawn.exit_code == 0, drawn.stderr

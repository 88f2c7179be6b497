"""Commands that only read an audit start fast: they do not import what trains, plots or learns."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from noiseaudit.result import AuditResult
from noiseaudit_cli.main import app

MOST_OF_LIBRARIES = 4.0  # with torch among them it would be seven times and more
HEAVY = ("torch", "torchvision", "pandas", "sklearn", "scipy", "matplotlib", "jinja2", "PIL")
PROBE = """
import json, sys
from noiseaudit_cli.main import app
try:
    app(sys.argv[1:])
except SystemExit as end:
    assert not end.code, end.code
print("\\n" + json.dumps([name for name in {heavy} if name in sys.modules]))
"""


@pytest.fixture
def run(tmp_path: Path, make_audit: Callable[..., AuditResult]) -> Path:
    audit = make_audit(n_unlabelled=0)
    audit.write(tmp_path / "audit.parquet")
    lines = [f"{row['image']},{row['given_label']}" for row in audit.table.to_pylist()]
    (tmp_path / "labels.csv").write_text("\n".join(["image,label", *lines]) + "\n")
    (tmp_path / "truth.csv").write_text("\n".join(["image,true_label", *lines]) + "\n")
    return tmp_path


def _imported(*arguments: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROBE.format(heavy=HEAVY), *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    names: list[str] = json.loads(done.stdout.splitlines()[-1])
    return names


@pytest.mark.parametrize(
    "arguments", [["--help"], ["scan", "--help"], ["bench", "run", "--help"], ["--version"]]
)
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    assert _imported(*arguments) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["absent.csv"], "absent.csv: no such label file. Check the path."),
        (
            ["labels.csv", "--images", "absent"],
            "absent: no such folder. Give --images a folder that holds images.",
        ),
        (["labels.csv", "--images", "labels.csv"], "labels.csv: not a folder"),
        (["labels.csv", "--embeddings", "absent.npy"], "absent.npy: no such file"),
        (["labels.cvs"], "labels.cvs: no such label file or folder. Did you mean labels.csv?"),
        (["lables.csv"], "lables.csv: no such label file. Did you mean labels.csv?"),
        (["labels.csv", "--out", "."], ".: the output folder exists. Give --force"),
        ([f"{'a' * 300}.csv"], "a.csv: no such label file"),
        (["labels.csv", "--images", "b" * 300], "b: no such folder"),
    ],
)
def test_a_wrong_path_is_told_before_anything_heavy_is_imported(
    run: Path, arguments: list[str], said: str
) -> None:
    (run / "run.json").write_text('{"status": "complete"}')
    probe = PROBE.format(heavy=HEAVY).replace("assert not end.code", "assert end.code == 2")
    done = subprocess.run(
        [sys.executable, "-c", probe, "scan", "--out", "out", *arguments],
        capture_output=True,
        text=True,
        check=True,
        cwd=run,
    )
    assert json.loads(done.stdout.splitlines()[-1]) == []
    assert (said in done.stderr, done.stderr.count("\n")) == (True, 1), done.stderr


def test_rank_imports_nothing_heavy(run: Path) -> None:
    assert _imported("rank", str(run)) == []


def test_rank_of_no_row_imports_nothing_heavy(tmp_path: Path, make_audit: Callable[..., AuditResult]) -> None:
    make_audit(n=4, n_unlabelled=2, n_unread=2).write(tmp_path / "audit.parquet")
    assert _imported("rank", str(tmp_path)) == []
    assert _imported("rank", str(tmp_path), "--json") == []


def test_evaluate_imports_nothing_heavy(run: Path) -> None:
    assert _imported("evaluate", str(run)) == []
    assert _imported("evaluate", str(run), "--truth", str(run / "truth.csv"), "--json") == []


@pytest.mark.parametrize("policy", ["relabel", "drop", "blank", "flag"])
def test_clean_imports_nothing_heavy(run: Path, policy: str) -> None:
    assert _imported("clean", *_clean(run, policy)) == []


@pytest.mark.parametrize("format_", ["cleanlab", "label-studio"])
def test_export_needs_no_torch(run: Path, format_: str) -> None:
    (run / "images").mkdir()
    asked = ["--images", str(run)] if format_ == "label-studio" else []
    found = _imported("export", str(run), "--format", format_, *asked, "--out", str(run / "out.csv"))
    assert {*found} <= {"PIL", "pandas"}


def test_import_needs_no_torch(run: Path) -> None:
    (run / "answers.json").write_text("[]")
    words = [str(run / "answers.json"), "--from", "label-studio", "--audit", str(run)]
    assert {*_imported("import", *words, "--out", str(run / "decisions.csv"))} <= {"PIL", "pandas"}


def _clean(run: Path, policy: str) -> list[str]:
    data, out = run / "labels.csv", run / "out.csv"
    return [str(run), "--policy", policy, "--data", str(data), "--out", str(out), "--force"]


@pytest.fixture(scope="module")
def libraries() -> float:
    """Seconds that the libraries alone take which every one of these commands needs."""
    return _seconds("-c", "import numpy, pyarrow.parquet, pyarrow.compute, typer, rich.console")


def _seconds(*arguments: str) -> float:
    """Of the processor, user and system, the least of three: on a busy machine the clock on the wall says little."""
    seconds = []
    for _ in range(3):
        before = os.times()
        subprocess.run([sys.executable, *arguments], capture_output=True, check=True)
        after = os.times()
        used = after.children_user - before.children_user + after.children_system - before.children_system
        seconds.append(used)
    return min(seconds)


@pytest.mark.parametrize("command", ["--help", "rank", "evaluate", "clean"])
def test_start_up_time(run: Path, libraries: float, command: str) -> None:
    """Beside the libraries in the same run: seconds alone are of the machine and of what else it does."""
    arguments = {"--help": [], "clean": _clean(run, "relabel")}.get(command, [str(run)])
    assert 0 < _seconds("-m", "noiseaudit_cli.main", command, *arguments) < MOST_OF_LIBRARIES * libraries


def test_an_output_with_too_long_a_name_is_told_in_a_line(run: Path) -> None:
    done = CliRunner().invoke(app, ["report", str(run), "--out", f"{run}/{'c' * 300}.html"])
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.endswith("c.html: File name too long. Choose a shorter name.\n")


@pytest.mark.parametrize("module", ["noiseaudit_review.shown", "noiseaudit_reports", "noiseaudit.checked"])
def test_what_shows_an_audit_does_not_import_torch(module: str) -> None:
    """It would more than double the memory of a review's server."""
    if module.startswith("noiseaudit_review"):
        pytest.importorskip("fastapi", reason="the extra `review` is not installed")
    code = f"import sys, {module}; print([name for name in ('torch', 'torchvision') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"

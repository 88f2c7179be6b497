"""Commands that only read an audit start fast: they do not import what trains, plots or learns."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from noiseaudit.result import AuditResult

BUDGET_SECONDS = 0.7
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


@pytest.mark.parametrize("arguments", [["--help"], ["scan", "--help"], ["--version"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    assert _imported(*arguments) == []


def test_rank_imports_nothing_heavy(run: Path) -> None:
    assert _imported("rank", str(run)) == []


def test_evaluate_never_imports_torch(run: Path) -> None:
    assert not {"torch", "matplotlib", "PIL"} & set(_imported("evaluate", str(run)))


def test_clean_never_imports_torch(run: Path) -> None:
    imported = _imported(
        "clean",
        str(run),
        "--policy",
        "relabel",
        "--data",
        str(run / "labels.csv"),
        "--out",
        str(run / "o.csv"),
    )
    assert not {"torch", "sklearn", "scipy", "matplotlib", "PIL"} & set(imported)


@pytest.mark.parametrize(
    "arguments", [["--help"], ["rank", "RUN"], ["evaluate", "--help"], ["clean", "--help"]]
)
def test_start_up_time(run: Path, arguments: list[str]) -> None:
    command = [
        sys.executable,
        "-m",
        "noiseaudit_cli.main",
        *(str(run) if a == "RUN" else a for a in arguments),
    ]
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        subprocess.run(command, capture_output=True, check=True)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < BUDGET_SECONDS

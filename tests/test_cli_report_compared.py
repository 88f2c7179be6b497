"""report --compared: on the same data, from a scan and a comparison to the page, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from noiseaudit_cli.main import app
from tests.comparisons import line, write_lines
from tests.conftest import build_audit, written
from tests.test_compare_tools import N, blobs


def invoke(*words: object) -> Any:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return written(build_audit(n_unlabelled=0, n_unread=0), tmp_path / "run")


def test_a_scan_and_a_comparison_of_the_same_data_meet(tmp_path: Path) -> None:
    data, _ = blobs()
    np.save(tmp_path / "x.npy", data.x.numpy())
    rows = [f"s{i},{'abcd'[code]},w{i % 2}" for i, code in enumerate(data.codes.tolist())]
    labels = tmp_path / "labels.csv"
    labels.write_text("\n".join(["id,label,who", *rows]) + "\n")
    common = [labels, "--embeddings", tmp_path / "x.npy", "--epochs", 2, "--annotator-column", "who"]
    scan = invoke("scan", *common, "--out", tmp_path / "run")
    assert scan.exit_code == 0, scan.stderr
    out = tmp_path / "c.jsonl"
    compare = invoke(
        "compare", *common, "--plant", "symmetric", "--tools", "knn,guider", "--seeds", "0-1", "--out", out
    )
    assert compare.exit_code == 0, compare.stderr
    first = json.loads(out.read_text().splitlines()[0])
    assert (first["review"]["reviewed"][-1], first["review"]["found"][-1]) == (N, first["wrong"])
    report = invoke("report", tmp_path / "run", "--compared", out)
    assert report.exit_code == 0, report.stderr
    page = (tmp_path / "run" / "report.html").read_text("utf-8")
    assert "Beside other tools" in page
    assert page.count('class="chart"') > 1
    found = json.loads((tmp_path / "run" / "report.json").read_text())["compared"]
    assert [(tool["tool"], tool["n_seeds"]) for tool in found["tools"]] == [("knn", 2), ("guider", 2)]
    assert (found["n"], found["wrong"], found["plant"], found["rate"]) == (
        N,
        first["wrong"],
        "symmetric",
        0.2,
    )
    assert "### Beside other tools" in (tmp_path / "run" / "report.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data_fingerprint": "sha256:other"}, "c.jsonl: compares tools on other labels or images than"),
        ({"review": None}, "c.jsonl, line 1: `review` is not an object. Run `noiseaudit compare` again."),
    ],
)  # fmt: skip
def test_a_file_that_does_not_fit_writes_nothing(
    run: Path, tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    file = write_lines(tmp_path / "c.jsonl", line("knn", **changes))
    result = invoke("report", run, "--compared", file)
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert message in result.stderr
    assert [path.name for path in run.iterdir()] == ["audit.parquet"]


def test_the_comparison_is_never_written_over(run: Path, tmp_path: Path) -> None:
    file = write_lines(tmp_path / "c.json", line("knn"))
    before = file.read_bytes()
    result = invoke("report", run, "--compared", file, "--out", file, "--force")
    assert (result.exit_code, "never overwritten" in result.stderr) == (2, True)
    assert file.read_bytes() == before

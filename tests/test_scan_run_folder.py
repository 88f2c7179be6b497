"""scan's run folder: every part is there, agrees with the audit, and serves the commands that read it."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import average_precision_score, f1_score, precision_score, recall_score, roc_auc_score
from typer.testing import CliRunner

from noiseaudit.demo import write_digits
from noiseaudit.result import read_audit
from noiseaudit_cli.main import app
from tests.scoring import read_dynamics


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """120 digits and their labels, a fifth of them corrupted."""
    folder = tmp_path_factory.mktemp("digits")
    write_digits(folder, limit=120)
    _run(
        "corrupt", folder / "labels.csv", "--kind", "symmetric", "--rate", 0.2, "--out", folder / "noisy.csv"
    )
    return folder


@pytest.fixture(scope="module")
def run(data: Path) -> Path:
    _scan(data, data / "run")
    return data / "run"


def _run(*words: object) -> Any:
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.stderr
    return result


def _scan(data: Path, out: Path, *options: object) -> Any:
    common = ["--images", data / "images", "--out", out, "--epochs", 6, "--device", "cpu"]
    return _run("scan", data / "noisy.csv", *common, *options)


def _json(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return content


def test_the_run_folder_holds_what_was_promised(run: Path) -> None:
    assert sorted(path.name for path in run.iterdir()) == [
        "audit.parquet",
        "cleaned.csv",
        "dynamics.parquet",
        "embeddings.npy",
        "model.safetensors",
        "report.html",
        "report.json",
        "report.md",
        "run.json",
        "suspects.csv",
    ]


def test_every_part_has_a_row_for_each_input(run: Path) -> None:
    audit = read_audit(run)
    ids = [f"{i:04d}.png" for i in range(120)]
    assert audit.table.column("sample_id").to_pylist() == ids
    embeddings = np.load(run / "embeddings.npy", allow_pickle=False)
    assert embeddings.dtype == np.float32
    assert len(embeddings) == 120
    assert np.isfinite(embeddings).all()
    dynamics = read_dynamics(run / "dynamics.parquet")
    assert dynamics.column("epoch").to_pylist() == [epoch for epoch in range(1, 7) for _ in ids]
    assert dynamics.column("sample_id").to_pylist() == ids * 6
    last = dynamics.slice(5 * 120)
    assert last.column("epsilon").to_pylist() == audit.table.column("epsilon").to_pylist()


def test_run_json_describes_the_run(run: Path, data: Path) -> None:
    saved = _json(run / "run.json")
    assert saved["status"] == "complete"
    assert saved["paths"]["data"] == str(data / "noisy.csv")
    assert saved["paths"]["images"] == str(data / "images")
    assert saved["counts"]["rows"] == saved["counts"]["labelled"] == 120
    assert saved["config"]["asked"]["epochs"] == 6
    assert saved["source"]["image_column"] == "image"
    suspects = saved["counts"]["suspects"]
    assert saved["cleaned"] == {"file": "cleaned.csv", "changed": suspects, "protected": 0}


def test_the_audit_knows_no_path_or_time(run: Path, data: Path) -> None:
    saved = _json(run / "run.json")
    content = (run / "audit.parquet").read_bytes()
    metadata = str(pq.read_schema(run / "audit.parquet").metadata)
    for secret in (str(data), saved["started"]):
        assert secret.encode() not in content
        assert secret not in metadata


def test_the_same_seed_gives_the_same_bytes_anywhere(run: Path, data: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    (moved / "images").symlink_to(data / "images")
    (moved / "noisy.csv").write_bytes((data / "noisy.csv").read_bytes())
    _scan(moved, tmp_path / "again", "--workers", 3)
    assert (tmp_path / "again" / "audit.parquet").read_bytes() == (run / "audit.parquet").read_bytes()
    for name in ("embeddings.npy", "model.safetensors"):
        assert (tmp_path / "again" / name).read_bytes() == (run / name).read_bytes()


def test_another_seed_gives_another_audit(run: Path, data: Path, tmp_path: Path) -> None:
    _scan(data, tmp_path / "other", "--seed", 1)
    assert read_audit(tmp_path / "other").table != read_audit(run).table


def test_evaluate_agrees_with_scikit_learn_on_the_parquet(run: Path, data: Path) -> None:
    output = json.loads(_run("evaluate", run, "--truth", data / "noisy.csv.truth.csv", "--json").stdout)
    with (data / "noisy.csv.truth.csv").open(newline="") as file:
        corrupted = [row["is_corrupted"] == "true" for row in csv.DictReader(file)]
    table = pq.read_table(run / "audit.parquet")
    paper, default = output["rules"]
    epsilon = table.column("epsilon").to_numpy()
    for rule, flagged, score in (
        (paper, epsilon > 0, epsilon),
        (default, table.column("is_label_issue").to_numpy(), table.column("p_mislabeled").to_numpy()),
    ):
        assert rule["precision"]["value"] == pytest.approx(precision_score(corrupted, flagged))
        assert rule["recall"]["value"] == pytest.approx(recall_score(corrupted, flagged))
        assert rule["f1"]["value"] == pytest.approx(f1_score(corrupted, flagged))
        assert rule["average_precision"]["value"] == pytest.approx(average_precision_score(corrupted, score))
        assert rule["auroc"]["value"] == pytest.approx(roc_auc_score(corrupted, score))


def test_cleaned_changes_the_suspects_and_not_one_byte_more(run: Path, data: Path) -> None:
    before = (data / "noisy.csv").read_bytes().splitlines(keepends=True)
    after = (run / "cleaned.csv").read_bytes().splitlines(keepends=True)
    table = read_audit(run).table
    flags, suggested = table.column("is_label_issue").to_pylist(), table.column("suggested_label").to_pylist()
    assert any(flags)
    expected = [
        f"{row:04d}.png,{suggested[row]}\n".encode() if flag else line
        for row, (flag, line) in enumerate(zip(flags, before[1:], strict=True))
    ]
    assert after == [before[0], *expected]


def test_suspects_and_reports_agree_with_the_audit(run: Path) -> None:
    flagged = read_audit(run).table.column("is_label_issue").to_pylist().count(True)
    with (run / "suspects.csv").open(newline="") as file:
        assert [row["rank"] for row in csv.DictReader(file)] == [str(i + 1) for i in range(flagged)]
    assert f"{flagged} of 120 labels" in (run / "report.md").read_text()
    assert "data:image/png;base64," in (run / "report.html").read_text()
    started = json.loads((run / "run.json").read_text())["started"][
        :10
    ]  # the reports are written before the scan ends
    assert f"scanned {started}" in (run / "report.md").read_text()


def test_reports_are_of_the_folders_final_name(run: Path) -> None:
    assert f"noiseaudit clean {run} " in (run / "report.md").read_text() + (run / "report.html").read_text()


def test_settings_reach_the_method(data: Path, tmp_path: Path) -> None:
    _scan(data, tmp_path / "run", "--set", "hidden=16", "--method", "umn")
    config = _json(tmp_path / "run" / "run.json")["config"]
    assert config["chosen"]["settings"]["hidden"] == 16
    assert config["asked"]["method"] == "umn"

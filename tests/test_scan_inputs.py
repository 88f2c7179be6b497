"""scan of folder trees, embeddings, true labels and images that lie elsewhere."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import numpy as np
from typer.testing import CliRunner

from noiseaudit.result import read_audit
from noiseaudit_cli.main import app
from tests.test_scan_run_folder import _json, _run, data

__all__ = ["data"]  # fixtures


def test_a_folder_tree_needs_no_label_file(data: Path, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    with (data / "noisy.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            (tree / row["label"]).mkdir(parents=True, exist_ok=True)
            os.link(data / "images" / row["image"], tree / row["label"] / row["image"])
    _run("scan", tree, "--out", tmp_path / "run", "--epochs", 1)
    audit = read_audit(tmp_path / "run")
    assert len(audit) == 120
    assert audit.meta.classes == tuple("0123456789")
    cleaned = (tmp_path / "run" / "cleaned.csv").read_text().splitlines()
    assert cleaned[0] == "image,label"
    assert len(cleaned) == 121
    moved, out = tree.rename(tmp_path / "moved"), tmp_path / "cleaned.csv"
    _run("clean", tmp_path / "run", "--policy", "relabel", "--data", moved, "--out", out)
    assert out.read_text().splitlines() == cleaned


def test_embeddings_in_place_of_images(data: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    np.save(tmp_path / "e.npy", rng.normal(size=(120, 5)).astype(np.float32))
    _run(
        "scan",
        data / "noisy.csv",
        "--embeddings",
        tmp_path / "e.npy",
        "--out",
        tmp_path / "run",
        "--epochs",
        1,
    )
    saved = _json(tmp_path / "run" / "run.json")
    assert saved["paths"]["images"] is None
    assert saved["config"]["chosen"]["backbone"] == "embeddings"
    assert "data:image" not in (tmp_path / "run" / "report.html").read_text()


def test_true_labels_of_the_file_are_evaluated(data: Path, tmp_path: Path) -> None:
    with (data / "noisy.csv.truth.csv").open(newline="") as file:
        rows = [f"{r['image']},{r['given_label']},{r['true_label']}" for r in csv.DictReader(file)]
    (tmp_path / "labels.csv").write_text("\n".join(["image,label,true_label", *rows]) + "\n")
    _run(
        "scan", tmp_path / "labels.csv", "--images", data / "images", "--out", tmp_path / "run", "--epochs", 1
    )
    from_audit = _run("evaluate", tmp_path / "run", "--json").stdout
    from_file = _run("evaluate", tmp_path / "run", "--truth", data / "noisy.csv.truth.csv", "--json").stdout
    assert json.loads(from_audit) == json.loads(from_file)
    assert "Average precision" in (tmp_path / "run" / "report.md").read_text()


def test_other_roots_and_backslashes_are_admitted(data: Path, tmp_path: Path) -> None:
    with (data / "noisy.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    cells = [str(data / "images" / rows[0]["image"]), *("..\\images\\" + row["image"] for row in rows[1:])]
    lines = [f"{cell},{row['label']}" for cell, row in zip(cells, rows, strict=True)]
    (tmp_path / "labels.csv").write_text("\n".join(["image,label", *lines]) + "\n")
    (data / "empty").mkdir()
    words = [
        "scan",
        tmp_path / "labels.csv",
        "--images",
        data / "empty",
        "--out",
        tmp_path / "run",
        "--epochs",
        1,
    ]
    refused = CliRunner().invoke(app, [str(word) for word in words])
    assert (refused.exit_code, "--allow-root" in refused.stderr) == (2, True)
    _run(*words, "--allow-root", tmp_path, "--allow-root", data / "images")
    assert read_audit(tmp_path / "run").table.column("status").unique().to_pylist() == ["ok"]

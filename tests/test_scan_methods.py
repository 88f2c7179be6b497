"""Every method gives an audit of the demo's digits, in the same format."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from typer.testing import CliRunner

from noiseaudit.demo import write_digits
from noiseaudit.methods import METHODS
from noiseaudit.result import SCHEMA, read_audit
from noiseaudit_cli.main import app

ROWS, RATE = 300, 0.2
SLOW = {"umn": 80, "mislabeled_vae": 80}  # epochs: their labelled term weighs little


def run(*words: object) -> None:
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.stderr


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """300 digits, a fifth of the labels wrong, and a list of rows that are right: three of each class."""
    folder = tmp_path_factory.mktemp("digits")
    write_digits(folder, limit=ROWS)
    run(
        "corrupt", folder / "labels.csv", "--kind", "symmetric", "--rate", RATE, "--out", folder / "noisy.csv"
    )
    with (folder / "labels.csv").open(newline="") as one, (folder / "noisy.csv").open(newline="") as other:
        pairs = list(zip(csv.DictReader(one), csv.DictReader(other), strict=True))
    right = [clean for clean, noisy in pairs if clean["label"] == noisy["label"]]
    trusted = [[row["image"] for row in right if row["label"] == name][:3] for name in map(str, range(10))]
    (folder / "trusted.txt").write_text("\n".join(name for names in trusted for name in names))
    return folder


@pytest.mark.parametrize("method", METHODS)
def test_an_audit_in_the_same_format(data: Path, tmp_path: Path, method: str) -> None:
    needs = METHODS[method].needs
    options = ["--device", "cpu"] + ["--noise-rate", RATE] * ("noise_rate" in needs)
    options += ["--trusted", data / "trusted.txt"] if "trusted" in needs else []
    place = ["--images", data / "images", "--out", tmp_path / "run"]
    run("scan", data / "noisy.csv", *place, "--method", method, "--epochs", SLOW.get(method, 20), *options)
    audit = read_audit(tmp_path / "run" / "audit.parquet")
    assert audit.table.schema.equals(SCHEMA)
    scores = audit.column("p_mislabeled").astype(float)
    assert len(scores) == ROWS
    assert ((scores >= 0) & (scores <= 1)).all()
    assert sorted(audit.column("rank").tolist()) == list(range(1, ROWS + 1))
    assert (audit.table.column("epsilon").null_count == 0) == METHODS[method].has_guider
    assert set(audit.column("status").tolist()) == {"ok"}
    with (data / "labels.csv").open(newline="") as file:
        truth = np.array([row["label"] for row in csv.DictReader(file)])
    wrong = audit.column("given_label") != truth
    assert roc_auc_score(wrong, scores) > 0.6  # after so few steps
    assert (tmp_path / "run" / "report.html").exists()

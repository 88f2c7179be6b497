"""noiseaudit score of embeddings: scaled as the scan's were, and of the same width."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from noiseaudit.result import read_audit
from noiseaudit.runnames import MODEL_FILE
from tests.scoring import done, read_dynamics, run


@pytest.fixture(scope="module")
def clouds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """300 vectors of three clouds, 20 of them under another's name; scanned with few labels' folds."""
    folder, rng = tmp_path_factory.mktemp("clouds"), np.random.default_rng(0)
    true = np.arange(300) % 3
    np.save(folder / "x.npy", (4 * np.eye(9)[true] + rng.normal(size=(300, 9))).astype(np.float32))
    given = np.where(np.arange(300) < 20, (true + 1) % 3, true)
    lines = [f"{i},{'abc'[label]}" for i, label in enumerate(given)]
    (folder / "labels.csv").write_text("\n".join(["id,label", *lines]) + "\n")
    done(
        "scan", folder / "labels.csv", "--embeddings", folder / "x.npy", "--out", folder / "run",
        "--epochs", 10, "--folds", 2, "--device", "cpu",
    )  # fmt: skip
    return folder


def test_embeddings_are_scaled_as_the_scans_were(clouds: Path) -> None:
    done(
        "score", clouds / "labels.csv", "--embeddings", clouds / "x.npy", "--checkpoint", clouds / "run" / MODEL_FILE,
        "--out", clouds / "scored", "--device", "cpu",
    )  # fmt: skip
    audit, dynamics = (
        read_audit(clouds / "scored"),
        read_dynamics(clouds / "run" / "dynamics.parquet").to_pandas(),
    )
    np.testing.assert_array_equal(audit.column("p_given"), dynamics[dynamics.epoch == 10].p_given_guider)
    wrong = np.arange(300) < 20
    assert average_precision_score(wrong, audit.column("p_mislabeled")) > 0.9


def test_embeddings_of_another_width_are_refused(clouds: Path) -> None:
    np.save(clouds / "wide.npy", np.zeros((300, 10), np.float32))
    result = run(
        "score", clouds / "labels.csv", "--embeddings", clouds / "wide.npy", "--checkpoint", clouds / "run",
        "--out", clouds / "wide",
    )  # fmt: skip
    assert result.exit_code == 2
    assert "has 10 numbers a row, and the model was trained on 9" in result.stderr
    assert not (clouds / "wide").exists()

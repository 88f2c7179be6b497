"""Commands that scan and score, the rows for them, and what they leave."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from typer.testing import CliRunner

from noiseaudit.score import score_with_noise
from noiseaudit_cli.main import app


def run(*words: object) -> Any:
    return CliRunner().invoke(app, [str(word) for word in words])


def done(*words: object) -> Any:
    result = run(*words)
    assert result.exit_code == 0, result.stderr
    return result


def write_rows(file: Path, rows: list[list[str]]) -> Path:
    with file.open("w", newline="") as opened:
        csv.writer(opened).writerows([["image", "label"], *rows])
    return file


def score(data: Path, rows: Path, out: Path, *options: object) -> Any:
    images = [] if "--embeddings" in options else ["--images", data / "images"]
    return run(
        "score", rows, *images, "--checkpoint", data / "run", "--out", out, "--device", "cpu", *options
    )


def score_labels(probs: npt.NDArray[np.float32], given: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """p_mislabeled alone."""
    return score_with_noise(probs, given).p


def read_dynamics(folder: Path) -> pa.Table:
    """All epochs of a run, in their order."""
    return pa.concat_tables(pq.read_table(file) for file in sorted(folder.glob("epoch_*.parquet")))

"""Commands that scan and score, and the rows for them."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

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

"""A run to review, with images that show the true class, for tests and for tests/live."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image, ImageDraw
from typer.testing import CliRunner

from noiseaudit.clean import CleanSummary
from noiseaudit.describe_run import RunInputs, describe_run
from noiseaudit.labels.table import Source
from noiseaudit.result import SCHEMA, AuditResult
from noiseaudit.runjson import write_run_json
from noiseaudit_cli.main import app
from tests.conftest import build_audit

SHAPES = ("circle", "diamond", "square", "triangle")
SIZE = 96
_POINTS = {
    "diamond": [(0.5, 0.1), (0.85, 0.5), (0.5, 0.9), (0.15, 0.5)],
    "square": [(0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8)],
    "triangle": [(0.5, 0.15), (0.88, 0.82), (0.12, 0.82)],
}


def review_run(
    folder: Path,
    n: int = 60,
    classes: Sequence[str] = SHAPES,
    *,
    n_images: int | None = None,
    noise_rate: float = 0.3,
    cutoff: float = 0.5,
    n_unlabelled: int = 4,
) -> AuditResult:
    """`run`, `labels.csv` and `pictures` in `folder`; rows have splits and annotators, the run embeddings.

    Only the first `n_images` pictures are drawn, and row i shows number i % n_images of them.
    """
    drawn = n if n_images is None else n_images
    names = [f"{i % drawn:05d}.png" for i in range(n)]
    made = build_audit(
        n, classes, images=names, noise_rate=noise_rate, cutoff=cutoff, n_unlabelled=n_unlabelled
    )
    table = _with(made.table, "sample_id", [f"s{i}" for i in range(n)])
    table = _with(table, "split", ["test" if i % 5 == 0 else "train" for i in range(n)])
    table = _with(table, "annotator", [("ann", "bob")[i % 2] for i in range(n)])
    audit = AuditResult(table, made.meta)
    _draw_all(audit, folder / "pictures", drawn)
    run = folder / "run"
    run.mkdir(parents=True)
    audit.write(run / "audit.parquet")
    np.save(run / "embeddings.npy", _embeddings(audit))
    lines = zip(*(table.column(c).to_pylist() for c in ("sample_id", "image", "given_label")), strict=True)
    text = "".join(f'{name},{image},"{label or ""}"\n' for name, image, label in lines)
    (folder / "labels.csv").write_text(f"sample_id,image,label\n{text}")
    source = Source(folder / "labels.csv", "csv", "label", image_column="image", id_column="sample_id")
    inputs = RunInputs(source, images=folder / "pictures")
    cleaned = CleanSummary(run / "cleaned.csv", "relabel", n, 0, 0, 0, 0)
    write_run_json(run, {"status": "complete"} | describe_run(audit, inputs, [], cleaned))
    return audit


def command(*words: object) -> Any:
    """What a command of the terminal does."""
    return CliRunner().invoke(app, [str(word) for word in words])


def start(*words: object) -> tuple[subprocess.Popen[str], str]:
    """A server of its own process, and its address."""
    line = [sys.executable, "-m", "noiseaudit_cli.main", "review", *map(str, words), "--no-browser"]
    server = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert server.stdout is not None
    return server, server.stdout.readline().strip()


def _with(table: pa.Table, name: str, values: Sequence[Any]) -> pa.Table:
    place = SCHEMA.names.index(name)
    return table.set_column(place, SCHEMA.field(name), pa.array(values, SCHEMA.field(name).type))


def _draw_all(audit: AuditResult, folder: Path, count: int) -> None:
    folder.mkdir(parents=True)
    status, true = audit.column("status"), audit.column("true_label")
    for row in range(count):
        if status[row] != "missing":
            draw(true[row], row).save(folder / f"{row:05d}.png")


def draw(shape: str, seed: int) -> Image.Image:
    """A shape in a colour of its own, turned a little."""
    rng = np.random.default_rng(seed)
    ground, ink = (tuple(rng.integers(low, low + 90, 3).tolist()) for low in (150, 20))
    image = Image.new("RGB", (4 * SIZE, 4 * SIZE), ground)
    pen = ImageDraw.Draw(image)
    if shape in _POINTS:
        pen.polygon([(x * 4 * SIZE, y * 4 * SIZE) for x, y in _POINTS[shape]], fill=ink)
    else:
        pen.ellipse((0.6 * SIZE, 0.6 * SIZE, 3.4 * SIZE, 3.4 * SIZE), fill=ink)
    turned = image.rotate(float(rng.uniform(-25, 25)), fillcolor=ground, resample=Image.Resampling.BICUBIC)
    return turned.resize((SIZE, SIZE), Image.Resampling.LANCZOS)


def _embeddings(audit: AuditResult) -> np.ndarray[Any, Any]:
    """Near each other within a true class; NaN where no image was read."""
    rng = np.random.default_rng(0)
    codes = np.unique(audit.column("true_label").astype(str), return_inverse=True)[1]
    found = (np.eye(codes.max() + 1)[codes] + rng.normal(0, 0.1, (len(audit), codes.max() + 1))).astype(
        np.float32
    )
    found[audit.column("status") == "missing"] = np.nan
    return found

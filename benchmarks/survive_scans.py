"""The scans that survive.py cuts off: their data and commands, and whether two of them left the same."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_digits

from noiseaudit.demo import write_digits

ROWS = 150
LABELLED = 110
PICTURES = ["labels.csv", "--images", "images"]
VECTORS = ["labels.csv", "--embeddings", "vectors.npy"]
SCANS = {  # options of each; epochs are few, so that start-up and export get their share of the kills
    "umn_plus": [*PICTURES, "--epochs", "12"],
    "umn_plus, self-test": [*PICTURES, "--epochs", "6", "--self-test"],
    "umn_plus, few labels": ["few.csv", "--images", "images", "--epochs", "8"],
    "vectors, folds": [*VECTORS, "--epochs", "6", "--folds", "3"],
    "vectors, folds, self-test": [*VECTORS, "--epochs", "4", "--folds", "2", "--self-test"],
    "joint_optimization": [*PICTURES, "--epochs", "12", "--method", "joint_optimization"],
    "mentornet": [*PICTURES, "--epochs", "12", "--method", "mentornet", "--noise-rate", "0.2"],
    "reweight": [*PICTURES, "--epochs", "8", "--method", "reweight", "--trusted", "known"],
    "mean_teacher": ["few.csv", "--images", "images", "--epochs", "8", "--method", "mean_teacher"],
    "umn, over a finished run": [*PICTURES, "--epochs", "8", "--method", "umn", "--force"],
}
SAME = ("audit.parquet", "suspects.csv", "cleaned.csv", "embeddings.npy", "dynamics.parquet")


def write_data(folder: Path) -> None:
    """ROWS digits as pictures and as vectors; `few.csv` has LABELLED labels, `known` tells which are trusted."""
    write_digits(folder, limit=ROWS)
    np.save(folder / "vectors.npy", load_digits().data[:ROWS].astype(np.float32))
    with (folder / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for name, labelled in (("labels.csv", ROWS), ("few.csv", LABELLED)):
        with (folder / name).open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["image", "label", "known"])
            for i, row in enumerate(rows):
                writer.writerow([row["image"], row["label"] if i < labelled else "", str(i < 40).lower()])


def command(options: Sequence[str], out: Path, *more: object) -> list[str]:
    words = [sys.executable, "-m", "noiseaudit_cli.main", "scan", *options, "--out", out, "--device", "cpu"]
    return [*map(str, words), "--quiet", *map(str, more)]


def run(words: Sequence[str], data: Path) -> float:
    """Seconds of a scan that must succeed."""
    started = time.perf_counter()
    subprocess.run(words, cwd=data, check=True)
    return time.perf_counter() - started


def killed(words: Sequence[str], data: Path, seconds: float) -> bool:
    """Start a scan and kill it after so long. False if it was done by then."""
    with subprocess.Popen(words, cwd=data) as process:
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            return True
    if code:
        raise RuntimeError(f"a resumed scan failed: exit {code}")
    return False


def where(out: Path) -> str:
    """What a scan was at when it was killed, by what it left."""
    new = out.with_name(f".{out.name}.noiseaudit-new")
    folder = new if new.exists() else out
    names = {path.name for path in folder.iterdir()} if folder.exists() else set()
    if "run.json" not in names:
        return "start-up"
    status = json.loads((folder / "run.json").read_text())["status"]
    if status == "complete" and folder == out:
        return "end"
    if status == "complete" or "audit.parquet" in names:
        return "export"
    half = [path for place in ("checkpoints", "dynamics.parquet") for path in folder.glob(f"{place}/.*.tmp")]
    if half:
        return "a checkpoint's or an epoch's file"
    return "training" if [*folder.glob("checkpoints/*")] else "reading"


def compare(whole: Path, cut: Path) -> dict[str, Any]:
    """Which results have other bytes, and what is in one folder only."""
    different = [name for name in SAME if content(whole / name) != content(cut / name)]
    left = sorted({path.name for path in whole.iterdir()} ^ {path.name for path in cut.iterdir()})
    return {"different": different, "left_over": left}


def content(path: Path) -> Any:
    return {each.name: each.read_bytes() for each in path.iterdir()} if path.is_dir() else path.read_bytes()

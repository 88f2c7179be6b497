"""Scans that are killed at any moment and resumed end with the bytes of those that were not; so do full disks.

python benchmarks/survive.py 0 50     # scans; adds to benchmarks/results/survive.jsonl, and writes survive.md
python benchmarks/survive.py disks    # the same for full disks

Each scan runs once to its end. Then, in another folder, it is killed (SIGKILL) once to three times, each at a moment
drawn uniformly from the whole wall time of the first run, from the start of the interpreter to its end, and resumed
until it is done. Disks: a tmpfs that is too small by a share drawn likewise, then made larger; needs root on Linux.
"""

from __future__ import annotations

import csv
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.datasets import load_digits

from noiseaudit.bench.run_group import hardware
from noiseaudit.demo import write_digits
from noiseaudit.plan import versions
from noiseaudit.runtime import training_runtime

RESULTS = Path(__file__).parent / "results"
ROWS, LABELLED = 150, 110
MOST_KILLS = 3
DISKS, DISK = 10, 5 * 2**20  # full disks; bytes that the largest scan here fits in
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


def survive(name: str, seed: int, data: Path, work: Path, kills: int, rng: random.Random) -> dict[str, Any]:
    """One scan, killed `kills` times or until it is done, at least once: its line of the results."""
    options = [*SCANS[name], "--seed", str(seed)]
    whole, cut = work / "whole", work / "cut"
    for folder in (whole, cut) if "--force" in options else ():
        run(command([*PICTURES, "--epochs", "1"], folder), data)
    wall = run(command(options, whole), data)
    moments: list[dict[str, Any]] = []
    while len(moments) < kills:
        moment = rng.uniform(0, wall)
        if killed(command(options, cut, "--resume"), data, moment):
            moments.append({"seconds": round(moment, 3), "at": where(cut)})
        elif moments:
            break
        else:  # it was faster than the first: once more
            shutil.rmtree(cut)
            if "--force" in options:
                run(command([*PICTURES, "--epochs", "1"], cut), data)
    run(command(options, cut, "--resume"), data)
    return {"scan": name, "seed": seed, "seconds": round(wall, 3), "kills": moments, **compare(whole, cut)}


def compare(whole: Path, cut: Path) -> dict[str, Any]:
    """Which results have other bytes, and what is in one folder only."""
    different = [name for name in SAME if content(whole / name) != content(cut / name)]
    left = sorted({path.name for path in whole.iterdir()} ^ {path.name for path in cut.iterdir()})
    return {"different": different, "left_over": left}


def content(path: Path) -> Any:
    return {each.name: each.read_bytes() for each in path.iterdir()} if path.is_dir() else path.read_bytes()


@contextmanager
def tmpfs(folder: Path, size: int) -> Iterator[None]:
    """A file system of `size` bytes at `folder`. Raises CalledProcessError or OSError where none can be mounted."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


def full_disk(data: Path, whole: Path, work: Path, share: float) -> dict[str, Any]:
    """Scan to a disk with `share` of the room that it takes, then again with enough: its line of the results."""
    options, needed = [*SCANS["umn_plus"], "--seed", "0"], DISK
    disk = work / "disk"
    with tmpfs(disk, max(4096, int(share * needed))):
        words = command(options, disk / "run")
        first = subprocess.run(words, cwd=data, capture_output=True, text=True, check=False)
        at = where(disk / "run")
        subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
        run([*words, "--resume"], data)
        return {
            "disk": round(share * needed),
            "code": first.returncode,
            "said": first.stderr.replace(str(work), "").strip().splitlines(),
            "at": at,
            **compare(whole, disk / "run"),
        }


def scans(first: int, last: int, place: Path) -> Iterator[dict[str, Any]]:
    """A line for each of these scans."""
    data, names = place / "data", list(SCANS)
    for i in range(first, last):
        work, rng = place / str(i), random.Random(i)
        work.mkdir()
        kills = rng.randint(1, MOST_KILLS)
        yield survive(names[i % len(names)], i // len(names), data, work, kills, rng)
        shutil.rmtree(work)


def disks(place: Path) -> Iterator[dict[str, Any]]:
    """A line for each of DISKS full disks."""
    data, rng = place / "data", random.Random(0)
    run(command([*SCANS["umn_plus"], "--seed", "0"], place / "whole"), data)
    for i in range(DISKS):
        work = place / f"disk{i}"
        work.mkdir()
        yield full_disk(data, place / "whole", work, rng.random())


def main(words: Sequence[str]) -> None:
    os.environ["NOISEAUDIT_SCAN_FEATURE_CACHE"] = "none"
    with training_runtime(1):
        known = {"versions": versions(), "hardware": hardware(torch.device("cpu"))}
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / "survive.jsonl"
    with tempfile.TemporaryDirectory() as place:
        data = Path(place) / "data"
        data.mkdir()
        write_data(data)
        wanted = (
            disks(Path(place)) if [*words] == ["disks"] else scans(int(words[0]), int(words[1]), Path(place))
        )
        for line in wanted:
            with file.open("a") as results:
                results.write(json.dumps(line | known) + "\n")
            print(json.dumps(line), flush=True)
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    (RESULTS / "survive.md").write_text(table(lines))


def table(lines: Sequence[dict[str, Any]]) -> str:
    cut = [line for line in lines if "scan" in line]
    full = [line for line in lines if "disk" in line]
    known, machine = lines[-1]["versions"], lines[-1]["hardware"]
    places = Counter(place(line["scan"], kill["at"]) for line in cut for kill in line["kills"])
    rows = [
        "# Scans that were cut off",
        "",
        f"`python benchmarks/survive.py`: {machine['name']}, {machine['cores']} cores, torch "
        f"{known['torch']}, noiseaudit {known['noiseaudit']}. Every kill is a SIGKILL at a "
        "moment uniform over the wall time of the same scan without one. Identical: "
        f"{', '.join(SAME)}, byte for byte, and no file more or less in the folder.",
        "",
        "| scan | n | kills | identical |",
        "|---|---|---|---|",
    ]
    for name in SCANS:
        mine = [line for line in cut if line["scan"] == name]
        kills = sum(len(line["kills"]) for line in mine)
        rows.append(f"| {name} | {len(mine)} | {kills} | {identical(mine)} |")
    rows.append(f"| all | {len(cut)} | {sum(places.values())} | {identical(cut)} |")
    rows += ["", "| killed while at | kills |", "|---|---|"]
    rows += [f"| {at} | {count} |" for at, count in places.most_common()]
    rows += [
        "",
        "Disks (tmpfs) of a size drawn at random, then enlarged and resumed; exit code 0: it was large enough.",
        "",
        "| bytes | exit code | lines said | at | identical |",
    ]
    rows += ["|---|---|---|---|---|"]
    rows += [
        f"| {line['disk']} | {line['code']} | {len(line['said'])} | {line['at']} | {identical([line])} |"
        for line in sorted(full, key=lambda line: line["disk"])
    ]
    said = sorted({line for disk in full for line in disk["said"]})
    return "\n".join([*rows, "", *(f"- `{line}`" for line in said)]) + "\n"


def place(scan: str, at: str) -> str:
    """Over a finished run, the folder alone does not tell a scan that has hardly begun from one that is done."""
    return "start-up or end, over a finished run" if at == "end" and "--force" in SCANS[scan] else at


def identical(lines: Sequence[dict[str, Any]]) -> str:
    return f"{sum(not line['different'] and not line['left_over'] for line in lines)} of {len(lines)}"


if __name__ == "__main__":
    main(sys.argv[1:])

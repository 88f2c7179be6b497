"""Scans that are killed at any moment and resumed end with the bytes of those that were not; so do full disks.

python benchmarks/survive.py 0 50     # scans; adds to benchmarks/results/survive.jsonl, and writes survive.md
python benchmarks/survive.py disks    # the same for full disks

Each scan runs once to its end. Then, in another folder, it is killed (SIGKILL) once to three times, each at a moment
drawn uniformly from the whole wall time of the first run, from the start of the interpreter to its end, and resumed
until it is done. Disks: a tmpfs that is too small by a share drawn likewise, then made larger; needs root on Linux.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from survive_scans import PICTURES, SCANS, command, compare, killed, run, where, write_data
from survive_table import table

from noiseaudit.bench.run_group import hardware
from noiseaudit.runtime import training_runtime
from noiseaudit.versions import versions

RESULTS = Path(__file__).parent / "results"
MOST_KILLS = 3
DISKS, DISK = 10, 5 * 2**20  # full disks; bytes that the largest scan here fits in


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


if __name__ == "__main__":
    main(sys.argv[1:])

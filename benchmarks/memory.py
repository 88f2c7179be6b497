"""Peak memory of reading images, beside the formula of docs/method.md: base + cache + what the threads hold.

Each line is a child process that reads N generated JPEG files. A memory map counts as memory while it stays in the
machine's page cache, so anonymous memory, which is what a limit is about, is told apart (Linux).

python benchmarks/memory.py            # writes benchmarks/results/memory.md
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from PIL import Image

RESULTS = Path(__file__).parent / "results" / "memory.md"
SIDE, WORKERS, PX = 128, 2, 256
SIZES = (0, 4_000, 12_000)


def write(folder: Path, n: int) -> None:
    rng = np.random.default_rng(0)
    for i in range(64):
        small = Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8))
        small.resize((PX, PX), Image.Resampling.BICUBIC).save(folder / f"{i}.jpg")
    for i in range(64, n):
        (folder / f"{i}.jpg").hardlink_to(folder / f"{i % 64}.jpg")


def anonymous() -> int:
    """Bytes of this process that are no file's."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon"))


def child(folder: Path, n: int, limit: int) -> None:
    from noiseaudit.data.load import find_images, load_images
    from noiseaudit.labels.table import LabelTable

    peak, done = [0], threading.Event()

    def watch() -> None:
        while not done.wait(0.01):
            peak[0] = max(peak[0], anonymous())

    watcher = threading.Thread(target=watch)
    watcher.start()
    time.sleep(0.1)
    if n:
        cells = np.array([f"{i}.jpg" for i in range(n)], dtype=object)
        found = find_images(LabelTable(None, cells, cells, cells), folder, workers=WORKERS, file=folder)
        load_images(
            found, image_size=SIDE, workers=WORKERS, memory_limit=limit, cache_dir=folder / f"cache{n}"
        )
    done.set()
    watcher.join()
    print(json.dumps(peak[0]))


def main() -> None:
    rows = ["| images | cache | --max-memory | peak, MB | formula, MB |", "|" + "---|" * 5]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, max(SIZES))
        base = 0
        for n in SIZES:
            for limit in (2**40, 0) if n else (0,):
                command = [sys.executable, __file__, "child", name, str(n), str(limit)]
                peak = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
                base = base or peak
                cache = n * 3 * SIDE**2
                # Each thread holds a file, its pixels (three bands, and Pillow's four), and the smaller picture.
                expected = base + (cache if limit else 0) + WORKERS * (7 * PX**2 + 6 * SIDE**2)
                where = "in memory" if limit else "in a file"
                cells = (n, f"{cache / 1e6:.0f} MB", where, f"{peak / 1e6:.0f}", f"{expected / 1e6:.0f}")
                rows.append(f"| {' | '.join(map(str, cells))} |")
                print(rows[-1], flush=True)
    RESULTS.write_text("\n".join(rows) + "\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["child"]:
        child(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
    else:
        main()

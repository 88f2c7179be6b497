"""Rate of reading JPEG files into one uint8 array: ours, from paths to fingerprint, beside a bare torchvision loop.

Ours finds the files, reads their headers, decodes, resizes, lists what cannot be read and takes the fingerprint, as a
scan does. The loop reads, decodes and resizes each file, with as many threads, into an array of the same shape. Both
run in turn in one process, on the same files: CIFAR-10's first training images, enlarged to 256 px, quality 90.

NOISEAUDIT_DATA=... python benchmarks/decode.py run --images 20000 --repeats 5    # an idle machine
python benchmarks/decode.py table                                                 # benchmarks/results/decode.md
"""

from __future__ import annotations

import argparse
import io
import json
import os
import platform
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import torch
import torchvision
from PIL import Image, features
from torchvision.io import ImageReadMode, decode_image, read_file
from torchvision.transforms.v2.functional import resize

from noiseaudit.data.fingerprint import fingerprint
from noiseaudit.data.load import find_images, load_images
from noiseaudit.labels.table import LabelTable
from noiseaudit.versions import versions

RESULTS = Path(__file__).parent / "results" / "decode.jsonl"
PX, QUALITY, CHUNK = 256, 90, 32
SIDES = (64, 128, 224)  # to which images of 256 px are brought


def write_images(folder: Path, n: int) -> list[str]:
    """n JPEG files; beyond CIFAR-10's 50,000 they repeat."""
    data = Path(os.environ["NOISEAUDIT_DATA"]) / "cifar10" / "train.parquet"
    cells = pq.read_table(data, columns=["image"])["image"].slice(0, n).to_pylist()

    def write(i: int) -> str:
        cell = cells[i % len(cells)]
        image = Image.open(io.BytesIO(cell["bytes"] if isinstance(cell, dict) else cell)).convert("RGB")
        image.resize((PX, PX), Image.Resampling.BICUBIC).save(folder / f"{i:06d}.jpg", quality=QUALITY)
        return f"{i:06d}.jpg"

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(write, range(n)))


def ours(folder: Path, names: Sequence[str], side: int, workers: int) -> np.ndarray[Any, Any]:
    cells = np.array(names, dtype=object)
    table = LabelTable(None, cells, cells, np.array(["a", "b"] * len(names), dtype=object)[: len(names)])
    found = find_images(table, folder, workers=workers, file=folder)
    pixels = load_images(
        found, image_size=side, workers=workers, memory_limit=2**40, cache_dir=folder / "cache"
    )
    fingerprint(table, pixels.digests)
    assert pixels.is_ok.all()
    return pixels.data.numpy()


def loop(folder: Path, names: Sequence[str], side: int, workers: int) -> np.ndarray[Any, Any]:
    data = torch.zeros((len(names), 3, side, side), dtype=torch.uint8)

    def work(start: int) -> None:
        for row in range(start, min(start + CHUNK, len(names))):
            image = decode_image(read_file(str(folder / names[row])), mode=ImageReadMode.RGB)
            data[row] = resize(image, [side, side], antialias=True)

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, range(0, len(names), CHUNK)))
    return data.numpy()


def rates(read: Callable[..., Any], *arguments: Any) -> tuple[float, float]:
    """Images a second, by the clock and by the CPU time of all threads, which other programs disturb less."""
    wall, cpu = time.perf_counter(), time.process_time()
    n = len(read(*arguments))
    return n / (time.perf_counter() - wall), n / (time.process_time() - cpu)


def run(n: int, repeats: int, workers: int, sides: Sequence[int]) -> None:
    torch.set_num_threads(1)  # one thread an image on both sides
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        names = write_images(folder, n)
        for side in sides:
            a, b = (read(folder, names[:500], side, workers).astype(np.int16) for read in (ours, loop))
            apart = float(np.abs(a - b).mean())
            for repeat in range(repeats):
                pair = [("ours", ours), ("loop", loop)][:: 1 if repeat % 2 == 0 else -1]
                found = {key: rates(read, folder, names, side, workers) for key, read in pair}
                line: dict[str, Any] = {"images": n, "side": side, "workers": workers, "repeat": repeat}
                line |= {key: round(wall, 1) for key, (wall, _) in found.items()}
                line |= {"ratio": round(found["ours"][0] / found["loop"][0], 3)}
                line |= {"cpu_ratio": round(found["ours"][1] / found["loop"][1], 3)}
                line |= {"pixels_apart": round(apart, 3)}
                line |= {"load": round(os.getloadavg()[0], 1)} | machine()
                with RESULTS.open("a") as file:
                    print(json.dumps(line), file=file)
                print(line, flush=True)


def machine() -> dict[str, Any]:
    jpeg = f"libjpeg-turbo {features.version('libjpeg_turbo')}"
    pillow = {"pillow": Image.__version__, "jpeg of pillow": jpeg, "torchvision": torchvision.__version__}
    return {"cores": os.cpu_count(), "machine": platform.machine(), "versions": versions() | pillow}


def table() -> None:
    lines = [json.loads(line) for line in RESULTS.read_text().splitlines()]
    rows = [
        "| images | side | threads | cores | n | ours, images/s | loop, images/s | ratio (worst) | by CPU time |",
        "|---" * 9 + "|",
    ]
    for key in sorted({(line["images"], line["side"], line["workers"], line["cores"]) for line in lines}):
        own = [x for x in lines if (x["images"], x["side"], x["workers"], x["cores"]) == key]
        means = [float(np.mean([x[name] for x in own])) for name in ("ours", "loop", "ratio", "cpu_ratio")]
        cells = [*map(str, key), str(len(own)), f"{means[0]:.0f}", f"{means[1]:.0f}"]
        rows.append(
            f"| {' | '.join(cells)} | {means[2]:.2f} ({min(x['ratio'] for x in own):.2f}) | {means[3]:.2f} |"
        )
    RESULTS.with_suffix(".md").write_text("\n".join(rows) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("run", "table"))
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--sides", type=int, nargs="+", default=SIDES)
    arguments = parser.parse_args()
    if arguments.what == "run":
        run(arguments.images, arguments.repeats, arguments.workers, arguments.sides)
    table()


if __name__ == "__main__":
    main()

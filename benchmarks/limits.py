"""How near a training step comes to what the machine can do: matrix products, memory, decoding, and the steps beside.

Everything is timed in turns in one process, so each figure is a ratio to others of the same minute. A step's floor is
the time of its matrix products alone, each timed at its own shape; "share" is that rate reached by the whole step. The
cross-entropy step has the same encoder, loader, perturbation and optimiser. One thread of a CPU is timed by the
processor's own clock, so that programs which wait for the same core do not count; caches and memory are shared still.

python benchmarks/limits.py run --repeats 7          # appends to benchmarks/results/limits.jsonl, writes limits.md
python benchmarks/limits.py table
"""

from __future__ import annotations

import argparse
import dataclasses
import io
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from counting import Shape, Work, count
from PIL import Image
from torchvision.io import decode_jpeg

from noiseaudit.bench.run_group import hardware
from noiseaudit.choose import choose_device
from noiseaudit.data.training import TrainingData
from noiseaudit.methods import METHODS
from noiseaudit.methods.base import Method, Setup
from noiseaudit.runtime import training_runtime
from noiseaudit.versions import versions

RESULTS = Path(__file__).parent / "results" / "limits.jsonl"
SQUARE = 1024  # side of the large product
ROWS, CLASSES = 5_000, 10
CASES = {"images, batch 256": ((1, 28, 28), 256), "images, batch 1,024": ((1, 28, 28), 1024),
         "features, batch 128": ((1280,), 128)}  # fmt: skip
SHARE, TIMES = 0.65, 1.1  # what is asked: of the products' rate, and of the ratio of operations


def seconds(function: Callable[[], Any], device: torch.device, at_least: float = 0.05) -> float:
    """The least of several calls: of one call, once warm."""
    clock = time.process_time if device.type == "cpu" and torch.get_num_threads() == 1 else time.perf_counter
    function()
    found, until = [], time.perf_counter() + at_least
    while time.perf_counter() < until or len(found) < 3:
        wait(device)
        started = clock()
        function()
        wait(device)
        found.append(clock() - started)
    return min(found)


def wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def product_seconds(shape: Shape, device: torch.device) -> float:
    m, k, n = shape
    a, b = torch.randn(m, k, device=device), torch.randn(k, n, device=device)
    return seconds(lambda: a @ b, device)


def data_of(shape: tuple[int, ...]) -> TrainingData:
    numbers = torch.Generator().manual_seed(0)
    if len(shape) == 1:
        x = torch.randn(ROWS, *shape, generator=numbers)
    else:
        x = torch.randint(0, 256, (ROWS, *shape), generator=numbers, dtype=torch.uint8)
    codes = torch.randint(0, CLASSES, (ROWS,), generator=numbers)
    return TrainingData(x, torch.arange(ROWS), codes, CLASSES)


def methods(data: TrainingData, device: torch.device) -> dict[str, Method]:
    """umn_plus as scan has it, and cross-entropy on what its encoder sees."""
    backbone = "embeddings" if len(data.shape) == 1 else "mlp"
    setup = Setup(data, backbone, 0, device)
    ours = METHODS["umn_plus"].settings(data.inputs)
    alike = {
        name: getattr(ours, name) for name in ("input_noise", "input_dropout", "jitter", "learning_rate")
    }
    plain = dataclasses.replace(METHODS["supervised"].settings(data.inputs), **alike)
    return {
        "umn_plus": METHODS["umn_plus"](setup, ours),
        "cross-entropy": METHODS["supervised"](setup, plain),
    }


def step_of(method: Method, data: TrainingData, size: int, device: torch.device) -> Callable[[], Any]:
    rows = torch.arange(size)
    return lambda: method.step(data.batch(rows, device), 0.5)


def measure(case: str, device: torch.device, repeat: int) -> dict[str, Any]:
    """One line: a case's floor and times, in turns."""
    shape, size = CASES[case]
    data = data_of(shape)
    line: dict[str, Any] = {"case": case, "repeat": repeat}
    for name, method in methods(data, device).items():
        step = step_of(method, data, size, device)
        for _ in range(3):
            step()
        work = count(step)
        floor = sum(n * product_seconds(each, device) for each, n in work.products.items())
        line[name] = described(work, floor, seconds(step, device, 0.5))
    line["square_gflops"] = 2 * SQUARE**3 / product_seconds((SQUARE,) * 3, device) / 1e9
    return line


def described(work: Work, floor: float, taken: float) -> dict[str, float]:
    return {
        "gflop": work.operations / 1e9, "mib_moved": work.bytes_moved / 2**20, "other_calls": work.calls,
        "floor_ms": 1e3 * floor, "ms": 1e3 * taken, "share": floor / taken,
        "products_gflops": work.operations / floor / 1e9, "gflops": work.operations / taken / 1e9,
    }  # fmt: skip


def machine(device: torch.device) -> dict[str, float]:
    """Gigabytes a second of copies, within the cache and beyond it, and JPEG files of 256 px a second."""
    found = {}
    for name, size in (("copy_1_mib_gb_s", 2**18), ("copy_256_mib_gb_s", 2**26)):
        source = torch.ones(size, device=device)
        target = torch.empty_like(source)
        found[name] = 8 * size / seconds(lambda a=source, b=target: b.copy_(a), device) / 1e9
    pixels = torch.randint(0, 256, (16, 16, 3), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels.numpy()).resize((256, 256), Image.Resampling.BICUBIC).save(
        stream, "JPEG", quality=90
    )
    coded = torch.frombuffer(bytearray(stream.getvalue()), dtype=torch.uint8)
    found["jpeg_256_px_s"] = 1 / seconds(lambda: decode_jpeg(coded), torch.device("cpu"))
    return found


def run(repeats: int, device: torch.device, threads: list[int]) -> None:
    for count_of in threads:
        with training_runtime(threads=count_of):
            about = {"hardware": hardware(device), "versions": versions(), **machine(device)}
            for repeat in range(repeats):
                for case in CASES:
                    line = measure(case, device, repeat) | about
                    with RESULTS.open("a") as file:
                        print(json.dumps(line), file=file)
                    print(
                        case,
                        repeat,
                        {k: round(line[k]["share"], 2) for k in ("umn_plus", "cross-entropy")},
                        flush=True,
                    )


def read_limits() -> list[dict[str, Any]]:
    return [json.loads(text) for text in RESULTS.read_text().splitlines()]


def operations_ratio(line: dict[str, Any]) -> float:
    """Of a step of umn_plus, to one of cross-entropy; the same in all lines of a case."""
    return float(line["umn_plus"]["gflop"] / line["cross-entropy"]["gflop"])


def table() -> str:
    lines = read_limits()
    rows = [
        "| machine | case | n | square, GFLOP/s | products of the step, GFLOP/s | floor, ms | step, ms | share "
        "| cross-entropy: floor, ms | step, ms | share | operations, ratio | time, ratio | time / (1.1 x operations) |",
        "|---" * 14 + "|",
    ]
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for line in lines:
        about = line["hardware"]
        name = f"{about['name']}, {about['threads']} of {about['cores']} cores, torch {line['versions']['torch']}"
        groups.setdefault((name, line["case"]), []).append(line)
    for (name, case), found in groups.items():
        ours, plain = [line["umn_plus"] for line in found], [line["cross-entropy"] for line in found]
        operations = operations_ratio(found[0])
        times = [a["ms"] / b["ms"] for a, b in zip(ours, plain, strict=True)]
        cells = [
            name, case, str(len(found)), middle([line["square_gflops"] for line in found], 0),
            *(middle([each[key] for each in ours], digits) for key, digits in
              (("products_gflops", 0), ("floor_ms", 1), ("ms", 1), ("share", 2))),
            *(middle([each[key] for each in plain], digits) for key, digits in
              (("floor_ms", 1), ("ms", 1), ("share", 2))),
            f"{operations:.2f}", middle(times, 2), middle([each / (TIMES * operations) for each in times], 2),
        ]  # fmt: skip
        rows.append(f"| {' | '.join(cells)} |")
    head = (
        f"Medians and [least, most] of n turns; asked: a share of {SHARE} for images, and at most "
        "1.00 in the last column. limits.jsonl has the bytes moved, memory's rates and that of decoding.\n\n"
    )
    return head + "\n".join(rows) + "\n"


def middle(values: list[float], digits: int) -> str:
    low, high = min(values), max(values)
    return f"{statistics.median(values):.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=["run", "table"])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, nargs="+", default=sorted({1, torch.get_num_threads()}))
    args = parser.parse_args()
    if args.action == "run":
        run(args.repeats, choose_device(args.device), args.threads)
    text = table()
    RESULTS.with_suffix(".md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()

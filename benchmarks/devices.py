"""Two processes beside one, and the rates that docs/scaling.md plans with.

    python benchmarks/devices.py agree --seeds 0 1 2                       # digits; with NOISEAUDIT_DATA MNIST, too
    python benchmarks/devices.py rates                                     # images and rows, one thread
    python benchmarks/devices.py memory                                    # bytes a row; Linux

`agree` scans the same noisy labels by one process and by two (torchrun, gloo), with no option but paths and seed. Rates
are of one thread and given by processor time, which other jobs on the machine change less than the clock; the clock's
are beside them. Bytes are the slope of the peak memory of whole runs over two sizes.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from devices_rates import rates
from sklearn.metrics import average_precision_score

RESULTS = Path(__file__).parent / "results" / "devices.jsonl"
TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
COMMAND = ("-m", "noiseaudit_cli.main")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=["agree", "rates", "memory", "peak"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--rows", type=int, help="of `peak`, which `memory` calls")
    parser.add_argument("--job", choices=["scan", "score"], help="of `peak`")
    args = parser.parse_args()
    if args.action == "peak":
        print(peak(args.job, args.rows))
        return
    lines = {"agree": lambda: agree(args.seeds), "rates": rates, "memory": memory}[args.action]
    for line in lines():
        write(line)
    RESULTS.with_suffix(".md").write_text(table())


def write(line: dict[str, Any]) -> None:
    from noiseaudit.versions import versions

    about = {"cores": os.cpu_count(), "load": round(os.getloadavg()[0], 1), "versions": versions()}
    with RESULTS.open("a") as file:
        file.write(json.dumps(line | about) + "\n")
    print(json.dumps(line), flush=True)


def table() -> str:
    """The lines of `agree` in Markdown."""
    columns = {"seed": "d", "ap_1": ".4f", "ap_2": ".4f", "jaccard": ".4f", "largest_difference": ".3f",
               "seconds_1": ".0f", "seconds_2": ".0f"}  # fmt: skip
    titles = "data", "seed", "AP, one process", "AP, two", "Jaccard index of suspects"
    lines = [
        " | ".join([*titles, "largest difference of p_mislabeled", "seconds, one", "seconds, two"]),
        " | ".join(["---"] * 8),
    ]
    for line in map(json.loads, RESULTS.read_text().splitlines()):
        if line["what"] == "agree":
            data = f"{line['data']}, {line['rate']:.0%} planted"
            lines.append(" | ".join([data, *(format(line[name], kind) for name, kind in columns.items())]))
    return "".join(f"| {text} |\n" for text in lines)


def agree(seeds: list[int]) -> Iterator[dict[str, Any]]:
    """A line for each data set and seed."""
    for name, prepare in (("digits", digits), ("mnist 10,000", mnist)):
        if name != "digits" and "NOISEAUDIT_DATA" not in os.environ:
            continue
        with tempfile.TemporaryDirectory() as folder:
            rate = prepare(Path(folder))
            for seed in seeds:
                yield {"what": "agree", "data": name, "rate": rate, "seed": seed} | compare(
                    Path(folder), rate, seed
                )


def digits(folder: Path) -> float:
    from noiseaudit.demo import write_digits

    write_digits(folder)
    return 0.2


def mnist(folder: Path) -> float:
    from mnist import write_images

    write_images(folder / "images")
    (folder / "clean.csv").rename(folder / "labels.csv")
    return 0.3


def compare(folder: Path, rate: float, seed: int) -> dict[str, Any]:
    """AP by one process and by two, the Jaccard index of their suspects, the largest difference of p_mislabeled."""
    from noiseaudit import read_audit

    noisy = folder / f"noisy-{seed}.csv"
    run(*COMMAND, "corrupt", folder / "labels.csv", "--kind", "symmetric", "--rate", rate, "--seed", seed,
        "--out", noisy)  # fmt: skip
    with Path(f"{noisy}.truth.csv").open(newline="") as file:
        wrong = np.array([row["is_corrupted"] == "true" for row in csv.DictReader(file)])
    audits, found = [], dict[str, Any]()
    for count, launcher in ((1, ()), (2, TORCHRUN)):
        out = folder / f"run-{seed}-{count}"
        found[f"seconds_{count}"] = run(*launcher, *COMMAND, "scan", noisy, "--images", folder / "images",
                                        "--device", "cpu", "--seed", seed, "--out", out)  # fmt: skip
        audits.append(read_audit(out))
        found[f"ap_{count}"] = float(average_precision_score(wrong, audits[-1].column("p_mislabeled")))
    one, two = (audit.suspects() for audit in audits)
    p_one, p_two = (audit.column("p_mislabeled") for audit in audits)
    return found | {
        "jaccard": float((one & two).sum() / (one | two).sum()),
        "largest_difference": float(np.abs(p_one - p_two).max()),
        "same_rows": bool((audits[0].column("sample_id") == audits[1].column("sample_id")).all()),
    }


def run(*words: object) -> float:
    """Seconds of a Python command."""
    started = time.perf_counter()
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, *map(str, words)], check=True, capture_output=True, env=environment)
    return round(time.perf_counter() - started, 1)


def memory() -> Iterator[dict[str, Any]]:
    """A line for each command."""
    for job in ("scan", "score"):
        yield bytes_a_row(job)


def bytes_a_row(job: str) -> dict[str, Any]:
    """The slope of the peak memory over the rows of a run on vectors of 32 values, 10 classes."""
    sizes = (20_000, 120_000)
    peaks = [
        int(subprocess.run([sys.executable, __file__, "peak", "--job", job, "--rows", str(n)], check=True,
                           stdout=subprocess.PIPE, env=os.environ | {"OMP_NUM_THREADS": "1"}).stdout)
        for n in sizes
    ]  # fmt: skip
    slope = (peaks[1] - peaks[0]) / (sizes[1] - sizes[0])
    base = round((peaks[0] - slope * sizes[0]) / 2**20)
    return {
        "what": f"memory of {job}",
        "data": "32 values, 10 classes",
        "bytes_a_row": round(slope),
        "base_mib": base,
    }


def peak(job: str, n: int) -> int:
    """Bytes of this process at most, after a run on n rows."""
    from typer.testing import CliRunner

    from noiseaudit_cli.main import app

    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        true = rng.integers(10, size=n)
        np.save(folder / "x.npy", (3 * np.eye(32)[true] + rng.normal(size=(n, 32))).astype(np.float32))
        (folder / "labels.csv").write_text("id,label\n" + "".join(f"s{i},{c}\n" for i, c in enumerate(true)))
        words = [folder / "labels.csv", "--embeddings", folder / "x.npy", "--quiet", "--device", "cpu"]
        if job == "score":
            few = folder / "few"
            few.mkdir()
            np.save(few / "x.npy", np.load(folder / "x.npy")[:500])
            lines = (folder / "labels.csv").read_text().splitlines()[:501]
            (few / "labels.csv").write_text("\n".join(lines) + "\n")
            run(*COMMAND, "scan", few / "labels.csv", "--embeddings", few / "x.npy", "--out", few / "run",
                "--epochs", 1, "--folds", 0)  # fmt: skip
            words += ["--checkpoint", few / "run"]
        else:
            words += ["--epochs", 1, "--folds", 0]
        result = CliRunner().invoke(app, [job, *map(str, words), "--out", str(folder / "out")])
        assert result.exit_code == 0, result.output
    status = Path("/proc/self/status").read_text()  # getrusage would count the process that started this one
    return 1024 * int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])


if __name__ == "__main__":
    main()

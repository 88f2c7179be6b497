"""Ten million rows: rank, clean and evaluate beside bare DuckDB and Arrow on the same made-up files, in pairs.

Seconds are those after start-up: a process of ours less the same command on a small audit (the median of three), a
reference from behind its imports. Both run in processes of their own, one after the other, on files that the system
has in memory. "CPU" is user and system time of all threads.

python benchmarks/rows.py make --folder /tmp/rows --rows 10000000     # 3 minutes, 2.4 GB
python benchmarks/rows.py run --folder /tmp/rows --repeats 3
python benchmarks/rows.py table                                        # writes benchmarks/results/rows.md
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rows_data import write_case

RESULTS = Path(__file__).parent / "results" / "rows.jsonl"
SMALL = 1_000  # rows of the audit whose time is start-up
TOP = 1_000
SHOWN = "rank, row, sample_id, given_label, suggested_label, p_mislabeled, epsilon, is_label_issue"
TOLD = f"{SHOWN}, image, p_given, p_suggested, issue_kind, evidence"
RANKED = "from '{audit}' where p_mislabeled is not null order by p_mislabeled desc, row limit {top}"
# What is measured: our arguments, the label file, and the references to hold it to.
CASES: dict[str, tuple[list[str], str, list[str]]] = {
    "rank": (["rank", "--top", str(TOP)], "labels.csv", ["duckdb", "duckdb_by_rank"]),
    "rank --json": (["rank", "--top", str(TOP), "--json"], "labels.csv", ["duckdb_json"]),
    "clean drop, CSV": (["clean", "--policy", "drop"], "labels.csv", ["arrow_csv"]),
    "clean relabel, CSV": (["clean", "--policy", "relabel"], "labels.csv", ["arrow_csv"]),
    "clean drop, Parquet": (["clean", "--policy", "drop"], "labels.parquet", ["arrow_parquet"]),
    "clean relabel, Parquet": (["clean", "--policy", "relabel"], "labels.parquet", ["arrow_parquet"]),
    "evaluate": (["evaluate"], "labels.csv", []),
}


def reference(name: str, folder: Path) -> dict[str, float]:
    """One bare run, from behind the imports."""
    import duckdb
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.csv
    import pyarrow.parquet as pq

    audit, out = folder / "audit.parquet", folder / f"bare.{name.rpartition('_')[2]}"
    queries = {
        "duckdb": f"select {SHOWN} {RANKED}",
        "duckdb_json": f"select {TOLD} {RANKED}",
        "duckdb_by_rank": f"select {SHOWN} from '{{audit}}' where rank <= {{top}} order by rank",
    }
    start, cpu = time.perf_counter(), time.process_time()
    if name in queries:
        duckdb.sql(queries[name].format(audit=audit, top=TOP)).fetchall()
    else:
        issue = pq.ParquetFile(audit).read(columns=["is_label_issue"]).column(0)
        keep = pc.invert(pc.fill_null(issue, False))
        if name == "arrow_csv":
            pa.csv.write_csv(pa.csv.read_csv(folder / "labels.csv").filter(keep), out)
        else:
            pq.write_table(pq.ParquetFile(folder / "labels.parquet").read().filter(keep), out)
    found = {"seconds": time.perf_counter() - start, "cpu": time.process_time() - cpu}
    out.unlink(missing_ok=True)
    return found | {"peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def ours(case: str, folder: Path) -> dict[str, float]:
    """One process of ours, start-up and all."""
    (command, *options), labels, _ = CASES[case]
    words = [command, str(folder), *options]
    out = folder / f"ours{Path(labels).suffix}"
    if command == "clean":
        words += ["--data", str(folder / labels), "--out", str(out), "--force"]
        source = {"path": labels, "format": out.suffix[1:], "label_column": "label", "image_column": "image"}
        _write_run_json(folder, {"source": source})  # as a scan of this file has it
    return _measured([sys.executable, "-m", "noiseaudit_cli.main", *words], out)


def _write_run_json(folder: Path, more: dict[str, Any]) -> None:
    (folder / "run.json").write_text(json.dumps({"status": "complete", "config": {}} | more))


def _measured(command: list[str], out: Path) -> dict[str, float]:
    start = time.perf_counter()
    with open(os.devnull, "w") as nowhere:
        child = subprocess.Popen(command, stdout=nowhere, stderr=nowhere)
        _, status, used = os.wait4(child.pid, 0)
    found = {"seconds": time.perf_counter() - start, "cpu": used.ru_utime + used.ru_stime}
    if status:
        raise SystemExit(f"failed: {' '.join(command)}")
    out.unlink(missing_ok=True)
    return found | {"peak_mb": used.ru_maxrss / 1024}


def run(folder: Path, repeats: int, cases: list[str]) -> None:
    small = folder / "small"
    write_case(small, SMALL)
    for file in (folder / "audit.parquet", folder / "labels.csv", folder / "labels.parquet"):
        with file.open("rb") as content:  # into the system's memory
            while content.read(1 << 24):
                pass
    for case in cases:
        starts = [ours(case, small) for _ in range(3)]
        for repeat in range(repeats if CASES[case][2] else 1):
            line: dict[str, Any] = {"case": case, "repeat": repeat, "rows": _rows(folder)}
            line |= {"ours": ours(case, folder)}
            line["start"] = {name: statistics.median(each[name] for each in starts) for name in starts[0]}
            line["references"] = {name: _in_own_process(name, folder) for name in CASES[case][2]}
            with RESULTS.open("a") as lines:
                print(json.dumps(line | _machine()), file=lines)
            print(json.dumps(line), flush=True)


def _in_own_process(name: str, folder: Path) -> dict[str, float]:
    words = [sys.executable, __file__, "reference", "--name", name, "--folder", str(folder)]
    found: dict[str, float] = json.loads(
        subprocess.run(words, capture_output=True, check=True, text=True).stdout
    )
    return found


def _rows(folder: Path) -> int:
    import pyarrow.parquet as pq

    return int(pq.ParquetFile(folder / "audit.parquet").metadata.num_rows)


def _machine() -> dict[str, Any]:
    return {
        "cores": os.cpu_count(),
        "machine": platform.machine(),
        "load": round(os.getloadavg()[0], 1),
        "versions": {name: version(name) for name in ("noiseaudit", "pyarrow", "duckdb", "numpy")},
    }


def table() -> str:
    """Medians over the repeats; the ratio is the median of the pairs' ratios."""
    lines = [json.loads(line) for line in RESULTS.read_text().splitlines()]
    titles = ["command", "n", "start-up, s", "after it, s (CPU)", "reference, s (CPU)"]
    titles += ["ratio (least to most; CPU)", "peak MB, ours / bare"]
    head = f"| {' | '.join(titles)} |"
    rows = [head, "|---|---|---|---|---|---|---|"]
    for case in CASES:
        own = [line for line in lines if line["case"] == case]
        for name in CASES[case][2] or [None]:
            if own:
                rows.append(_row(case, own, name))
    last = lines[-1]
    versions = ", ".join(f"{name} {number}" for name, number in last["versions"].items())
    loads = [line["load"] for line in lines]
    note = (
        f"\n{last['rows']:,} rows; {last['cores']} cores, {last['machine']}; {versions}; load average {min(loads)} to "
        f"{max(loads)} (1 is one busy core, ours included; where other work runs, CPU seconds say more). evaluate "
        "holds its columns of all rows; nothing bare computes the same, so no reference is beside it.\n"
    )
    return "\n".join(rows) + "\n" + note


def _row(case: str, lines: list[dict[str, Any]], name: str | None) -> str:
    def after(line: dict[str, Any], what: str) -> float:
        return float(line["ours"][what] - line["start"][what])

    def middle(values: list[float]) -> float:
        return statistics.median(values)

    own = (
        f"{middle([after(x, 'seconds') for x in lines]):.1f} ({middle([after(x, 'cpu') for x in lines]):.1f})"
    )
    start = middle([line["start"]["seconds"] for line in lines])
    peak = max(line["ours"]["peak_mb"] for line in lines)
    if name is None:
        return f"| {case} | {len(lines)} | {start:.1f} | {own} | | | {peak:,.0f} |"
    bare = [line["references"][name] for line in lines]
    ratios, cpu = (
        [after(line, what) / each[what] for line, each in zip(lines, bare, strict=True)]
        for what in ("seconds", "cpu")
    )
    theirs = f"{middle([x['seconds'] for x in bare]):.1f} ({middle([x['cpu'] for x in bare]):.1f})"
    ratio = f"{middle(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}; {middle(cpu):.2f})"
    peaks = f"{peak:,.0f} / {max(x['peak_mb'] for x in bare):,.0f}"
    return f"| {case} | {len(lines)} | {start:.1f} | {own} | {name} {theirs} | {ratio} | {peaks} |"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=["make", "run", "table", "reference"])
    parser.add_argument("--folder", type=Path, help="where the made-up files are")
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--cases", nargs="+", choices=CASES, default=[*CASES])
    parser.add_argument("--name")
    args = parser.parse_args()
    if args.action == "reference":
        print(json.dumps(reference(args.name, args.folder)))
        return
    if args.action == "make":
        write_case(args.folder, args.rows)
        return
    if args.action == "run":
        run(args.folder, args.repeats, args.cases)
    text = table()
    RESULTS.with_suffix(".md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()

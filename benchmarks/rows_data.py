"""An audit of any number of rows, and the label file that it is of: made up, seeded, and written piece by piece.

Every rule of docs/audit-format.md holds, so that `read_audit` takes the file; the columns have the types, lengths and
shares of nulls of a real scan of photographs with 100 classes. Nothing is learnt: p_mislabeled is drawn.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from noiseaudit.audit_meta import AuditMeta, Cutoff
from noiseaudit.result import EVIDENCE, METADATA_KEY, SCHEMA

PIECE = 131_072  # rows, as many as a row group of a scan has
CLASSES = tuple(f"class {number:03d}" for number in range(100))
TOP = 10  # classes in top_labels
NOISE, UNLABELLED, MISSING = 0.1, 0.02, 0.005  # shares of the rows
CUTOFF = 0.5
SPLITS = np.array(["train", "train", "train", "train", "train", "train", "train", "train", "train", "test"])
LABELS = ("labels.csv", "labels.parquet", "labels.jsonl")

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


def write_case(folder: Path, n: int, seed: int = 0) -> None:
    """`audit.parquet` of n rows, and LABELS and truth.csv beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    status, p = _scores(n, np.random.default_rng(seed))
    rank = _ranks(p)
    meta = {METADATA_KEY: _meta().to_json().encode()}
    with (
        pq.ParquetWriter(folder / "audit.parquet", SCHEMA.with_metadata(meta), compression="zstd") as audit,
        Labels(folder) as labels,
    ):
        for first in range(0, n, PIECE):
            rows = slice(first, min(n, first + PIECE))
            table = _piece(first, status[rows], p[rows], rank[rows], np.random.default_rng([seed, first]))
            audit.write_table(table, row_group_size=PIECE)
            labels.write(table)
    (folder / "run.json").write_text(json.dumps({"status": "complete", "config": {}}))


class Labels:
    """The label files and the truth, written as the audit is."""

    SCHEMA = pa.schema([("image", pa.string()), ("label", pa.string()), ("split", pa.string())])
    TRUTH = pa.schema([("sample_id", pa.string()), ("true_label", pa.string())])

    def __init__(self, folder: Path) -> None:
        csv, parquet, jsonl = (folder / name for name in LABELS)
        options = pa.csv.WriteOptions(quoting_style="none")
        self._csv = pa.csv.CSVWriter(csv, self.SCHEMA, write_options=options)
        self._truth = pa.csv.CSVWriter(folder / "truth.csv", self.TRUTH, write_options=options)
        self._parquet = pq.ParquetWriter(parquet, self.SCHEMA)
        self._jsonl = jsonl.open("w")

    def __enter__(self) -> Labels:
        return self

    def __exit__(self, *_: object) -> None:
        for file in (self._csv, self._truth, self._parquet, self._jsonl):
            file.close()

    def write(self, audit: pa.Table) -> None:
        columns = [audit.column(name) for name in ("image", "given_label", "split")]
        table = pa.Table.from_arrays([column.combine_chunks() for column in columns], schema=self.SCHEMA)
        self._csv.write_table(table)
        self._parquet.write_table(table)
        truth = audit.select(["sample_id", "true_label"]).combine_chunks()
        self._truth.write_table(pa.Table.from_arrays(truth.columns, schema=self.TRUTH))
        for image, label, split in zip(*(column.to_pylist() for column in table.columns), strict=True):
            self._jsonl.write(json.dumps({"image": image, "label": label, "split": split}) + "\n")


def _scores(n: int, rng: np.random.Generator) -> tuple[npt.NDArray[np.int8], Floats]:
    """0 ok, 1 unlabelled, 2 missing, (n,); and p_mislabeled, NaN where a row is not scored."""
    status = np.digitize(rng.random(n), [1 - UNLABELLED - MISSING, 1 - MISSING]).astype(np.int8)
    wrong = rng.random(n) < NOISE
    p = np.where(wrong, rng.beta(5, 1.5, n), rng.beta(0.6, 8, n))
    p[status > 0] = np.nan
    return status, p


def _ranks(p: Floats) -> Codes:
    """From 1, most suspicious first, ties by row; 0 where there is no score."""
    order = np.argsort(-p, kind="stable")[: int((~np.isnan(p)).sum())]  # NaN goes last
    rank = np.zeros(len(p), np.int64)
    rank[order] = np.arange(1, len(order) + 1)
    return rank


def _piece(
    first: int, status: npt.NDArray[np.int8], p: Floats, rank: Codes, rng: np.random.Generator
) -> pa.Table:
    n = len(p)
    row = np.arange(first, first + n)
    scored, read, labelled = status == 0, status < 2, status != 1
    flagged = scored & (np.nan_to_num(p) >= CUTOFF)
    true = rng.integers(len(CLASSES), size=n)
    other = (true + rng.integers(1, len(CLASSES), size=n)) % len(CLASSES)
    given = np.where(scored & (rng.random(n) < np.nan_to_num(p)), other, true)
    suggested = np.where(flagged & (true == given), other, true)
    p_suggested = rng.beta(6, 2, n).astype(np.float32)
    names = pa.array([f"images/{number // 10_000:05d}/{number:08d}.jpg" for number in row])
    columns: dict[str, Any] = {
        "row": pa.array(row),
        "sample_id": names,
        "image": names,
        "given_label": _labels(given, labelled),
        "is_labelled": pa.array(labelled),
        "status": pa.array(np.array(["ok", "unlabelled", "missing"])[status]),
        "reason": pa.array(np.full(n, "no such file"), mask=read),
        "epsilon": _numbers(np.where(p > 0.2, rng.beta(0.4, 8, n), 0.0), scored, pa.float32()),
        "p_given": _numbers(1 - p, scored, pa.float32()),
        "suggested_label": _labels(suggested, read),
        "p_suggested": _numbers(p_suggested, read, pa.float32()),
        "p_mislabeled": _numbers(p, scored, pa.float64()),
        "is_label_issue": pa.array(flagged, mask=~scored),
        "rank": pa.array(rank, mask=~scored),
        "top_labels": _lists(pa.array(CLASSES).take(_top(suggested)), read, TOP, pa.list_(pa.string())),
        "top_probs": _lists(_top_probs(p_suggested), read, TOP, pa.list_(pa.float32())),
        "true_label": _labels(true, np.ones(n, np.bool_)),
        "issue_kind": pa.array(np.full(n, "mislabeled"), mask=~flagged),
        "evidence": _evidence(flagged, suggested, p_suggested),
        "split": pa.array(SPLITS[row % len(SPLITS)]),
        "annotator": pa.array([f"annotator {number}" for number in range(50)]).take(row % 50),
        "batch": pa.nulls(n, pa.string()),
    }
    return pa.table(columns, schema=SCHEMA)


def _labels(codes: Codes, known: npt.NDArray[np.bool_]) -> pa.Array:
    return pa.array(CLASSES).take(pa.array(codes, mask=~known))


def _numbers(values: Any, known: npt.NDArray[np.bool_], kind: pa.DataType) -> pa.Array:
    return pa.array(values, mask=~known).cast(kind)


def _top(best: Codes) -> pa.Array:
    """(n x TOP,) the best class and the next ones."""
    return pa.array(((best[:, None] + np.arange(TOP)) % len(CLASSES)).ravel())


def _top_probs(best: npt.NDArray[np.float32]) -> pa.Array:
    rest = (1 - best)[:, None] * (0.5 ** np.arange(1, TOP, dtype=np.float32))
    return pa.array(np.concatenate([best[:, None], rest], axis=1).astype(np.float32).ravel())


def _lists(items: pa.Array, known: npt.NDArray[np.bool_], size: int, kind: pa.DataType) -> pa.Array:
    """Lists of `size` items, null where not `known`; `items` has some for every row."""
    kept = items.filter(pa.array(np.repeat(known, size)))
    offsets = np.concatenate([[0], np.cumsum(known * size)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), kept, type=kind, mask=pa.array(~known))


def _evidence(flagged: npt.NDArray[np.bool_], suggested: Codes, p: npt.NDArray[np.float32]) -> pa.Array:
    """Three facts about each flagged row, as most have."""
    n = len(p)
    kinds = pa.array(["guider", "peak", "labelled_neighbours"]).take(pa.array(np.tile([0, 1, 2], n)))
    values = pa.array(np.stack([p, p / 2, np.round(p, 1)], axis=1).astype(np.float64).ravel())
    names = np.stack([suggested, np.full(n, len(CLASSES)), suggested], axis=1).ravel()
    references = pa.array([*CLASSES, "30"]).take(pa.array(names))
    facts = pa.StructArray.from_arrays([kinds, values, references], fields=list(EVIDENCE.value_type))
    return _lists(facts, flagged, 3, EVIDENCE)


def _meta() -> AuditMeta:
    return AuditMeta(
        classes=CLASSES,
        class_type="string",
        config={"asked": {}, "chosen": {}},
        versions={"noiseaudit": "0"},
        seed=0,
        device_type="cpu",
        threads=1,
        cutoff=Cutoff("auto", "p_mislabeled", CUTOFF, "Drawn, not learnt."),
        data_fingerprint="sha256:" + "0" * 64,
    )


def sizes(folder: Path) -> Iterator[tuple[str, int]]:
    """The bytes of each file."""
    for file in sorted(folder.iterdir()):
        yield file.name, file.stat().st_size

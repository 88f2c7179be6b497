"""Hugging Face: each image and its row of metadata.parquet, in the folder of its split."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from noiseaudit.exports import export_audit
from noiseaudit.exports.huggingface import split_of
from noiseaudit.result import AuditResult
from tests.exported import UNREAD, audit, named, options, same_image

__all__ = ["audit"]  # fixtures


def test_hugging_face(audit: AuditResult, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = export_audit(audit, "huggingface", out, options(tmp_path))
    assert (done.rows, done.notes) == (19, ("Left out because the image could not be read: 1.",))
    assert {path.name for path in out.iterdir() if path.is_dir()} == {"train", "validation", "test"}
    rows = {row["sample_id"]: row for row in audit.table.to_pylist()}
    seen = []
    for folder in ("train", "validation", "test"):
        with pq.ParquetFile(out / folder / "metadata.parquet") as file:
            table = file.read()
        features = json.loads(table.schema.metadata[b"huggingface"])["info"]["features"]
        assert features["label"] == {"names": list(audit.classes), "_type": "ClassLabel"}
        assert features["p_mislabeled"] == {"dtype": "float64", "_type": "Value"}
        assert list(features) == table.schema.names
        for found in table.to_pylist():
            row = rows[found["sample_id"]]
            assert split_of(row["split"]) == folder
            assert same_image(out / folder / found["file_name"], row["row"], audit, tmp_path)
            label = found["label"]
            assert (None if label is None else audit.classes[label]) == row["given_label"]
            assert audit.classes[found["suggested_label"]] == row["suggested_label"]
            assert [found[name] for name in ("p_mislabeled", "is_label_issue", "rank", "split")] == [
                row[name] for name in ("p_mislabeled", "is_label_issue", "rank", "split")
            ]
            seen.append(row["row"])
    assert sorted(seen) == [*range(UNREAD)]


@pytest.mark.parametrize(
    ("text", "folder"),
    [(None, "train"), ("train", "train"), ("fold 3", "train"), (" VAL ", "validation"), ("eval", "test")],
)
def test_splits(text: str | None, folder: str) -> None:
    assert split_of(text) == folder


@pytest.mark.parametrize("copy", [False, True])
@pytest.mark.parametrize(
    "name", ["metadata.parquet", "sub/Metadata.PARQUET", "metadata.csv", "metadata.jsonl"]
)
def test_the_table_of_hugging_face_takes_no_image_s_place(tmp_path: Path, name: str, copy: bool) -> None:
    audit = named(tmp_path, [name, "b.png", "c.png", "metadata.png"])
    before = (tmp_path / "photos" / name).read_bytes()
    export_audit(audit, "huggingface", tmp_path / "out", options(tmp_path, copy=copy))
    assert (tmp_path / "photos" / name).read_bytes() == before
    found: dict[str, Path] = {}
    for table in (tmp_path / "out").glob("*/metadata.parquet"):
        with pq.ParquetFile(table) as file:
            found |= {row["sample_id"]: table.parent / row["file_name"] for row in file.read().to_pylist()}
    assert len(found) == 4
    for row in range(4):
        assert same_image(found[audit.column("sample_id")[row]], row, audit, tmp_path)
    assert found["metadata.png"].name == "metadata.png"

"""The fingerprint changes with every bit of content and with nothing else."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from noiseaudit.data import fingerprint as fingerprint_module
from noiseaudit.data.fingerprint import fingerprint
from noiseaudit.labels.table import LabelTable, Source


def strings(*cells: str | None) -> np.ndarray[Any, np.dtype[np.object_]]:
    return np.array(cells, dtype=object)


TABLE = LabelTable(
    source=None,
    sample_id=strings("i", "j", "k"),
    image=strings("1.png", "2.png", None),
    given_label=strings("cat", "dog", None),
    split=strings("train", None, ""),
)


HASHES = np.arange(96, dtype=np.uint8).reshape(3, 32)


def test_form_and_repeatability() -> None:
    value = fingerprint(TABLE, HASHES)
    assert value == fingerprint(TABLE, HASHES)
    assert value.startswith("sha256:")
    assert len(value) == len("sha256:") + 64


@pytest.mark.parametrize(
    "change",
    [
        {"sample_id": strings("i", "j", "l")},
        {"image": strings("1.png", "2.png", "")},
        {"image": None},
        {"given_label": strings("cat", None, "dog")},
        {"given_label": strings("catd", "og", None)},
        {"class_type": "integer"},
        {"true_label": strings(None, None, None)},
        {"split": strings("train", "", None)},
        {"split": None, "annotator": strings("train", None, "")},
        {"batch": strings("a", "b", "\ud800")},
    ],
)
def test_every_column_counts(change: dict[str, Any]) -> None:
    assert fingerprint(dataclasses.replace(TABLE, **change), HASHES) != fingerprint(TABLE, HASHES)


@pytest.mark.parametrize("row", [0, 1, 2])
def test_every_file_counts(row: int) -> None:
    changed = HASHES.copy()
    changed[row, 31] += 1
    assert fingerprint(TABLE, changed) != fingerprint(TABLE, HASHES)


def test_source_and_warnings_do_not_count(tmp_path: Any) -> None:
    moved = dataclasses.replace(TABLE, source=Source(tmp_path, "csv", "label"), warnings=("w",))
    assert fingerprint(moved, HASHES) == fingerprint(TABLE, HASHES)


def test_chunks_of_embeddings_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.arange(60, dtype=np.float32).reshape(20, 3)
    whole = fingerprint(TABLE, values)
    monkeypatch.setattr(fingerprint_module, "_CHUNK_BYTES", 8)
    assert fingerprint(TABLE, values) == whole


def test_embeddings() -> None:
    values = np.arange(6, dtype=np.float32).reshape(3, 2)
    original = fingerprint(TABLE, values)
    assert fingerprint(TABLE, np.asfortranarray(values)) == original
    assert fingerprint(TABLE, values.astype(">f4")) == original
    assert fingerprint(TABLE, values + np.eye(3, 2, dtype=np.float32)) != original
    assert fingerprint(TABLE, values.astype(np.float64).astype(np.float32)[:, ::-1]) != original

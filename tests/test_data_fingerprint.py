"""The fingerprint changes with every bit of content and with nothing else."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch

from noiseaudit.data import fingerprint as fingerprint_module
from noiseaudit.data.decode import Pixels
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


def pixels() -> Pixels:
    return Pixels(
        torch.arange(24, dtype=torch.uint8).view(3, 1, 2, 4),
        strings("ok", "ok", "missing"),
        strings(None, None, "x"),
    )


def test_form_and_repeatability() -> None:
    value = fingerprint(TABLE, pixels())
    assert value == fingerprint(TABLE, pixels())
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
    assert fingerprint(dataclasses.replace(TABLE, **change), pixels()) != fingerprint(TABLE, pixels())


def test_every_pixel_and_status_counts() -> None:
    original = fingerprint(TABLE, pixels())
    changed = pixels()
    changed.data[2, 0, 1, 3] += 1
    assert fingerprint(TABLE, changed) != original
    changed = pixels()
    changed.status[2] = "unreadable"
    assert fingerprint(TABLE, changed) != original
    turned = dataclasses.replace(pixels(), data=pixels().data.view(3, 1, 4, 2))
    assert fingerprint(TABLE, turned) != original


def test_source_and_warnings_do_not_count(tmp_path: Any) -> None:
    moved = dataclasses.replace(TABLE, source=Source(tmp_path, "csv", "label"), warnings=("w",))
    assert fingerprint(moved, pixels()) == fingerprint(TABLE, pixels())


def test_workers_do_not_count_and_every_block_does() -> None:
    many = Pixels(
        torch.arange(200, dtype=torch.uint8).view(200, 1, 1, 1),
        strings(*["ok"] * 200),
        strings(*[None] * 200),
    )
    whole = fingerprint(TABLE, many)
    assert fingerprint(TABLE, many, workers=3) == whole
    for row in (0, 63, 64, 199):
        changed = dataclasses.replace(many, data=many.data.clone())
        changed.data[row] += 1
        assert fingerprint(TABLE, changed) != whole


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

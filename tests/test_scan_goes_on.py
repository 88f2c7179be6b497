"""What a scan survives: exit 0, and each bad row listed in run.json, in the audit's status and in the summary."""

from __future__ import annotations

import csv
import json
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import Tensor
from typer.testing import CliRunner

from noiseaudit.demo import write_digits
from noiseaudit.marginal import EXACT_CLASSES
from noiseaudit.models import vae
from noiseaudit.result import AuditResult, read_audit
from noiseaudit_cli.main import app

HOSTILE = [
    'said "cat"',
    "two\nlines",
    "<script>alert(1)</script>",
    "🐈‍⬛",
    "=HYPERLINK(1)",
    "a,b;c",
    "[red]x[/red]",
    "\u202egnp.exe",
    "\x1b[31m",
]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_digits(tmp_path, limit=40)
    return tmp_path


def _rows(data: Path) -> list[list[str]]:
    with (data / "labels.csv").open(newline="") as file:
        return list(csv.reader(file))


def _write(data: Path, rows: list[list[str]]) -> None:
    with (data / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)


def _scan(data: Path, *options: str) -> tuple[Any, AuditResult, dict[str, Any]]:
    command = ["scan", str(data / "labels.csv"), "--out", str(data / "run"), "--epochs", "2", *options]
    if "--embeddings" not in options:
        command += ["--images", str(data / "images")]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.stderr
    run = json.loads((data / "run" / "run.json").read_text("utf-8"))
    assert run["status"] == "complete"
    return result, read_audit(data / "run"), run


def _png_header(width: int, height: int) -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = (struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in (header, b"IDAT"))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def test_bad_images_are_listed_and_the_rest_is_scored(data: Path) -> None:
    images = data / "images"
    (images / "0001.png").unlink()
    (images / "0002.png").write_bytes(b"")
    whole = (images / "0003.png").read_bytes()
    (images / "0003.png").write_bytes(whole[: len(whole) - 30])
    (images / "0004.png").write_text("no image")
    (images / "0005.png").write_bytes(_png_header(60_000, 60_000))
    result, audit, run = _scan(data)
    bad = {1: "missing", 2: "unreadable", 3: "unreadable", 4: "unreadable", 5: "too_large"}
    status = audit.table.column("status").to_pylist()
    assert {row: name for row, name in enumerate(status) if name != "ok"} == bad
    assert {item["row"]: item["status"] for item in run["unread"]} == bad
    assert run["counts"] | bad_counts(bad) == run["counts"]
    for item in run["unread"]:
        assert item["reason"] == audit.table.column("reason")[item["row"]].as_py()
        assert f"row {item['row']}, {item['sample_id']}: {item['status']}, {item['reason']}" in result.stdout
    for name in ("epsilon", "p_given", "p_mislabeled", "is_label_issue", "rank"):
        column = audit.table.column(name).to_pylist()
        assert [row for row, value in enumerate(column) if value is None] == list(bad)


def bad_counts(bad: dict[int, str]) -> dict[str, int]:
    names = list(bad.values())
    return {name: names.count(name) for name in names}


def test_max_pixels_is_the_users(data: Path) -> None:
    rows = _rows(data)
    _write(data, rows[:1] + [row for row in rows[1:] if row[0] != "0000.png"] + [["big.png", "1"]])
    (data / "images" / "big.png").write_bytes(_png_header(9, 9))
    _, audit, _ = _scan(data, "--max-pixels", "64")
    assert audit.table.column("status").to_pylist() == ["ok"] * 39 + ["too_large"]


def test_a_class_with_one_sample(data: Path) -> None:
    rows = _rows(data)
    rows[4][1] = "only me"
    _write(data, rows)
    result, audit, run = _scan(data)
    assert "only me" in audit.meta.classes
    assert audit.table.column("p_mislabeled").null_count == 0
    assert any("'only me'" in warning for warning in run["warnings"])
    assert "'only me'" in result.stdout


def test_hostile_labels_come_through_unchanged(data: Path) -> None:
    rows = _rows(data)
    for i, row in enumerate(rows[1:]):
        row[1] = HOSTILE[i % len(HOSTILE)]
    _write(data, rows)
    _, audit, _ = _scan(data)
    assert audit.table.column("given_label").to_pylist() == [row[1] for row in rows[1:]]
    assert set(audit.meta.classes) == set(HOSTILE)
    with (data / "run" / "cleaned.csv").open(newline="", encoding="utf-8") as file:
        assert {row[1] for row in list(csv.reader(file))[1:]} <= set(HOSTILE)
    html = (data / "run" / "report.html").read_text("utf-8")
    assert "<script" not in html
    with (data / "run" / "suspects.csv").open(newline="", encoding="utf-8") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not any(cell.startswith("=") for cell in cells)


def test_the_same_image_in_several_rows_with_different_labels(data: Path) -> None:
    rows = _rows(data)
    _write(data, [*rows, ["0000.png", "0"], ["0000.png", "5"]])
    _, audit, _ = _scan(data)
    assert audit.table.column("sample_id").to_pylist()[-2:] == ["0000.png#2", "0000.png#3"]
    assert audit.table.column("given_label").to_pylist()[-2:] == ["0", "5"]
    assert audit.table.column("p_mislabeled").null_count == 0


def test_na_and_leading_zeros_are_classes_and_named(data: Path) -> None:
    rows = _rows(data)
    for row, label in zip(rows[1:], ["NA", "None", "nan", "null", "01"] * 8, strict=True):
        row[1] = label
    rows[1][1] = ""
    _write(data, rows)
    _, audit, run = _scan(data)
    assert set(audit.meta.classes) == {"NA", "None", "nan", "null", "01"}
    assert audit.table.column("is_labelled").to_pylist() == [False] + [True] * 39
    for name in ("NA", "None", "nan", "null"):
        assert sum(repr(name) in warning for warning in run["warnings"]) == 1
    assert not any("'01'" in warning for warning in run["warnings"])


def test_unlabelled_rows_get_a_suggestion_and_no_score(data: Path) -> None:
    rows = _rows(data)
    for row in rows[11:]:
        row[1] = ""
    _write(data, rows)
    _, audit, run = _scan(data)
    table = audit.table.slice(10)
    assert set(table.column("status").to_pylist()) == {"unlabelled"}
    assert table.column("suggested_label").null_count == 0
    assert table.column("p_mislabeled").null_count == 30
    assert (run["counts"]["labelled"], run["counts"]["unlabelled"]) == (10, 30)


@pytest.mark.slow
def test_ten_thousand_classes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No row is seen once for each of them."""
    counts = set()
    whole = vae.UMNNetworks.class_costs

    def counted(self: vae.UMNNetworks, z_a: Tensor, noise: Tensor, classes: Tensor) -> Tensor:
        counts.add(noise.shape[1])
        return whole(self, z_a, noise, classes)

    monkeypatch.setattr(vae.UMNNetworks, "class_costs", counted)
    n = 10_001
    lines = [f"s{i},c{i % 10_000}" for i in range(n)]
    (tmp_path / "labels.csv").write_text("\n".join(["id,label", *lines]) + "\n")
    values = np.random.default_rng(0).normal(size=(n, 2)).astype(np.float32)
    np.save(tmp_path / "e.npy", values)
    small = [word for name in ("hidden", "latent_a", "latent_b") for word in ("--set", f"{name}=1")]
    small += ["--epochs", "1", "--batch-size", "256"]
    _, audit, run = _scan(tmp_path, "--embeddings", str(tmp_path / "e.npy"), *small)
    assert run["counts"]["classes"] == len(audit.meta.classes) == 10_000
    assert audit.table.column("p_mislabeled").null_count == 0
    assert {len(labels) for labels in audit.table.column("top_labels").to_pylist()} == {10}
    assert counts == {EXACT_CLASSES}

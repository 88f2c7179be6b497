"""Audits whose images can be exported, and whether the right one came out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from PIL import Image

from noiseaudit.exports.base import ExportOptions
from noiseaudit.exports.pictures import find_pictures
from noiseaudit.result import SCHEMA, AuditResult
from tests.conftest import build_audit
from tests.trips import draw_images, trip_audit

N, UNREAD = 20, 19


@pytest.fixture
def audit(tmp_path: Path) -> AuditResult:
    """Every fourth row is of the test split; the last one's image is missing, two before have no label."""
    made = trip_audit(N)
    splits = pa.array([("Test", "dev", None, "train")[i % 4] for i in range(N)])
    table = made.table.set_column(SCHEMA.names.index("split"), SCHEMA.field("split"), splits)
    draw_images(made, tmp_path / "photos")
    return AuditResult(table, made.meta)


def options(tmp_path: Path, **more: Any) -> ExportOptions:
    return ExportOptions(pictures=find_pictures({}, tmp_path / "photos"), **more)


def same_image(path: Path, row: int, audit: AuditResult, tmp_path: Path) -> bool:
    wanted: bytes = (tmp_path / "photos" / audit.column("image")[row]).read_bytes()
    return path.read_bytes() == wanted


def named(tmp_path: Path, images: list[str]) -> AuditResult:
    """An audit of such files, each another picture."""
    audit = build_audit(len(images), n_unlabelled=0, n_unread=0, images=images)
    for i, name in enumerate(images):
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (2, 3), i).save(tmp_path / "photos" / name, format="png")
    return audit

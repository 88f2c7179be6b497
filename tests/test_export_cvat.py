"""CVAT: an image's tag and attributes, and what its file cannot hold."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from PIL import Image

from noiseaudit.decisions import run_id
from noiseaudit.errors import DataError
from noiseaudit.exports import export_audit
from noiseaudit.exports.cvat import MOST_CHARS, tag_name
from noiseaudit.result import AuditResult
from tests.conftest import build_audit
from tests.exported import audit, options
from tests.trips import HEIGHT, WIDTH

__all__ = ["audit"]  # fixtures


def test_cvat(audit: AuditResult, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert export_audit(audit, "cvat", out, options(tmp_path, everything=True)).rows == 19
    root = ET.parse(out / "annotations.xml").getroot()
    assert [part.tag for part in root][:3] == ["version", "meta", "image"]
    named = [label.findtext("name") for label in root.iterfind("meta/task/labels/label")]
    assert named == [tag_name(label) for label in audit.classes]
    assert max(len(name or "") for name in named) == MOST_CHARS  # one class has a name of hundreds
    images = root.findall("image")
    rows = {row["image"]: row for row in audit.table.to_pylist()}
    assert [image.get("id") for image in images] == [str(i) for i in range(19)]
    assert (out / "images.txt").read_text().splitlines() == [image.get("name") for image in images]
    for image in images:
        row, tags = rows[str(image.get("name"))], image.findall("tag")
        assert (image.get("width"), image.get("height")) == (str(WIDTH), str(HEIGHT))
        if row["given_label"] is None:
            assert tags == []
            continue
        assert tags[0].get("label") == tag_name(row["given_label"])
        facts = {part.get("name"): part.text for part in tags[0].findall("attribute")}
        assert (facts["decision"], facts["run_id"]) == ("open", run_id(audit))
        assert facts["sample_id"] == row["sample_id"]
    labels = json.loads((out / "labels.json").read_text())
    assert [label["name"] for label in labels] == [tag_name(label) for label in audit.classes]
    run = next(each for each in labels[0]["attributes"] if each["name"] == "run_id")
    assert run["default_value"] == run_id(audit)  # of a tag that a person adds


def test_cvat_takes_the_labels(audit: AuditResult, tmp_path: Path) -> None:
    """What its constructor and its server ask of labels: limits of characters, and no two alike, ends trimmed."""
    export_audit(audit, "cvat", tmp_path / "out", options(tmp_path))
    labels = json.loads((tmp_path / "out" / "labels.json").read_text())
    names = [label["name"] for label in labels]
    assert [name.strip() for name in names] == names
    assert len({*names}) == len(names)
    assert {label["type"] for label in labels} == {"tag"}
    for label in labels:
        assert 0 < len(label["name"]) <= 64
        for part in label["attributes"]:
            values = part["values"]
            assert len({value.strip() for value in values}) == len(values) > 0
            assert max(map(len, values)) <= 200
            assert len(part["default_value"]) <= 128
            assert part["default_value"] in values
            assert (part["mutable"], part["input_type"] in ("select", "text")) == (False, True)
            assert 0 < len(part["name"]) <= 64


def test_cvat_knows_an_image_by_its_name_without_suffix(tmp_path: Path) -> None:
    names = ["a/1.png", "a/1.jpg", "b/1.png"]
    for name in names:
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (2, 3)).save(tmp_path / "photos" / name)
    audit = build_audit(3, n_unlabelled=0, n_unread=0, images=names, cutoff=0.0)
    done = export_audit(audit, "cvat", tmp_path / "out", options(tmp_path))
    assert (done.rows, done.notes) == (
        2, ("Left out because another image has the same name, suffix aside: 1.",),
    )  # fmt: skip


def test_cvat_cannot_hold_every_name(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    audit = build_audit(3, n_unlabelled=0, n_unread=0, images=["a\n.png", "b", "c"], cutoff=0.0)
    with pytest.raises(DataError, match=r"row 0, column 'image': 'a\\n\.png' has characters"):
        export_audit(audit, "cvat", tmp_path / "out", options(tmp_path))

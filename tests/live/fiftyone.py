"""FiftyOne's own importer reads what noiseaudit exports, both label files, and its CVAT reader what is for CVAT.

No database is asked for anything.

No part of the suite: it takes an environment of its own. For maintainers, where MongoDB can be had or not:

    python3.11 -m venv /tmp/fo && /tmp/fo/bin/pip install fiftyone pyarrow pytest hypothesis
    PYTHONPATH=.:cli:reports /tmp/fo/bin/python -m tests.live.fiftyone
"""

from __future__ import annotations

import importlib
import os
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

from noiseaudit.exports import export_audit
from noiseaudit.exports.base import ExportOptions
from noiseaudit.exports.cvat import tag_name
from noiseaudit.exports.pictures import find_pictures
from noiseaudit.result import AuditResult
from tests.trips import HEIGHT, WIDTH, draw_images, trip_audit

NO_DATABASE = {"FIFTYONE_DO_NOT_TRACK": "1", "FIFTYONE_DATABASE_URI": "mongodb://localhost:1/"}


def read(folder: Path, labels: str) -> list[tuple[Path, Any]]:
    """Each image with its Classification, or None."""
    importers = importlib.import_module("fiftyone.utils.data.importers")
    importer = importers.FiftyOneImageClassificationDatasetImporter(
        dataset_dir=str(folder), labels_path=labels
    )
    with importer:
        return [(Path(path), label) for path, _, label in importer]


def check(folder: Path, audit: AuditResult, images: Path) -> None:
    """Both label files name every image once, with the row's labels and facts."""
    rows = {row["sample_id"]: row for row in audit.table.to_pylist()}
    given = dict(read(folder, "labels.json"))
    suggested = read(folder, "suggestions.json")
    assert len(given) == len(suggested) == 19
    for path, label in suggested:
        row = rows[label.sample_id]
        assert path.read_bytes() == (images / row["image"]).read_bytes()
        assert (label.label, label.confidence) == (row["suggested_label"], row["p_suggested"])
        own = given[path]
        assert (own.label if own else None) == row["given_label"]
        if own:
            assert (own.p_mislabeled, own.is_label_issue) == (row["p_mislabeled"], row["is_label_issue"])
    print(f"fiftyone {version('fiftyone')}: {len(given)} samples with two labels each as they were")


def check_cvat(folder: Path, audit: AuditResult) -> None:
    """Every image has its name, its size and, where it has a label, one tag with the row's facts."""
    read_images = importlib.import_module("fiftyone.utils.cvat").load_cvat_image_annotations
    _, labels, found = read_images(str(folder / "annotations.xml"))
    assert [label["name"] for label in labels.labels] == [tag_name(label) for label in audit.classes]
    rows = {row["image"]: row for row in audit.table.to_pylist()}
    assert len(found) == 19
    for image in found:
        row = rows[image.name]
        assert (image.width, image.height) == (WIDTH, HEIGHT)
        tags = [tag.label for tag in image.tags]
        assert tags == ([] if row["given_label"] is None else [tag_name(row["given_label"])])
        for tag in image.tags:
            facts = {part.name: part.value for part in tag.attributes}
            assert (facts["sample_id"], facts["decision"]) == (row["sample_id"], "open")
    print(f"its CVAT reader: {len(found)} images with their tags, of {len(labels.labels)} classes")


def main() -> None:
    os.environ |= NO_DATABASE
    with tempfile.TemporaryDirectory() as name:
        audit, images, out = trip_audit(), Path(name, "photos"), Path(name, "out")
        draw_images(audit, images)
        export_audit(audit, "fiftyone", out, ExportOptions(pictures=find_pictures({}, images)))
        check(out, audit, images)
        options = ExportOptions(everything=True, pictures=find_pictures({}, images))
        export_audit(audit, "cvat", Path(name, "cvat"), options)
        check_cvat(Path(name, "cvat"), audit)


if __name__ == "__main__":
    main()

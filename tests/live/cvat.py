"""Datumaro, by which CVAT reads and writes data sets, reads what noiseaudit exports for CVAT; no CVAT takes part.

No part of the suite: it takes an environment of its own, without torch. For maintainers:

    python3.11 -m venv /tmp/dm && /tmp/dm/bin/pip install datumaro pyarrow pytest hypothesis
    PYTHONPATH=.:cli:reports /tmp/dm/bin/python -m tests.live.cvat
"""

from __future__ import annotations

import importlib
import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path

from noiseaudit.exports import export_audit
from noiseaudit.exports.base import ExportOptions
from noiseaudit.exports.cvat import tag_name
from noiseaudit.exports.pictures import find_pictures
from noiseaudit.result import AuditResult
from tests.trips import draw_images, trip_audit


def check(folder: Path, audit: AuditResult) -> None:
    """Every image has one label, its given one, with the row's id; those without a label have none."""
    data = importlib.import_module("datumaro.components.dataset").Dataset.import_from(str(folder), "cvat")
    kinds = importlib.import_module("datumaro.components.annotation").AnnotationType
    names = [label.name for label in data.categories()[kinds.label]]
    assert sorted(names) == sorted(map(tag_name, audit.classes))
    rows = {row["image"].rpartition(".")[0]: row for row in audit.table.to_pylist()}
    assert len(data) == 19
    for item in data:
        row = rows[item.id]
        found = [(names[label.label], str(label.attributes["sample_id"])) for label in item.annotations]
        given = row["given_label"]
        assert found == ([] if given is None else [(tag_name(given), row["sample_id"])])
    print(f"datumaro {version('datumaro')}: {len(data)} images with their labels, of {len(names)} classes")


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        audit, images, out = trip_audit(), Path(name, "photos"), Path(name, "out")
        draw_images(audit, images)
        options = ExportOptions(everything=True, pictures=find_pictures({}, images))
        export_audit(audit, "cvat", out, options)
        shutil.copytree(images, Path(name, "task", "images"))  # as it lies in an archive of CVAT's
        shutil.copy(out / "annotations.xml", Path(name, "task"))
        check(Path(name, "task"), audit)


if __name__ == "__main__":
    main()

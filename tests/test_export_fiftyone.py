"""FiftyOne: given labels and suggestions, each by the name under which FiftyOne finds the image."""

from __future__ import annotations

import json
from os.path import splitext
from pathlib import Path

import pytest

from noiseaudit.errors import OutputError
from noiseaudit.exports import export_audit, fiftyone
from noiseaudit.result import AuditResult
from tests.exported import audit, named, options, same_image

__all__ = ["audit"]  # fixtures


def test_fiftyone(audit: AuditResult, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export_audit(audit, "fiftyone", out, options(tmp_path))
    labels, suggestions = (
        json.loads((out / f"{name}.json").read_text()) for name in ("labels", "suggestions")
    )
    assert labels["classes"] == suggestions["classes"] == list(audit.classes)
    files = {path.name.rsplit(".", 1)[0]: path for path in (out / "data").iterdir()}
    assert files.keys() == labels["labels"].keys() == suggestions["labels"].keys()
    rows = {row["sample_id"]: row for row in audit.table.to_pylist()}
    for key, suggested in suggestions["labels"].items():
        row, given = rows[suggested["attributes"]["sample_id"]], labels["labels"][key]
        assert same_image(files[key], row["row"], audit, tmp_path)
        assert (suggested["label"], suggested["confidence"]) == (row["suggested_label"], row["p_suggested"])
        if row["given_label"] is None:
            assert given is None
            continue
        assert given["label"] == row["given_label"]
        facts = given["attributes"]
        assert (facts["p_mislabeled"], facts["is_label_issue"]) == (
            row["p_mislabeled"],
            row["is_label_issue"],
        )


def test_fiftyone_knows_images_by_names_with_dots_and_no_suffix(tmp_path: Path) -> None:
    images = [f"1.2.840.113619.{17625831000 + i}" for i in range(12)] + ["1.2.840.113619.png", "a.b", "a.c"]
    audit = named(tmp_path, images)
    out = tmp_path / "out"
    assert export_audit(audit, "fiftyone", out, options(tmp_path)).rows == 15
    labels = json.loads((out / "labels.json").read_text())["labels"]
    files = {splitext(path.name)[0]: path for path in (out / "data").iterdir()}  # as FiftyOne does
    assert len(labels) == 15
    assert labels.keys() == files.keys()
    rows = {name: row for row, name in enumerate(audit.column("sample_id").tolist())}
    for key, label in labels.items():
        row = rows[label["attributes"]["sample_id"]]
        assert same_image(files[key], row, audit, tmp_path)
        assert label["label"] == audit.column("given_label")[row]


def test_fiftyone_loses_no_label_in_silence(
    audit: AuditResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fiftyone, "place_all", lambda out, rows, **more: dict.fromkeys(rows, "data/1.png"))
    with pytest.raises(OutputError, match="only 1 of 19 labels: images share a name"):
        export_audit(audit, "fiftyone", tmp_path / "out", options(tmp_path))

"""What Label Studio is given: gold files, addresses that lead to the images, files that are not too large."""

from __future__ import annotations

import json
import os
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from noiseaudit.decisions import run_id
from noiseaudit.errors import ConfigError, DataError, OutputError
from noiseaudit.exports import export_audit
from noiseaudit.exports.base import ExportOptions
from noiseaudit.exports.label_studio import label_config, write_tasks
from noiseaudit.exports.names import label_of
from noiseaudit.exports.pictures import find_pictures
from noiseaudit.result import AuditResult
from tests.conftest import build_audit
from tests.trips import draw_images, trip_audit

GOLD = Path(__file__).parent / "gold" / "label_studio"


@pytest.fixture
def audit(tmp_path: Path) -> AuditResult:
    audit = trip_audit()
    draw_images(audit, tmp_path / "root" / "photos")
    return audit


def options(tmp_path: Path, **more: Any) -> ExportOptions:
    pictures = find_pictures({}, tmp_path / "root" / "photos")
    return ExportOptions(pictures=pictures, **more)


@pytest.mark.parametrize("name", ["config.xml", "tasks-0001.json"])
def test_the_files_are_as_they_were(audit: AuditResult, tmp_path: Path, name: str) -> None:
    export_audit(audit, "label-studio", tmp_path / "out", options(tmp_path))
    written = (tmp_path / "out" / name).read_bytes()
    if os.environ.get("NOISEAUDIT_UPDATE_GOLD"):
        (GOLD / name).write_bytes(written)
    assert written == (GOLD / name).read_bytes()


def test_the_choices_are_the_classes(audit: AuditResult) -> None:
    view = ET.fromstring(label_config(audit.classes))
    (choices,) = view.findall("Choices[@name='choice']")
    assert [label_of(str(choice.get("value"))) for choice in choices] == list(audit.classes)
    assert (choices.get("toName"), choices.get("choice")) == ("image", "single")
    shown = {tag.get("value") for tag in view if tag.get("value")}
    assert {"$image", "$given_label"} <= shown


def test_every_task_is_its_row(audit: AuditResult, tmp_path: Path) -> None:
    done = export_audit(audit, "label-studio", tmp_path / "out", options(tmp_path, everything=True))
    tasks = json.loads((tmp_path / "out" / "tasks-0001.json").read_text())
    rows = {row["sample_id"]: row for row in audit.table.to_pylist()}
    assert done.rows == len(tasks) == 19
    assert done.notes == ("Left out because the image could not be read: 1.",)
    assert [task["data"]["rank"] for task in tasks] == [*range(1, 18), None, None]
    results = [prediction["result"][0] for task in tasks for prediction in task["predictions"]]
    assert len({result["id"] for result in results}) == 19
    for task in tasks:
        row, (prediction,) = rows[task["data"]["sample_id"]], task["predictions"]
        address = urlsplit(task["data"]["image"])
        assert address.path == "/data/local-files/"
        assert parse_qs(address.query) == {"d": [f"photos/{row['image']}"]}
        assert (tmp_path / "root" / parse_qs(address.query)["d"][0]).is_file()
        assert prediction["model_version"] == f"noiseaudit-{run_id(audit)}"
        p = row["p_mislabeled"]
        assert prediction["score"] == (row["p_suggested"] if p is None else 1 - p)
        assert label_of(prediction["result"][0]["value"]["choices"][0]) == row["suggested_label"]
        assert task["data"]["given_label"] == (row["given_label"] or "")
        assert "annotations" not in task


def test_only_suspects_most_suspicious_first(audit: AuditResult, tmp_path: Path) -> None:
    export_audit(audit, "label-studio", tmp_path / "out", options(tmp_path))
    tasks = json.loads((tmp_path / "out" / "tasks-0001.json").read_text())
    n = int(audit.suspects().sum())
    assert [task["data"]["rank"] for task in tasks] == [*range(1, n + 1)]
    read_me = (tmp_path / "out" / "README.md").read_text()
    assert "LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED=true" in read_me
    assert f"LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT={tmp_path / 'root'}\n" in read_me


def test_no_suspects_is_a_file_of_none(tmp_path: Path) -> None:
    audit = build_audit(12, cutoff=2.0)
    (tmp_path / "root" / "photos").mkdir(parents=True)
    assert export_audit(audit, "label-studio", tmp_path / "out", options(tmp_path)).rows == 0
    assert json.loads((tmp_path / "out" / "tasks-0001.json").read_text()) == []


@pytest.mark.parametrize(
    ("max_tasks", "max_bytes", "sizes"), [(3, 10**6, [3, 3, 1]), (100, 60, [2, 2, 2, 1]), (100, 5, [1] * 7)]
)
def test_files_stay_within_what_is_taken(
    tmp_path: Path, max_tasks: int, max_bytes: int, sizes: list[int]
) -> None:
    tasks = [{"data": {"n": f"é{i}"}} for i in range(7)]  # 26 bytes each
    assert write_tasks(tmp_path, tasks, max_tasks, max_bytes) == 7
    files = sorted(tmp_path.glob("tasks-*.json"))
    assert [file.name for file in files] == [f"tasks-{i + 1:04d}.json" for i in range(len(sizes))]
    found = [json.loads(file.read_text()) for file in files]
    assert [len(each) for each in found] == sizes
    assert [task for each in found for task in each] == tasks
    assert all(file.stat().st_size <= max(max_bytes, 31) for file in files)


def test_images_outside_the_document_root(audit: AuditResult, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    with pytest.raises(ConfigError, match=r"row \d+: .* is not below --document-root"):
        export_audit(
            audit, "label-studio", tmp_path / "out", options(tmp_path, document_root=tmp_path / "elsewhere")
        )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["elsewhere", "root"]


def storages_in(read_me: Path) -> list[str]:
    """The paths that it says to add, and the document root before them."""
    text = read_me.read_text("utf-8")
    (root,) = [line.partition("DOCUMENT_ROOT=")[2] for line in text.splitlines() if "DOCUMENT_ROOT=" in line]
    return [root, *(line.strip() for line in text.splitlines() if line.startswith("   /"))]


@pytest.mark.parametrize("is_told", [False, True])
def test_a_link_to_the_images_folder(audit: AuditResult, tmp_path: Path, is_told: bool) -> None:
    """Label Studio shows an image only if its address is below a storage: a link is not."""
    (tmp_path / "link").symlink_to(tmp_path / "root" / "photos")
    pictures = find_pictures({}, tmp_path / "link")
    given = ExportOptions(pictures=pictures, document_root=tmp_path / "root" if is_told else None)
    export_audit(audit, "label-studio", tmp_path / "out", given)
    tasks = json.loads((tmp_path / "out" / "tasks-0001.json").read_text())
    assert all(task["data"]["image"].startswith("/data/local-files/?d=photos/") for task in tasks)
    root = tmp_path / "root"
    assert storages_in(tmp_path / "out" / "README.md") == [str(root), str(root / "photos")]


def test_images_that_a_link_leads_to_have_a_storage_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "root" / "photos").mkdir(parents=True)
    (tmp_path / "root" / "other" / "deep").mkdir(parents=True)
    (tmp_path / "root" / "photos" / "b").symlink_to(tmp_path / "root" / "other" / "deep")
    audit = build_audit(2, n_unlabelled=0, n_unread=0, images=["a.png", "b/c.png"], cutoff=0.0)
    pictures = find_pictures(
        {"paths": {"allow_roots": [str(tmp_path / "root" / "other")]}}, tmp_path / "root" / "photos"
    )
    export_audit(audit, "label-studio", tmp_path / "out", ExportOptions(pictures=pictures))
    tasks = json.loads((tmp_path / "out" / "tasks-0001.json").read_text())
    found = sorted(task["data"]["image"].partition("d=")[2] for task in tasks)
    assert found == ["other/deep/c.png", "photos/a.png"]
    root = tmp_path / "root"
    wanted = [str(root), str(root / "other"), str(root / "photos")]
    assert storages_in(tmp_path / "out" / "README.md") == wanted


def test_the_images_folder_is_no_document_root(audit: AuditResult, tmp_path: Path) -> None:
    root = tmp_path / "root" / "photos"
    with pytest.raises(ConfigError, match=r"photos holds images itself.* Name a folder above it\."):
        export_audit(audit, "label-studio", tmp_path / "out", options(tmp_path, document_root=root))
    assert not (tmp_path / "out").exists()


def test_nobody_knows_where_the_images_are(audit: AuditResult, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nothing says where the images are\. Name their folder: --images"):
        export_audit(audit, "label-studio", tmp_path / "out")


def test_a_cell_that_leads_outside_is_refused(tmp_path: Path) -> None:
    (tmp_path / "root" / "photos").mkdir(parents=True)
    audit = build_audit(3, n_unlabelled=0, n_unread=0, images=["../../secret", "a.png", "b.png"], cutoff=0.0)
    with pytest.raises(DataError, match=r"row 0: '../../secret' leads outside the images folder"):
        export_audit(audit, "label-studio", tmp_path / "out", options(tmp_path))


def test_replacing(audit: AuditResult, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export_audit(audit, "label-studio", out, options(tmp_path))
    with pytest.raises(OutputError, match="Give --force"):
        export_audit(audit, "label-studio", out, options(tmp_path))
    for name in ("project-1.json", ".DS_Store", "Thumbs.db"):
        (out / name).write_text("a week's answers")
    with pytest.raises(OutputError, match=r"out: holds 'project-1\.json', which the export did not write"):
        export_audit(audit, "label-studio", out, options(tmp_path), force=True)
    assert (out / "project-1.json").read_text() == "a week's answers"
    (out / "project-1.json").unlink()
    (out / "tasks-0002.json").write_text("of an earlier export")
    marker = json.loads((out / "noiseaudit-export.json").read_text())
    marker["holds"].append("tasks-0002.json")
    (out / "noiseaudit-export.json").write_text(json.dumps(marker))
    export_audit(audit, "label-studio", out, options(tmp_path), force=True)
    assert not (out / "tasks-0002.json").exists()
    (out / "noiseaudit-export.json").unlink()
    with pytest.raises(OutputError, match="not an export of noiseaudit, so even --force does not replace it"):
        export_audit(audit, "label-studio", out, options(tmp_path), force=True)
    assert (out / "config.xml").exists()
